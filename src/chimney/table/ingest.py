"""From what followers read to what is stored and then shown: one transaction at a time, durable before published.

Every follower has at most one batch here and reads on when it is stored, so a slow disk slows the reading down, not the
memory up. When the disk is full their batches wait, stay in order, and are tried again; nothing is dropped. Senders
that ask for an answer (`offer`) are refused then, and when too much is waiting: they hold what they have.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from chimney.core.facts import Sighting
from chimney.core.log_filter import LogFilter
from chimney.core.records import milliseconds
from chimney.core.traffic import Traffic
from chimney.instrumentation import Line
from chimney.store.errors import StorageFailedError, StorageFullError, StoreError
from chimney.store.telemetry import Batch, Incoming, LogStore, StoredRow
from chimney.web.hub import Entry, Hub
from chimney.wire.base import stamp
from chimney.wire.telemetry import LEVELS, LogRow

OWN = "table"  # the source that the table's own records are kept under
OWN_QUEUE = 2_000  # ~1 kB each
BATCH_ROWS = 2_000  # ~50 ms of writing; the next batch is taken after it
WINDOW_SECONDS = 0.05  # few records wait this long for each other: at most 20 commits a second
WORTH_IT = 100
RETRY_SECONDS = 1.0
MOST_OFFERED_ROWS = 50_000  # ~2 s of writing and ~50 MB
RECALLED_MS, RECALLED_ROWS = 15 * 60_000, 2_000
REPORTS = "/api/deploy/events"  # a report to an origin: its deployments are asked for at once
PANICS = "chimney.web.recover"  # the logger that tells of exceptions nobody expected
log = logging.getLogger(__name__)


class RowEntry(Entry, frozen=True, kw_only=True):
    """A stored row on its way to the browsers."""

    row: LogRow


class OverloadedError(StoreError):
    """More is waiting to be stored than there should be."""


class Waiting(NamedTuple):
    """A batch that is to be stored; a patient one waits for room, another is refused when there is none."""

    batch: Batch
    done: asyncio.Future[None]
    rows: int
    patient: bool


class Newest(msgspec.Struct, frozen=True):
    """The newest stored record of a source; `lag_seconds` is how old it was when it was stored."""

    origin_id: int | None
    at: float
    lag_seconds: float


class Ingest:
    """`full_since` is set while the store has no room; `newest`, `panics` and `gaps` are by source.

    `heard` is told of every stored row, `reported` of the source whose log tells of a deployment; neither may wait.
    """

    def __init__(self, store: LogStore, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self.heard: Callable[[Sequence[StoredRow]], None] = lambda _stored: None
        self.reported: Callable[[str], None] = lambda _source: None
        self._pending: deque[Waiting] = deque()
        self._waiting_rows = 0
        self._own: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._committed = 0.0
        self.newest_id = 0
        self.traffic = Traffic()
        self.records: Counter[str] = Counter()
        self.newest: dict[str, Newest] = {}
        self.panics: dict[str, Sighting] = {}
        self.gaps: dict[str, Sighting] = {}
        self.own_dropped: Sighting | None = None
        self.full_since: float | None = None
        self.full_detail: str | None = None
        self.recovered_at: float | None = None

    @property
    def waiting_rows(self) -> int:
        """What is read, or sent, and not stored yet."""
        return self._waiting_rows

    async def recall(self) -> None:
        """What earlier runs of the table stored and findings still need: the last id, recent errors and panics."""
        now_ms = int(time.time() * 1000)
        self.newest_id = (await self._store.size()).newest_id or 0
        lately = LogFilter(level=LEVELS["error"], from_ms=now_ms - RECALLED_MS)
        found = await self._store.read(lately, limit=RECALLED_ROWS)
        for row in reversed(found.rows):
            at = (milliseconds(row.ts) or 0) / 1000
            self.traffic.note(records=0, errors=1, now=at)
            if row.logger == PANICS:
                self.note_panic(row)

    async def store(self, batch: Batch) -> None:
        """Returns when the batch is durable. Waits while there is no room."""
        await self._wait(batch, patient=True)

    async def offer(self, batch: Batch) -> None:
        """Returns when the batch is durable. Raises StorageFullError or StorageFailedError when it could not be stored,
        OverloadedError when it was not even tried."""
        if self._waiting_rows >= MOST_OFFERED_ROWS:
            raise OverloadedError(f"{self._waiting_rows:,} rows wait to be stored")
        if self.full_since is not None and self._pending:
            raise StorageFullError(self.full_detail or "there is no room")
        await self._wait(batch, patient=False)

    async def _wait(self, batch: Batch, *, patient: bool) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        rows = len(batch.records) + len(batch.spans) + len(batch.samples)
        self._pending.append(Waiting(batch, done, rows, patient))
        self._waiting_rows += rows
        self._wake.set()
        await done

    async def take_own(self, lines: Sequence[Line]) -> None:
        """The table's own records, for its log pipe: never waits. What it was asked, when it went well, is left out."""
        for line in lines:
            if line.level < LEVELS["error"] and b'"logger":"chimney.request"' in line.json:
                continue
            if len(self._own) >= OWN_QUEUE:
                self._note_dropped()
            else:
                self._own.append(line.json)
        if self._own:
            self._wake.set()

    def _note_dropped(self) -> None:
        count = self.own_dropped.count + 1 if self.own_dropped else 1
        text = "The store was behind, so records of the table itself could not be kept."
        self.own_dropped = Sighting(at=stamp(time.time()), text=text, count=count)

    async def write(self) -> float:
        """One round of the writing loop: what has gathered, in one transaction. Returns the wait before the next."""
        await self._wake.wait()
        early = WINDOW_SECONDS - (time.monotonic() - self._committed)
        if early > 0 and self._waiting_rows < WORTH_IT:
            await asyncio.sleep(early)
        self._wake.clear()
        taken = self._take()
        try:
            stored = await self._store.append([one.batch for one in taken])
        except (StorageFullError, StorageFailedError) as error:
            self._put_back(taken, error)
            return RETRY_SECONDS
        except Exception as error:
            _fail(taken, error)
            raise
        self._committed = time.monotonic()
        self._well()
        self.publish(stored)
        for one in taken:
            if not one.done.done():
                one.done.set_result(None)
        return 0.0

    def _take(self) -> list[Waiting]:
        taken: list[Waiting] = []
        if self._own:
            own = [Incoming(data) for data in self._own]
            self._own.clear()
            taken.append(Waiting(Batch(OWN, own), asyncio.get_running_loop().create_future(), 0, patient=True))
        rows = 0
        while self._pending and rows < BATCH_ROWS:
            one = self._pending.popleft()
            self._waiting_rows -= one.rows
            if not one.done.done():  # a sender that gave up is not answered any more
                taken.append(one)
                rows += one.rows
        if self._pending:
            self._wake.set()
        return taken

    def _put_back(self, taken: list[Waiting], error: StoreError) -> None:
        why, full = str(error), isinstance(error, StorageFullError)
        _fail([one for one in taken if not one.patient], error)
        own = [record for one in taken if one.batch.source == OWN for record in one.batch.records]
        self._own.extendleft(record.data for record in reversed(own) if isinstance(record, Incoming))
        waiting = [one for one in taken if one.patient and one.batch.source != OWN]
        self._pending.extendleft(reversed(waiting))
        self._waiting_rows += sum(one.rows for one in waiting)
        self._wake.set()
        if self.full_since is None:
            self.full_since = time.time()
            log.error("nothing can be stored, tried again every second: %s", why, extra={"full": full})
        self.full_detail = why

    def _well(self) -> None:
        if self.full_since is not None:
            self.recovered_at = time.time()
            log.warning("storing works again after %.0f s", time.time() - self.full_since)
        self.full_since = self.full_detail = None

    async def write_last(self) -> None:
        """What is left when the table ends: its own last records. What followers read is asked for again."""
        own = [Incoming(data) for data in self._own]
        self._own.clear()
        if own:
            with contextlib.suppress(StoreError):
                await self._store.append([Batch(OWN, own)])

    def publish(self, stored: Sequence[StoredRow]) -> None:
        """Shows what is stored, and notes what findings are made of."""
        if not stored:
            return
        self.newest_id = stored[-1].row.id
        now = time.time()
        self.traffic.note(records=len(stored), errors=sum(one.level >= 40 for one in stored), now=now)
        for one in stored:
            self._note(one, now)
        self.heard(stored)
        self._hub.publish([RowEntry(one.row.id, "log", one.data, one.level, row=one.row) for one in stored])

    def _note(self, one: StoredRow, now: float) -> None:
        row = one.row
        self.records[row.source] += 1
        if row.kind == "log":
            at = one.ts_ms / 1000
            self.newest[row.source] = Newest(row.origin_id, at, max(0.0, now - at))
            if row.logger == PANICS:
                self.note_panic(row)
            elif row.fields.get("route") == REPORTS and row.fields.get("method") == "POST":
                self.reported(row.source)
        elif row.kind == "gap":
            missed = row.fields.get("missed")
            count = missed if isinstance(missed, int) else 0
            self.gaps[row.source] = Sighting(at=stamp(now), text=f"{row.message}.", count=count)

    def note_panic(self, row: LogRow) -> None:
        at = stamp((milliseconds(row.ts) or 0) / 1000)
        self.panics[row.source] = Sighting(at=at, text=row.message, request_id=row.request_id)


def _fail(taken: Sequence[Waiting], error: Exception) -> None:
    for one in taken:
        if not one.done.done() and one.batch.source != OWN:
            one.done.set_exception(error)
