"""The log as a file: newest first, page by page, so that the table never holds more than one page of it."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Stream

from chimney.core.log_filter import LogFilter
from chimney.core.spreadsheet import HEADER, line
from chimney.store.errors import StoreError
from chimney.store.telemetry import Found, LogStore
from chimney.table.access import VIEWER
from chimney.table.queries import TIMED_FILTER, Within, unreadable
from chimney.wire.telemetry import LogRow

MOST = 100_000
PAGE = 500
TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
_encode = msgspec.json.Encoder().encode_lines


def _written(rows: list[LogRow], form: str) -> bytes:
    return _encode(rows) if form == "ndjson" else "".join(map(line, rows)).encode()


async def _pages(store: LogStore, wanted: LogFilter, form: str, first: Found, most: int) -> AsyncIterator[bytes]:
    """A search that is cut short before its end breaks the answer off: half a file does not look like a whole one."""
    if form == "csv":
        yield HEADER.encode()
    found, left = first, most
    while found.rows:
        rows = found.rows[:left]
        yield _written(rows, form)
        left -= len(rows)
        if not found.more or left <= 0:
            return
        found = await store.read(wanted, limit=PAGE, before=rows[-1].id)
    if found.more:
        raise StoreError("the search was cut short")


def routes(store: LogStore, within: Within) -> list[Any]:
    @get("/api/logs/download", opt=VIEWER, dependencies=TIMED_FILTER, summary="The log as a file", tags=["logs"])
    async def download(
        timed: NamedDependency[LogFilter],
        format: Annotated[Literal["ndjson", "csv"], QueryParameter()] = "ndjson",  # noqa: A002
        most: Annotated[int, QueryParameter(ge=1, le=MOST, description="Records at most, the newest.")] = MOST,
    ) -> Stream:
        """Newest first. CSV has no cell that a spreadsheet takes for a formula."""
        wanted = within(timed)
        try:
            first = await store.read(wanted, limit=min(PAGE, most))
        except StoreError as error:
            raise unreadable(error) from None
        named = f'attachment; filename="chimney-logs.{format}"'
        return Stream(
            _pages(store, wanted, format, first, most),
            media_type=TYPES[format],
            headers={"cache-control": "no-store", "content-disposition": named},
        )

    return [download]
