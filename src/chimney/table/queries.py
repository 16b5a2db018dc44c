"""Reading the log: pages, histogram, facets."""

import time
from collections.abc import Callable
from typing import Annotated, Any

from litestar import Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter
from msgspec.structs import replace

from chimney.core.log_filter import FieldValue, LogFilter
from chimney.core.records import milliseconds
from chimney.store.errors import StoreError
from chimney.store.telemetry import LogStore
from chimney.table.access import VIEWER
from chimney.web.problem import ProblemError
from chimney.wire.base import Page
from chimney.wire.problem import Fault
from chimney.wire.telemetry import LEVELS, Facets, Histogram, Level, LogRow

BUCKETS = 60
MOST_BUCKETS = 500
DEFAULT_RANGE_MS = 15 * 60_000
MOST_FIELDS = 10

LevelQuery = Annotated[Level | None, QueryParameter(description="Least level.")]
SourceQuery = Annotated[str | None, QueryParameter(max_length=100, description="Origin's name, or `table`.")]
GrepQuery = Annotated[
    str | None,
    QueryParameter(max_length=500, description="Text in message, logger or a field's value; case is ignored."),
]
FieldQuery = Annotated[
    list[str] | None, QueryParameter(max_items=MOST_FIELDS, description="`name:value` of a field; may come again.")
]
IdQuery = Annotated[str | None, QueryParameter(max_length=128)]
FromQuery = Annotated[str | None, QueryParameter(name="from", description="RFC 3339, included.")]
ToQuery = Annotated[str | None, QueryParameter(name="to", description="RFC 3339, not included.")]
LimitQuery = Annotated[int, QueryParameter(ge=1, le=500)]
CursorQuery = Annotated[str | None, QueryParameter(pattern="^[0-9]{1,18}$", description="`next` of the page before.")]


def malformed(path: str, detail: str) -> ProblemError:
    return ProblemError(400, "malformed", f"{path}: {detail}", errors=[Fault(path=path, detail=detail)])


def moment(text: str | None, path: str) -> int | None:
    """Unix milliseconds. Raises ProblemError 400 when it is not a time."""
    if not text:
        return None
    at = milliseconds(text)
    if at is None:
        raise malformed(path, f"{text[:40]!r} should be an RFC 3339 time such as 2026-01-31T12:00:00Z")
    return at


def _fields(asked: list[str] | None, path: str) -> tuple[FieldValue, ...]:
    found = []
    for number, text in enumerate(asked or ()):
        name, colon, value = text[:1_000].partition(":")
        if not (name and colon):
            raise malformed(f"{path}[{number}]", f"{text[:40]!r} should be name:value")
        found.append(FieldValue(name, value))
    return tuple(found)


def filter_of(
    level: LevelQuery = None,
    source: SourceQuery = None,
    grep: GrepQuery = None,
    request_id: IdQuery = None,
    trace_id: IdQuery = None,
    deployment: Annotated[str | None, QueryParameter(max_length=200, description="Of this deployment.")] = None,
    field: FieldQuery = None,
    without: FieldQuery = None,
) -> LogFilter:
    """A dependency: what the query asks for, its time aside. Empty texts filter nothing."""
    return LogFilter(
        level=LEVELS[level] if level else 0,
        source=source or None,
        grep=grep or None,
        request_id=request_id or None,
        trace_id=trace_id or None,
        deployment=deployment or None,
        having=_fields(field, "query.field"),
        lacking=_fields(without, "query.without"),
    )


def timed_filter(wanted: NamedDependency[LogFilter], from_: FromQuery = None, to: ToQuery = None) -> LogFilter:
    """A dependency: what the query asks for."""
    return replace(wanted, from_ms=moment(from_, "query.from"), to_ms=moment(to, "query.to"))


Within = Callable[[LogFilter], LogFilter]  # a deployment that an origin told of, as its time
FILTER = {"wanted": Provide(filter_of, sync_to_thread=False)}
TIMED_FILTER = {**FILTER, "timed": Provide(timed_filter, sync_to_thread=False)}


def unreadable(error: StoreError) -> ProblemError:
    return ProblemError(503, "storage-unreadable", f"The journal cannot be read: {error}", headers=[_SOON])


_SOON = (b"retry-after", b"2")


def routes(store: LogStore, within: Within) -> list[Any]:
    @get("/api/logs", opt=VIEWER, dependencies=TIMED_FILTER, summary="Log records of every source", tags=["logs"])
    async def logs(
        timed: NamedDependency[LogFilter],
        limit: LimitQuery = 100,
        before: CursorQuery = None,
        after: CursorQuery = None,
    ) -> Response[Page[LogRow]]:
        """Newest first. `X-Partial: true` when the search was cut short after two seconds: go on with `next`, or narrow
        the search."""
        try:
            found = await store.read(
                within(timed), limit=limit, before=int(before) if before else None, after=int(after) if after else None
            )
        except StoreError as error:
            raise unreadable(error) from None
        following = str(found.rows[-1].id) if found.more and found.rows else None
        return Response(Page(items=found.rows, next=following), headers=_headers(partial=found.partial))

    @get(
        "/api/logs/histogram",
        opt=VIEWER,
        dependencies=TIMED_FILTER,
        summary="Log records by time and level",
        tags=["logs"],
    )
    async def histogram(
        timed: NamedDependency[LogFilter], buckets: Annotated[int, QueryParameter(ge=1, le=MOST_BUCKETS)] = BUCKETS
    ) -> Response[Histogram]:
        """The last 15 minutes when no time is given. `X-Partial: true` when counting was cut short."""
        whole, width_ms = _whole(within(timed))
        try:
            counted, partial = await store.histogram(whole, width_ms=-(-width_ms // buckets))
        except StoreError as error:
            raise unreadable(error) from None
        return Response(counted, headers=_headers(partial=partial))

    @get("/api/logs/facets", opt=VIEWER, dependencies=TIMED_FILTER, summary="What may be filtered for", tags=["logs"])
    async def facets(timed: NamedDependency[LogFilter]) -> Response[Facets]:
        """Levels and sources with how many records each would leave; the last 15 minutes when no time is given.
        `X-Partial: true` when counting was cut short."""
        whole, _ = _whole(within(timed))
        try:
            counted, partial = await store.facets(whole)
        except StoreError as error:
            raise unreadable(error) from None
        return Response(counted, headers=_headers(partial=partial))

    return [logs, histogram, facets]


def _whole(timed: LogFilter) -> tuple[LogFilter, int]:
    """With both ends of its time, and how long that is in milliseconds."""
    to_ms = timed.to_ms or int(time.time() * 1000) + 1
    from_ms = to_ms - DEFAULT_RANGE_MS if timed.from_ms is None else timed.from_ms
    if from_ms >= to_ms:
        raise malformed("query.from", "should be before query.to")
    return replace(timed, from_ms=from_ms, to_ms=to_ms), to_ms - from_ms


def _headers(*, partial: bool) -> dict[str, Any]:
    return {"x-partial": "true", "cache-control": "no-store"} if partial else {"cache-control": "no-store"}
