"""Log records as they travel: in the ring, on stderr, in streams and in the table."""

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


class VisitorFields(Message, frozen=True, kw_only=True):
    """What the record of a request says about who asked."""

    client: str
    user_agent: str | UnsetType = UNSET


class LogRow(Message, frozen=True, kw_only=True):
    """One log record as the table keeps and shows it.

    `id` grows for ever within one table and is the paging cursor; `origin_id` is the record's id in its source's
    stream, None for records that the table made itself; `kind` is `log`, or `gap` and `restart` for marks in it.
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


class HistogramBucket(Message, frozen=True, kw_only=True):
    """Records in [at, at + width) by level."""

    at: str
    counts: dict[str, int]


class Histogram(Message, frozen=True, kw_only=True):
    width_seconds: float
    buckets: list[HistogramBucket]
