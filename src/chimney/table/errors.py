"""Errors of everything that is stored, grouped as it comes: log records of errors, and exceptions of spans.

Grouping happens in a thread, behind storing. What is grouped is saved every few seconds; log records that were stored
but not yet counted when the process ended are counted at the next start.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.params import FromPath, QueryParameter

from chimney.core.error_groups import MOST_GROUPS, ErrorGroups, Occurrence, of_log, of_span
from chimney.core.log_filter import LogFilter
from chimney.core.records import milliseconds
from chimney.store.errors import StoreError
from chimney.store.telemetry import LogStore, StoredRow
from chimney.store.timeline import ErrorLog
from chimney.table.access import VIEWER
from chimney.table.queries import FromQuery, LimitQuery, moment
from chimney.web.problem import ProblemError
from chimney.wire.base import Page
from chimney.wire.errors import ErrorGroup
from chimney.wire.telemetry import LEVELS, LogRow, SpanRow

QUEUE = 20_000  # rows that wait to be grouped, ~1 kB each
ROUND = 1_000  # ~30 ms of a thread
WAIT_SECONDS = 0.25
SAVE_SECONDS = 2.0
RECALLED = 2_000
Place = Callable[[str, float], str | None]


class Errors:
    """`group` is the verb of a loop. `place` says which deployment of a source a time falls into."""

    def __init__(self, kept: ErrorLog, store: LogStore, *, place: Place) -> None:
        self._kept = kept
        self._store = store
        self._place = place
        self._groups = ErrorGroups()
        self._waiting: deque[tuple[LogRow, float] | SpanRow] = deque()
        self._changed: set[str] = set()
        self._dropped: list[str] = []
        self._log_id = 0
        self._saved = 0.0
        self.missed = 0

    async def load(self) -> None:
        groups, self._log_id = await self._kept.load(MOST_GROUPS)
        for group in groups:
            self._groups.put(group)
        if self._log_id:
            found = await self._store.read(LogFilter(level=LEVELS["error"]), limit=RECALLED, after=self._log_id)
            rows = sorted(found.rows, key=lambda row: row.id)
            self._wait((row, (milliseconds(row.ts) or 0) / 1000) for row in rows)

    def hear_logs(self, stored: Sequence[StoredRow]) -> None:
        """Never waits."""
        self._wait((one.row, one.ts_ms / 1000) for one in stored if one.level >= LEVELS["error"])

    def hear_spans(self, spans: Sequence[SpanRow]) -> None:
        """Never waits."""
        self._wait(span for span in spans if span.status == "error" or span.events)

    def _wait(self, rows: Iterable[tuple[LogRow, float] | SpanRow]) -> None:
        for row in rows:
            if len(self._waiting) >= QUEUE:
                self.missed += 1
            else:
                self._waiting.append(row)

    async def group(self) -> float:
        if self._waiting:
            await asyncio.to_thread(self._round)
        if self._changed and time.monotonic() - self._saved > SAVE_SECONDS:
            with contextlib.suppress(StoreError):  # a full disk is told of by ingest; they are saved the next time
                await self.save()
        return 0.0 if self._waiting else WAIT_SECONDS

    def _round(self) -> None:
        for _ in range(min(ROUND, len(self._waiting))):
            row = self._waiting.popleft()
            if isinstance(row, SpanRow):
                for one in of_span(row):
                    self._note(one)
            else:
                self._note(of_log(*row))
                self._log_id = max(self._log_id, row[0].id)

    def _note(self, one: Occurrence | None) -> None:
        if one is None:
            return
        if one.deployment is None:
            one = msgspec.structs.replace(one, deployment=self._place(one.source, one.seconds))
        group = self._groups.note(one)
        if group:
            self._changed.add(group.id)

    async def save(self) -> None:
        """Raises StoreError; what could not be saved is saved the next time."""
        groups = self._groups.groups
        changed, self._changed = self._changed, set()
        try:
            await self._kept.save(
                [groups[one] for one in changed if one in groups],
                dropped=[one for one in changed if one not in groups],
                log_id=self._log_id,
            )
        except StoreError:
            self._changed |= changed
            raise
        self._saved = time.monotonic()

    def current(self) -> list[ErrorGroup]:
        """Last seen first."""
        return sorted(self._groups.groups.values(), key=lambda one: (one.last_seen, one.id), reverse=True)

    def one(self, group_id: str) -> ErrorGroup | None:
        return self._groups.groups.get(group_id)

    def after(self, origin: str, deployment: str, since: datetime) -> list[ErrorGroup]:
        """Groups that were seen in a deployment, new ones first."""
        seen = [
            one
            for one in self.current()
            if deployment in one.by_deployment or (one.source == origin and one.first_seen >= since)
        ]
        return sorted(seen, key=lambda one: one.first_seen < since)


def routes(errors: Errors) -> list[Any]:
    @get("/api/errors", opt=VIEWER, summary="Errors, grouped", tags=["errors"])
    async def listed(
        source: Annotated[str | None, QueryParameter(max_length=200)] = None,
        deployment: Annotated[str | None, QueryParameter(max_length=200, description="Seen in this one.")] = None,
        from_: FromQuery = None,
        limit: LimitQuery = 100,
        before: Annotated[str | None, QueryParameter(max_length=40, description="`next` of the page before.")] = None,
    ) -> Page[ErrorGroup]:
        """By type, message and top frames; last seen first. `from` leaves out those that were not seen since."""
        since = moment(from_, "query.from")
        found = [
            one
            for one in errors.current()
            if (not source or one.source == source)
            and (not deployment or deployment in one.by_deployment)
            and (since is None or one.last_seen.timestamp() * 1000 >= since)
        ]
        if before:
            place = next((i for i, one in enumerate(found, start=1) if one.id == before), len(found))
            found = found[place:]
        return Page(items=found[:limit], next=found[limit - 1].id if len(found) > limit else None)

    @get("/api/errors/{group_id:str}", opt=VIEWER, summary="One group of errors", tags=["errors"])
    async def one(group_id: FromPath[str]) -> ErrorGroup:
        """By its fingerprint."""
        found = errors.one(group_id)
        if found is None:
            raise ProblemError(404, "not-found", f"There is no group {group_id[:40]!r}, or it was not seen for long.")
        return found

    return [listed, one]
