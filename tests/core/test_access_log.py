"""Caddy's log lines, as every version and every format says them."""

import json
from typing import Any

import pytest
from tests.fakes.hostile import TEXTS

from chimney.core.access_log import Access, Dialect, Own, masked, milliseconds, parse

NOW = 1_795_548_000_000
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def line(**changes: Any) -> dict[str, Any]:
    """As Caddy 2.6.2 writes it."""
    request = {
        "remote_ip": "203.0.113.9",
        "remote_port": "40000",
        "proto": "HTTP/1.1",
        "method": "GET",
        "host": "origin.example.org",
        "uri": "/api/version?x=1",
        "headers": {"User-Agent": ["curl/8"], "Cookie": [], "Authorization": ["Bearer very-secret-value"]},
        **changes.pop("request", {}),
    }
    return {
        "level": "error",
        "ts": 1795547999.25,
        "logger": "http.log.access.log0",
        "msg": "handled request",
        "request": request,
        "user_id": "",
        "duration": 0.0123,
        "size": 512,
        "status": 200,
        "resp_headers": {"Server": ["Caddy"], "X-Request-Id": ["req-1"], "X-Trace-Id": [TRACE]},
        **changes,
    }


def told(raw: dict[str, Any], dialect: Dialect | None = None) -> dict[str, Any]:
    parsed = parse(json.dumps(raw).encode(), dialect or Dialect(), now_ms=NOW)
    assert isinstance(parsed, Access)
    record: dict[str, Any] = json.loads(parsed.json)
    return record


def test_a_line_becomes_a_record_of_our_shape() -> None:
    assert told(line()) == {
        "ts": "2026-11-24T19:19:59.250Z",
        "level": "info",
        "logger": "caddy.access",
        "request_id": "req-1",
        "trace_id": TRACE,
        "span_id": None,
        "latency_ms": 12.3,
        "bytes": 512,
        "message": "GET /api/version?x=1 200 12.3 ms",
        "method": "GET",
        "path": "/api/version?x=1",
        "status": 200,
        "host": "origin.example.org",
        "proto": "HTTP/1.1",
        "client": "203.0.113.9",
        "user_agent": "curl/8",
    }


def test_credentials_are_nowhere_in_a_record() -> None:
    secret = "hunter2-canary"
    uri = f"/x?access_token={secret}&code={secret}&API-KEY={secret}&sig={secret}&%74oken={secret}&q=fine"
    headers = {name: [secret] for name in ("Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key", "Referer")}
    raw = line(request={"uri": uri, "headers": headers}, user_id=secret)
    raw["resp_headers"] |= {"Set-Cookie": [secret], "Location": [secret]}
    parsed = parse(json.dumps(raw).encode(), Dialect(), now_ms=NOW)
    assert isinstance(parsed, Access)
    assert secret.encode() not in parsed.json
    assert b"q=fine" in parsed.json


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("/a", "/a"),
        ("/a?", "/a?"),
        ("/a?b", "/a?b"),
        ("/a?token", "/a?token"),
        ("/a?token=", "/a?token=…masked"),
        ("/a?session_id=1&page=2", "/a?session_id=…masked&page=2"),
        ("/a?monkey=1&keyboard=2", "/a?monkey=1&keyboard=2"),
    ],
)
def test_values_named_like_secrets_are_masked(uri: str, shown: str) -> None:
    assert masked(uri) == shown


@pytest.mark.parametrize(
    ("duration", "ms"),
    [
        (0.0015, 1.5),
        (1.5e-05, 0.015),
        (600.25, 600_250),
        (1_500_000, 1.5),
        (12, 12),
        ("1.5ms", 1.5),
        ("12µs", 0.012),
        ("1m2.5s", 62_500),
        ("1h0m1s", 3_601_000),
        ("0s", 0),
        ("soon", None),
        ("", None),
        (None, None),
        (True, None),
        ([], None),
    ],
)
def test_durations_are_read_in_every_format(duration: object, ms: float | None) -> None:
    assert told(line(duration=duration)).get("latency_ms") == (pytest.approx(ms, abs=1e-3) if ms is not None else None)


def test_a_file_that_was_seen_to_say_milliseconds_says_them_always() -> None:
    dialect = Dialect()
    assert told(line(duration=7), dialect)["latency_ms"] == 7
    assert told(line(duration=20_000), dialect)["latency_ms"] == 20_000


