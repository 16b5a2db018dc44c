"""Log records, spans and samples as they travel: in the ring, on stderr, in streams and in the table."""

from typing import Any, Literal

from msgspec import UNSET, UnsetType

from chimney.wire.base import Message

Level = Literal["debug", "info", "warning", "error", "critical"]
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


class RequestFields(Message, frozen=True, kw_only=True):
    """What the record of a request says beside what every record has (ts, level, message, logger and the three ids).

    `latency_ms` and `bytes` and VisitorFields stand beside these. Absent fields were not known.
    """

    method: str
    path: str
    route: str
    status: int
    cache: str | UnsetType = UNSET
    tier: str | UnsetType = UNSET
    error: str | UnsetType = UNSET
    fingerprint: str | UnsetType = UNSET


class VisitorFields(Message, frozen=True, kw_only=True):
    """What the record of a request says about who asked."""

    client: str
    user_agent: str | UnsetType = UNSET


class LogRow(Message, frozen=True, kw_only=True):
    """One log record as the table keeps and shows it.

    `id` grows for ever within one table and is the paging cursor; `origin_id` is the record's id in its source's
    stream, None for records that have none; `kind` is `log`, or `gap` and `restart` for marks in it. `severity` is the
    level in the sender's own words, where they differ; `deployment` and `revision` where they are known.
    """

    id: int
    ts: str
    level: str
    source: str
    message: str
    logger: str
    kind: str = "log"
    origin_id: int | None = None
    request_id: str | None = None
    trace_id: str | None = None
    fields: dict[str, Any] = {}
    span_id: str | None = None
    service: str | None = None
    deployment: str | None = None
    revision: str | None = None
    severity: str | None = None


class HistogramBucket(Message, frozen=True, kw_only=True):
    """Records in [at, at + width) by level."""

    at: str
    counts: dict[str, int]


class Histogram(Message, frozen=True, kw_only=True):
    width_seconds: float
    buckets: list[HistogramBucket]


class FacetCount(Message, frozen=True, kw_only=True):
    value: str
    count: int


class Facets(Message, frozen=True, kw_only=True):
    """How many records each choice would leave: `levels` from the worst, whatever level is asked for; `sources` from
    the one with most, whatever source is asked for."""

    levels: list[FacetCount]
    sources: list[FacetCount]


SpanStatus = Literal["unset", "ok", "error"]
SampleKind = Literal["gauge", "counter", "histogram"]


class SpanRow(Message, frozen=True, kw_only=True):
    """One finished span as the table keeps and shows it. Times are Unix nanoseconds; `kind` is in OTLP's words, lower
    case: `server`, `client`, `internal`, `producer`, `consumer`, `unspecified`."""

    trace_id: str
    span_id: str
    service: str
    name: str
    kind: str
    start_ns: int
    duration_ns: int
    parent_span_id: str | None = None
    status: SpanStatus = "unset"
    status_message: str = ""
    attributes: dict[str, Any] = {}
    resource: dict[str, Any] = {}
    events: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []
    scope: str = ""


class SampleRow(Message, frozen=True, kw_only=True):
    """One value of one series at one moment. `value` of a histogram is the sum; `buckets` are cumulative counts by
    upper bound, the last one infinite (`inf` is written as null)."""

    name: str
    labels: dict[str, str]
    at_ms: int
    kind: SampleKind
    value: float
    source: str
    count: int | None = None
    buckets: list[tuple[float | None, int]] | None = None


class TraceSummary(Message, frozen=True, kw_only=True):
    """One trace in a list. `service` and `name` are of its root span, or of the earliest one while that is missing."""

    trace_id: str
    started_at: str
    duration_ms: float
    service: str
    name: str
    status: SpanStatus
    spans: int
    errors: int
    services: dict[str, int]


class MetricName(Message, frozen=True, kw_only=True):
    """A metric that is kept, and the names of the labels that its series have."""

    name: str
    kind: SampleKind
    labels: list[str]
