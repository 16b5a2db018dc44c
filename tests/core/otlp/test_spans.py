"""Spans of OTLP as rows."""

import time
from typing import Any

import pytest
from tests.fakes import otlp as sent

from chimney.core.otlp import spans
from chimney.core.otlp.rejected import Rejected
from chimney.table.unpack import JSON, PROTOBUF, Signal, message_of
from chimney.wire.telemetry import SpanRow

NOW_MS = int(time.time() * 1000)


def read(request: Any, rejected: Rejected | None = None) -> list[SpanRow]:
    message = message_of(Signal.TRACES, sent.as_json(request), media=JSON)
    return list(spans.spans(message, rejected or Rejected(), now_ms=NOW_MS, named=lambda name: name))


def one(**more: Any) -> SpanRow:
    return read(sent.traces(sent.span(**more)))[0]


def test_a_span_keeps_all_that_it_says() -> None:
    start = (NOW_MS - 100) * 1_000_000
    row = one(
        start_ns=start,
        ms=12.5,
        parentSpanId=sent.PARENT,
        status={"code": 2, "message": "boom"},
        attributes=sent.attributes({"http.route": "/cart"}),
        events=[{"name": "exception", "timeUnixNano": str(start), "attributes": sent.attributes({"a": 1})}],
        links=[{"traceId": sent.TRACE, "spanId": sent.PARENT}],
    )
    assert (row.trace_id, row.span_id, row.parent_span_id) == (sent.TRACE, sent.SPAN, sent.PARENT)
    assert (row.service, row.name, row.kind, row.scope) == ("shop", "GET /cart", "server", "shop.http")
    assert (row.start_ns, row.duration_ns) == (start, 12_500_000)
    assert (row.status, row.status_message) == ("error", "boom")
    assert row.attributes == {"http.route": "/cart"}
    assert row.events == [{"name": "exception", "at_ns": start, "attributes": {"a": 1}}]
    assert row.links == [{"trace_id": sent.TRACE, "span_id": sent.PARENT, "attributes": {}}]


def test_protobuf_and_json_make_the_same_rows() -> None:
    message = message_of(Signal.TRACES, sent.spans_in_protobuf(1), media=PROTOBUF)
    (row,) = spans.spans(message, Rejected(), now_ms=NOW_MS, named=lambda name: name)
    given = sent.span(start_ns=row.start_ns, ms=5, traceId=row.trace_id, spanId=row.span_id)
    request = sent.traces(given)
    request["resourceSpans"][0]["scopeSpans"][0]["scope"] = {}
    assert read(request) == [row]


@pytest.mark.parametrize("bad", [{"traceId": ""}, {"traceId": "00" * 16}, {"spanId": "ab"}])
def test_a_span_without_ids_is_rejected_with_the_reason(bad: dict[str, Any]) -> None:
    rejected = Rejected()
    assert len(read(sent.traces(sent.span(), sent.span(**bad)), rejected)) == 1
    assert rejected.count == 1
    assert "id should be" in rejected.reason


def test_a_root_has_no_parent() -> None:
    assert one(parentSpanId="").parent_span_id is None
    assert one(parentSpanId="00" * 8).parent_span_id is None


@pytest.mark.parametrize("start_ns", [1, (NOW_MS + 400 * 86_400_000) * 1_000_000])
def test_a_time_that_is_not_believed_is_told(start_ns: int) -> None:
    row = one(start_ns=start_ns, ms=1000)
    assert row.start_ns == (NOW_MS - 1000) * 1_000_000
    assert "time_said" in row.attributes


def test_a_span_that_ends_before_it_starts_takes_no_time() -> None:
    assert one(ms=-5).duration_ns == 0


@pytest.mark.parametrize(("kind", "shown"), [(0, "unspecified"), (3, "client"), (99, "unspecified")])
def test_a_kind_is_one_of_those_that_are_known(kind: int, shown: str) -> None:
    assert one(kind=kind).kind == shown
