"""Records as JSON lines."""

import json
import logging
from typing import Any

import pytest
from tests.fakes.hostile import TEXTS

from chimney.web.lines import Captured, Line, RequestLines, as_json, captured_line, readable, rfc3339
from chimney.web.record import RequestRecord, begin, shorten


def request_line(record: RequestRecord) -> Line:
    [line] = RequestLines()([record])
    return line


def finished(path: str = "/x", *, status: int = 200, method: str = "GET", **headers: str) -> RequestRecord:
    told = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    record = begin({"type": "http", "method": method, "path": path, "headers": told, "client": ("127.0.0.1", 1)})
    shorten(record)
    record.status, record.bytes, record.ended = status, 7, record.began + 0.0123
    return record


def test_the_line_of_a_request_has_the_fields_of_the_contract() -> None:
    record = finished("/x/1", user_agent="tests")
    record.route, record.cache, record.tier = "/x/{n}", "hit", "memory"
    line = request_line(record)
    told = json.loads(line.json)
    assert told.keys() == {
        "ts", "level", "message", "logger", "request_id", "trace_id", "span_id", "method", "path", "route", "status",
        "latency_ms", "cache", "tier", "bytes", "client", "user_agent",
    }  # fmt: skip
    assert told["message"] == "GET /x/1 200 hit 12.300 ms"
    assert (told["latency_ms"], told["bytes"], told["client"]) == (12.3, 7, "127.0.0.1")
    assert (told["request_id"], told["trace_id"]) == (record.request_id, record.trace_id)
    assert told["ts"].endswith("Z")


@pytest.mark.parametrize(
    ("status", "level"), [(200, "info"), (404, "info"), (500, "error"), (502, "error"), (503, "warning")]
)
def test_an_answer_of_class_5xx_is_an_error_and_a_503_a_warning(status: int, level: str) -> None:
    line = request_line(finished(status=status))
    assert json.loads(line.json)["level"] == level
    assert line.level == {"info": 20, "warning": 30, "error": 40}[level]


@pytest.mark.parametrize("hostile", TEXTS, ids=lambda text: ascii(text[:8]))
def test_the_line_of_a_hostile_request_is_one_line_of_json(hostile: str) -> None:
    for record in (finished("/" + hostile), finished(user_agent=hostile.encode("ascii", "replace").decode())):
        record.error = hostile
        line = request_line(record)
        assert b"\n" not in line.json
        assert b"\x1b" not in line.json
        assert len(line.json) < 70_000
        assert json.loads(line.json)["path"].startswith("/")


def test_long_paths_and_agents_are_cut_and_not_remembered() -> None:
    record = finished("/" + "x" * 5000, user_agent="y" * 300_000)
    told = json.loads(request_line(record).json)
    assert len(told["path"]) < 1100
    assert len(told["user_agent"]) < 300


def test_a_secret_in_a_path_or_agent_is_masked() -> None:
    secret = "ghp_" + "a1B2" * 9
    line = request_line(finished(f"/x/{secret}", user_agent=f"curl {secret}"))
    assert secret.encode() not in line.json


def test_a_made_up_method_is_cut() -> None:
    assert len(request_line(finished(method="X" * 100_000)).json) < 1000


class Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


CIRCLE: dict[str, Any] = {}
CIRCLE["self"] = CIRCLE
ODD = [2**70, float("nan"), object(), b"\xff", Unspeakable(), CIRCLE, {(1, 2): 3}, {1: {2}}, "\ud800", ["\ud800"]]


@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
def test_whatever_a_field_or_an_argument_is_the_record_is_a_line(value: object) -> None:
    for call in (captured("m", value=value), captured("%s", args=(value,))):
        told = json.loads(captured_line(call).json)
        assert told["level"] == "info"
        assert {"ts", "message", "logger", "request_id", "trace_id", "span_id"} <= told.keys()


def test_arguments_that_do_not_fit_are_told() -> None:
    assert "arguments did not fit" in json.loads(captured_line(captured("%d and %d", args=("one",))).json)["message"]


def captured(message: str, **extra: Any) -> Captured:
    record = logging.makeLogRecord({"msg": message, "levelno": 20, "levelname": "INFO", "name": "x", **extra})
    return Captured(record, None, None, None)


def test_a_field_never_takes_the_place_of_our_own() -> None:
    told = json.loads(captured_line(captured("m", ts="forged", request_id="forged", id=7)).json)
    assert told["ts"] != "forged"
    assert told["request_id"] is None
    assert (told["record_id"], "id" in told) == (7, False)


def test_on_a_terminal_a_line_break_of_a_message_is_indented() -> None:
    shown = readable([captured_line(captured("a\n12:00:00.000 critical forged", stack="Traceback\n  x\n"))])
    assert [line[:4] for line in shown.decode().splitlines()[1:]] == ["    "] * 3
    assert as_json([captured_line(captured("a\nb"))]).count(b"\n") == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000.9996, "2023-11-14T22:13:20.999Z"),
        (1.5, "1970-01-01T00:00:01.500Z"),
    ],
)
def test_times_are_utc_to_the_millisecond(seconds: float, text: str) -> None:
    assert rfc3339(seconds) == text


def test_what_the_table_asks_and_gets_is_for_debugging_only() -> None:
    assert json.loads(request_line(finished(user_agent="chimney-table/1.0")).json)["level"] == "debug"
    assert json.loads(request_line(finished(user_agent="chimney-table/1.0", status=500)).json)["level"] == "error"


def test_a_field_that_is_named_like_a_secret_is_masked_at_every_depth() -> None:
    call = captured(
        "m", api_token="abc", headers={"Authorization": "abc", "deep": [{"client_secret": b"abc"}]}, tokens=7
    )
    line = captured_line(call).json
    assert b"abc" not in line
    assert json.loads(line)["tokens"] == 7


@pytest.mark.parametrize("hostile", TEXTS, ids=lambda text: ascii(text[:8]))
def test_a_finished_record_holds_little_of_a_hostile_request(hostile: str) -> None:
    agent = hostile.encode("ascii", "replace").decode() * 3
    record = finished("/" + hostile, method="X" + hostile, user_agent=agent, host=agent)
    record.finish()
    held = len(record.path) + len(record.agent) + len(record.host) + len(record.query) + len(record.method)
    assert held < 10_000
    assert not record.headers