@pytest.mark.parametrize(
    "ts",
    [
        1795547999.25,
        1795547999250,
        1795547999250.5,
        1795547999250000000,
        "2026-11-24T19:19:59.250Z",
        "2026-11-24T19:19:59.250+0000",
        "2026-11-24T20:19:59.250123456+01:00",
        "2026/11/24 19:19:59.250",
        "2026/11/24 19:19:59.250123456",
    ],
)
def test_times_are_read_in_every_format(ts: object) -> None:
    assert milliseconds(ts) == 1_795_547_999_250


@pytest.mark.parametrize(
    ("ts", "ms"), [("24/Nov/2026:19:19:59 +0000", 1_795_547_999_000), ("2026/11/24 19:19:59", 1_795_547_999_000)]
)
def test_times_without_fractions_are_read(ts: str, ms: int) -> None:
    assert milliseconds(ts) == ms


@pytest.mark.parametrize("ts", [None, True, "", "yesterday at noon", 1e300, -1e300, [], "0000-00-00T00:00:00Z"])
def test_what_is_no_time_is_taken_as_now(ts: object) -> None:
    assert told(line(ts=ts))["ts"] == "2026-11-24T19:20:00.000Z"


@pytest.mark.parametrize(
    ("status", "level"),
    [(200, "info"), (404, "info"), (500, "error"), (502, "error"), (503, "warning"), (0, "warning")],
)
def test_the_level_comes_from_the_status_and_not_from_caddy(status: int, level: str) -> None:
    assert told(line(status=status))["level"] == level


def test_ids_come_from_the_answer_then_from_the_request_and_only_when_they_are_valid() -> None:
    parent = f"00-{TRACE}-00f067aa0ba902b7-01"
    headers = {"traceparent": [parent], "x-request-id": ["mine"]}
    record = told(line(resp_headers={}, request={"headers": headers}))
    assert (record["request_id"], record["trace_id"], record["span_id"]) == ("mine", TRACE, "00f067aa0ba902b7")
    bad = {"Traceparent": ["00-xyz"], "X-Request-Id": ["no\r\nid"]}
    record = told(line(resp_headers={"X-Trace-Id": ["0" * 32]}, request={"headers": bad}))
    assert (record["request_id"], record["trace_id"], record["span_id"]) == (None, None, None)


def test_the_ids_of_caddys_own_tracing_come_first() -> None:
    record = told(line(traceID="a" * 32, spanID="b" * 16))
    assert (record["trace_id"], record["span_id"]) == ("a" * 32, "b" * 16)


def test_a_newer_caddy_says_the_client_behind_trusted_proxies() -> None:
    assert told(line(request={"client_ip": "198.51.100.7"}))["client"] == "198.51.100.7"


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"1", b"null", b"2026/11/24 INFO handled request", b'{"request":', b"\xff\xfe", b"[" * 100_000]
)
def test_what_is_no_json_object_is_none(raw: bytes) -> None:
    assert parse(raw, Dialect(), now_ms=NOW) is None


@pytest.mark.parametrize("text", TEXTS)
def test_hostile_text_stays_inside_its_line(text: str) -> None:
    raw = line(request={"uri": "/" + text, "host": text, "method": text, "headers": {"User-Agent": [text]}})
    encoded = json.dumps(raw).encode("utf-8", "replace")
    parsed = parse(encoded, Dialect(), now_ms=NOW)
    assert parsed is None or (isinstance(parsed, Access) and b"\n" not in parsed.json and len(parsed.json) < 16_384)
    if isinstance(parsed, Access):
        shown = "".join(str(value) for value in json.loads(parsed.json).values())
        assert not {"\x1b", "\r", "\x00", "\u202e"} & set(shown)


@pytest.mark.parametrize("wrong", [{"request": []}, {"resp_headers": 5}, {"status": "200"}, {"size": None}])
def test_fields_of_another_type_cost_no_more_than_themselves(wrong: dict[str, Any]) -> None:
    raw = line()
    raw.update(wrong)
    assert parse(json.dumps(raw).encode(), Dialect(), now_ms=NOW) is not None


def test_what_caddy_says_of_itself_is_told_apart() -> None:
    own = {
        "level": "error",
        "ts": 1.0,
        "logger": "admin.api",
        "msg": "request error",
        "error": "bad",
        "status_code": 400,
    }
    assert parse(json.dumps(own).encode(), Dialect(), now_ms=NOW) == Own(
        ts_ms=1000,
        level="error",
        logger="admin.api",
        message="request error",
        error="bad",
        method="",
        uri="",
        status=400,
    )
