"""Log records of OTLP as rows, from JSON and from protobuf alike."""

import time
from typing import Any

import msgspec
import pytest
from tests.fakes import otlp as sent

from chimney.core.otlp import logs
from chimney.core.otlp.limits import OTHER, Services
from chimney.core.records import Record
from chimney.table.unpack import JSON, PROTOBUF, Signal, message_of

NOW_MS = int(time.time() * 1000)


def read(request: Any, **more: Any) -> list[tuple[str, Record]]:
    message = message_of(Signal.LOGS, sent.as_json(request), media=JSON)
    return list(logs.records(message, now_ms=NOW_MS, named=lambda name: name, **more))


def one(*args: Any, **more: Any) -> Record:
    return read(sent.logs(sent.log(*args, **more)))[0][1]


def test_a_record_keeps_its_service_scope_trace_and_attributes() -> None:
    record = sent.log(
        "added",
        at_ns=NOW_MS * 1_000_000,
        fields={"item": 7, "tags": ["a", "b"], "request_id": "r-1"},
        traceId=sent.TRACE.upper(),
        spanId=sent.SPAN,
        severityNumber=17,
    )
    ((source, row),) = read(sent.logs(record, **{"service.version": "1.2", "telemetry.sdk.name": "x"}))
    assert (source, row.service, row.logger, row.message) == ("shop", "shop", "shop.cart", "added")
    assert (row.trace_id, row.span_id, row.request_id) == (sent.TRACE, sent.SPAN, "r-1")
    assert (row.ts_ms, row.level) == (NOW_MS, 40)
    assert row.fields == {"item": 7, "tags": ["a", "b"], "resource": {"service.version": "1.2"}}


def test_protobuf_and_json_make_the_same_rows() -> None:
    packed = sent.logs_in_protobuf(2)
    rows = [row for _, row in logs.records(message_of(Signal.LOGS, packed, media=PROTOBUF), now_ms=NOW_MS, named=str)]
    texts = [sent.log(f"hello {number}", at_ns=row.ts_ms * 1_000_000) for number, row in enumerate(rows)]
    assert [row for _, row in read(sent.logs(*texts))] == rows


@pytest.mark.parametrize(
    ("number", "text", "level"),
    [(1, "", 10), (8, "", 10), (9, "", 20), (13, "", 30), (17, "", 40), (24, "", 50), (0, "WARN", 30), (99, "", 20)],
)
def test_a_severity_is_one_of_our_levels(number: int, text: str, level: int) -> None:
    assert one(severityNumber=number, severityText=text).level == level


def test_a_severity_in_other_words_is_kept_beside_the_level() -> None:
    assert one(severityText="NOTICE2").severity == "NOTICE2"
    assert one(severityText="INFO").severity is None


@pytest.mark.parametrize("at_ns", [0, 1, 1_000, (NOW_MS + 400 * 86_400_000) * 1_000_000])
def test_a_time_of_1970_or_of_next_year_is_not_believed_but_told(at_ns: int) -> None:
    row = one(at_ns=at_ns)
    assert row.ts_ms == NOW_MS
    assert ("time_said" in row.fields) == bool(at_ns)


def test_the_time_of_observation_stands_in() -> None:
    assert one(at_ns=0, observedTimeUnixNano=str((NOW_MS - 5) * 1_000_000)).ts_ms == NOW_MS - 5


def test_a_body_of_parts_is_a_field_and_its_message_is_the_message() -> None:
    row = one({"message": "paid", "cents": 5})
    assert (row.message, row.fields["body"]) == ("paid", {"message": "paid", "cents": 5})
    assert one({"cents": 5}).message == '{"cents":5}'
    assert one(eventName="app.started", body=None).message == "app.started"


@pytest.mark.parametrize("trace", ["", "00" * 16, "ab" * 8])
def test_an_id_that_is_none_is_left_out(trace: str) -> None:
    assert one(traceId=trace).trace_id is None


def test_a_megabyte_is_cut_with_its_length_told() -> None:
    row = one("x" * 1_000_000, fields={"large": "y" * 1_000_000})
    assert row.message.endswith("(1000000 characters)")
    assert len(row.message) + len(row.fields["large"]) < 20_000


def test_secrets_are_masked_and_controls_made_visible() -> None:
    row = one("\x1b[2J token ghp_" + "a" * 36, fields={"a\u202eb": "Bearer abcdefghijklmnop"})
    assert row.message == "\\u001b[2J token ghp_…masked"
    assert row.fields == {"a\\u202eb": "Bear…masked"}


def test_what_is_nested_too_deeply_is_cut() -> None:
    deep: Any = "x"
    for _ in range(50):
        deep = [deep]
    assert msgspec.json.encode(one(fields={"deep": deep}).fields).count(b"[") == 6


def test_more_than_a_hundred_attributes_are_counted() -> None:
    fields = one(fields={f"k{number}": number for number in range(130)}).fields
    assert (len(fields), fields["attributes_dropped"]) == (101, 30)


@pytest.mark.parametrize("given", [{"doubleValue": "NaN"}, {"doubleValue": "Infinity"}, {"intValue": str(10**30)}])
def test_numbers_that_json_cannot_say_are_texts(given: dict[str, Any]) -> None:
    record = {**sent.log(), "attributes": [{"key": "n", "value": given}]}
    fields = read(sent.logs(record))[0][1].fields
    assert isinstance(fields["n"], str)
    msgspec.json.encode(fields)


def test_a_flood_of_service_names_ends_up_as_other() -> None:
    services = Services(frozenset(("table",)), most=3)
    shown = [services.shown(f"s{number}", NOW_MS) for number in range(5)]
    assert shown == ["s0", "s1", "s2", OTHER, OTHER]
    assert services.refused == 2
    assert services.shown("table", NOW_MS) == "table (OTLP)"
    assert services.shown("s9", NOW_MS + 3_600_001) == "s9"
