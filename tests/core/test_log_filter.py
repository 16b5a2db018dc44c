import pytest

from chimney.core.log_filter import FieldValue, LogFilter
from chimney.wire.telemetry import LogRow

ROW = LogRow(
    id=1,
    ts="2026-01-01T00:00:00.000Z",
    level="warning",
    source="hel1",
    message="GET /pulls 200",
    logger="chimney.request",
    request_id="req-1",
    trace_id="abc",
    fields={"status": 200, "error": "Boom", "ok": True, "deep": {"list": ["Ärger"]}},
)


@pytest.mark.parametrize(
    ("wanted", "accepted"),
    [
        (LogFilter(), True),
        (LogFilter(level=30), True),
        (LogFilter(level=40), False),
        (LogFilter(source="hel1"), True),
        (LogFilter(source="hel"), False),
        (LogFilter(request_id="req-1"), True),
        (LogFilter(request_id="req-2"), False),
        (LogFilter(trace_id="abc"), True),
        (LogFilter(trace_id="ABC"), False),
        (LogFilter(grep="pulls"), True),
        (LogFilter(grep="PULLS"), True),
        (LogFilter(grep="boom"), True),
        (LogFilter(grep="ärger"), True),
        (LogFilter(grep="ÄRGER"), True),
        (LogFilter(grep="true"), True),
        (LogFilter(grep="req-1"), True),
        (LogFilter(grep="chimney.req"), True),
        (LogFilter(grep="status"), False),  # a field's name is not what it says
        (LogFilter(grep="%"), False),
        (LogFilter(grep="pulls", source="nbg1"), False),
        (LogFilter(having=(FieldValue("status", "200"), FieldValue("level", "warning"))), True),
        (LogFilter(having=(FieldValue("status", "20"),)), False),
        (LogFilter(having=(FieldValue("ok", "true"), FieldValue("list", '["Ärger"]'))), True),
        (LogFilter(having=(FieldValue("span_id", ""),)), True),
        (LogFilter(having=(FieldValue("200", "status"),)), False),
        (LogFilter(lacking=(FieldValue("error", "Boom"),)), False),
        (LogFilter(lacking=(FieldValue("error", "boom"), FieldValue("source", "nbg1"))), True),
        (LogFilter(from_ms=10**15), True),  # a live stream has no time range
    ],
)
def test_a_row_is_accepted_when_everything_asked_for_holds(wanted: LogFilter, *, accepted: bool) -> None:
    assert wanted.accepts(ROW) is accepted
