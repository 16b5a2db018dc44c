"""What can be read live: recent log records, their stream, and the stream of events."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.params import FromQuery, QueryParameter

from chimney.origin.events import EventLog
from chimney.origin.log_ring import LogRing
from chimney.origin.ring import RecordRing, make_filter
from chimney.web.hub import Entry
from chimney.web.record import current
from chimney.web.sse import Stream, asked_id
from chimney.wire.base import Page
from chimney.wire.telemetry import LEVELS

Limit = Annotated[int, QueryParameter(ge=1, le=500, description="At most so many, 1 to 500.")]
Level = Annotated[str | None, QueryParameter(description=f"At least this severe: {', '.join(LEVELS)}.")]
Grep = Annotated[str | None, QueryParameter(max_length=256, description="Text that the record holds, in any case.")]


def everything(_entry: Entry) -> bool:
    return True


def record_routes(ring: RecordRing, path: str, what: str, *, read_scope: Callable[..., None]) -> list[Any]:
    """The two ways to read a log: as pages, and as it happens."""

    @get(path, guards=[read_scope], summary=f"Recent {what}", tags=["logs"])
    async def recent(
        level: Level = None,
        grep: Grep = None,
        since: FromQuery[datetime | None] = None,
        request_id: FromQuery[str | None] = None,
        trace_id: FromQuery[str | None] = None,
        limit: Limit = 100,
        before: FromQuery[int | None] = None,
    ) -> Page[msgspec.Raw]:
        """Newest first. `before` is the `next` of the page before."""
        return ring.select(make_filter(level, grep, since, request_id, trace_id), limit=limit, before=before)

    @get(
        f"{path}/stream",
        guards=[read_scope],
        summary=f"{what.capitalize()} as they happen (server-sent events)",
        tags=["logs"],
        media_type="text/event-stream",
    )
    async def stream(
        level: Level = None,
        grep: Grep = None,
        request_id: FromQuery[str | None] = None,
        trace_id: FromQuery[str | None] = None,
        last_event_id: FromQuery[str | None] = None,
    ) -> Stream:
        """`Last-Event-ID` (header or query) resumes; what is gone by then is told in a `gap` event."""
        record = current.get()
        headers = record.headers if record else {}
        wanted = make_filter(level, grep, None, request_id, trace_id)
        address = record.client if record else "unknown"
        return await ring.stream(wanted, asked_id(headers, last_event_id), address, headers)

    return [recent, stream]


def routes(ring: LogRing, events: EventLog, *, read_scope: Callable[..., None]) -> list[Any]:
    @get(
        "/api/events",
        guards=[read_scope],
        summary="What happens here beside requests (server-sent events)",
        tags=["logs"],
        media_type="text/event-stream",
    )
    async def event_stream(last_event_id: FromQuery[str | None] = None) -> Stream:
        """Each event is named by its kind, see docs/events.md. Resumes as the log stream does."""
        record = current.get()
        headers = record.headers if record else {}
        address = record.client if record else "unknown"
        return await events.stream(everything, asked_id(headers, last_event_id), address, headers)

    return [*record_routes(ring, "/api/logs", "log records", read_scope=read_scope), event_stream]
