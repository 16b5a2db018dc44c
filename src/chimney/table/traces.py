"""Traces: ours, Jaeger's and Tempo's, in one list and one by one."""

import time
from typing import Annotated, Any, Literal

from litestar import Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter
from msgspec.structs import replace

from chimney.core.elsewhere.traces import padded
from chimney.core.log_filter import LogFilter
from chimney.core.span_filter import SpanFilter
from chimney.core.trace_view import together, whole
from chimney.store.errors import StoreError
from chimney.store.telemetry import TelemetryStore
from chimney.table.access import VIEWER
from chimney.table.elsewhere.jaeger import Jaeger
from chimney.table.elsewhere.sources import Elsewhere
from chimney.table.elsewhere.tempo import Tempo
from chimney.table.queries import CursorQuery, FromQuery, LimitQuery, ToQuery, malformed, moment, unreadable
from chimney.web.problem import ProblemError
from chimney.wire.base import Page
from chimney.wire.telemetry import LogRow, SpanRow, TraceSummary
from chimney.wire.traces import Service, Trace, TraceList

HERE = "table"
LOOKBACK_MS = 3_600_000  # how far elsewhere is searched when no time is given
MOST_LOGS = 500
NS = 1_000_000
Durations = Annotated[float | None, QueryParameter(ge=0, le=86_400_000)]
Text = Annotated[str | None, QueryParameter(max_length=200)]


class Traces:
    """All places that keep traces, as one."""

    def __init__(self, store: TelemetryStore, elsewhere: Elsewhere) -> None:
        self._store = store
        self._elsewhere = elsewhere

    async def find(self, wanted: SpanFilter, *, limit: int) -> TraceList:
        """Newest first. A place that does not answer is named in `partial`."""
        to_ms = wanted.to_ms or int(time.time() * 1000) + 60_000
        from_ms = to_ms - LOOKBACK_MS if wanted.from_ms is None else wanted.from_ms

        async def search(source: Jaeger | Tempo) -> list[TraceSummary]:
            return await source.traces(wanted, limit=limit, from_ms=from_ms, to_ms=to_ms)

        found, partial = await self._elsewhere.gather(self._elsewhere.traces, search)
        ours = await self._store.traces(wanted, limit=limit)
        listed = together([(HERE, ours.traces), *found])
        more = len(listed) > limit or ours.next is not None or any(len(part) >= limit for _, part in found)
        items = listed[:limit]
        last = moment(items[-1].started_at, "items") if items and more else None
        if ours.partial:
            partial.append("table: the search was cut short; narrow it")
        return TraceList(items=items, next=str(last) if last else None, partial=partial)

    async def one(self, trace_id: str) -> Trace:
        """Whole, from wherever it is kept, with the table's log records of it."""

        async def ask(source: Jaeger | Tempo) -> list[SpanRow]:
            return await source.trace(trace_id)

        found, partial = await self._elsewhere.gather(self._elsewhere.traces, ask)
        ours = await self._store.trace(trace_id)
        logs = await self._logs(trace_id)
        if ours.partial:
            partial.append("table: the search was cut short; some spans may be missing")
        jaeger = self._elsewhere.jaeger
        urls = {"jaeger": f"{jaeger.url}/trace/{trace_id}"} if jaeger else {}
        return whole(trace_id, [(HERE, ours.spans), *found], logs, urls=urls, partial=partial)

    async def _logs(self, trace_id: str) -> list[LogRow]:
        found = await self._store.read(LogFilter(trace_id=trace_id), limit=MOST_LOGS)
        return found.rows

    async def services(self) -> list[Service]:
        async def ask(source: Jaeger | Tempo) -> dict[str, list[str]]:
            return await source.services()

        found, _ = await self._elsewhere.gather(self._elsewhere.traces, ask)
        known: dict[str, tuple[set[str], list[str]]] = {}
        for place, services in [(HERE, await self._store.services()), *found]:
            for name, operations in services.items():
                names, places = known.setdefault(name, (set(), []))
                names.update(operations)
                places.append(place)
        return [
            Service(name=name, operations=sorted(names), found_in=places)
            for name, (names, places) in sorted(known.items())
        ]


def trace_id_of(text: str) -> str:
    """32 hex digits; leading zeros may be left out. Raises ProblemError 400."""
    try:
        if 0 < len(text) <= 32 and int(text, 16):
            return padded(text)
    except ValueError:
        pass
    raise malformed("path.trace_id", f"{text[:40]!r} should be up to 32 hex digits, not all zero")


def nanoseconds(ms: float | None) -> int | None:
    return None if ms is None else int(ms * NS)


def filter_of(
    service: Text = None,
    operation: Text = None,
    status: Annotated[Literal["unset", "ok", "error"] | None, QueryParameter()] = None,
    min_duration_ms: Durations = None,
    max_duration_ms: Durations = None,
    from_: FromQuery = None,
    to: ToQuery = None,
) -> SpanFilter:
    """A dependency: what the query asks for. Empty texts filter nothing."""
    wanted = SpanFilter(
        service=service or None,
        name=operation or None,
        status=status,
        least_ns=nanoseconds(min_duration_ms),
        most_ns=nanoseconds(max_duration_ms),
        from_ms=moment(from_, "query.from"),
        to_ms=moment(to, "query.to"),
    )
    if wanted.from_ms is not None and wanted.to_ms is not None and wanted.from_ms >= wanted.to_ms:
        raise malformed("query.from", "should be before query.to")
    return wanted


FILTER = {"wanted": Provide(filter_of, sync_to_thread=False)}


def routes(traces: Traces) -> list[Any]:
    @get("/api/traces", opt=VIEWER, dependencies=FILTER, summary="Traces of every sender", tags=["traces"])
    async def listed(
        wanted: NamedDependency[SpanFilter], limit: LimitQuery = 100, before: CursorQuery = None
    ) -> Response[TraceList]:
        """Newest first: those that have a span which is asked for. From the table itself, Jaeger and Tempo."""
        if before:
            wanted = replace(wanted, to_ms=min(int(before), wanted.to_ms or int(before)))
        try:
            return _fresh(await traces.find(wanted, limit=limit))
        except StoreError as error:
            raise unreadable(error) from None

    @get("/api/traces/{trace_id:str}", opt=VIEWER, summary="One trace whole", tags=["traces"])
    async def one(trace_id: FromPath[str]) -> Response[Trace]:
        """Its spans by start, and the log records of it. Leading zeros of the id may be left out."""
        try:
            found = await traces.one(trace_id_of(trace_id))
        except StoreError as error:
            raise unreadable(error) from None
        if not found.spans and not found.logs:
            why = f" Not asked: {'; '.join(found.partial)}." if found.partial else ""
            raise ProblemError(404, "not-found", f"Nothing is kept of the trace {found.trace_id}.{why}")
        return _fresh(found)

    @get("/api/services", opt=VIEWER, summary="Senders of spans", tags=["traces"])
    async def services() -> Page[Service]:
        """With the names of their spans, as far as they are known: what the lists of traces can be narrowed to."""
        try:
            return Page(items=await traces.services())
        except StoreError as error:
            raise unreadable(error) from None

    return [listed, one, services]


def _fresh(answer: Any) -> Response[Any]:
    return Response(answer, headers={"cache-control": "no-store"})
