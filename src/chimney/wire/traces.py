"""Traces as the page shows them."""

from typing import Any

from chimney.wire.base import Message, Timestamp
from chimney.wire.telemetry import LogRow, SpanStatus, TraceSummary


class ListedTrace(TraceSummary, frozen=True, kw_only=True):
    """`found_in` names where it is kept: table, jaeger, tempo."""

    found_in: list[str]


class TraceList(Message, frozen=True, kw_only=True):
    """`partial` names what could not be had, and why."""

    items: list[ListedTrace]
    next: str | None = None
    partial: list[str] = []


class SpanEvent(Message, frozen=True, kw_only=True):
    name: str
    at: Timestamp
    offset_ms: float
    attributes: dict[str, Any]


class Span(Message, frozen=True, kw_only=True):
    """`offset_ms` counts from the start of the trace."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    service: str
    name: str
    kind: str
    started_at: Timestamp
    offset_ms: float
    duration_ms: float
    status: SpanStatus
    status_message: str
    attributes: dict[str, Any]
    resource: dict[str, Any]
    events: list[SpanEvent]
    links: list[dict[str, Any]]
    scope: str


class Trace(Message, frozen=True, kw_only=True):
    """One trace whole: its spans by start, its log records by time."""

    trace_id: str
    started_at: Timestamp | None
    duration_ms: float | None
    spans: list[Span]
    logs: list[LogRow]
    found_in: list[str]
    urls: dict[str, str] = {}
    partial: list[str] = []


class Service(Message, frozen=True, kw_only=True):
    """A sender of spans and the names of its spans, both as far as they are known."""

    name: str
    operations: list[str]
    found_in: list[str]
