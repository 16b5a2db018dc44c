"""The writing side of the store on this machine: journal, catalogue and what of both is in memory. Blocking, for one
thread; `kept` may be read by any."""

import contextlib
import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from chimney.core.records import rfc3339
from chimney.store import catalogue
from chimney.store.ballast import Ballast
from chimney.store.errors import FolderError, StorageFailedError, StorageFullError, StoreError
from chimney.store.frames import Signal, pack
from chimney.store.hot import CHUNK_ROWS, Chunk, loose
from chimney.store.intake import Draft, Intake
from chimney.store.journal import Journal, drop_chunks, put_chunk, put_keys, put_names, put_sources
from chimney.store.kept import Kept
from chimney.store.names import Names
from chimney.store.segments import Segment, Segments
from chimney.store.telemetry import Batch, Place, Size, StoredRow
from chimney.store.usage import Usage, counted
from chimney.wire.telemetry import MetricName

SEAL_ROWS = 250_000  # ~7 MB sealed
SEAL_BYTES = 96 * 1024**2  # of lines
LEAST_TO_OPEN = 2 * 1024**2
FULL_ROWS = 10_000  # on a full disk they are sealed early: they need less room then
SEAL_SECONDS = 12 * 3600.0
YOUNG_MS = 86_400_000  # rows of the last day are never dropped for want of room: storing is refused instead
log = logging.getLogger(__name__)
T = TypeVar("T")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What may be kept. Rows older than `older_than_ms` go, by signal; the oldest go while there is more than
    `max_bytes`, by signal and (None) of all, and while the disk has less than `free_bytes` left."""

    older_than_ms: Mapping[Signal, int]
    max_bytes: Mapping[Signal | None, int]
    free_bytes: int = 0


class Vault:
    """Raises StorageFullError or StorageFailedError; `damage` says what was set aside."""

    def __init__(self, folder: Path, files: Segments, *, seal_rows: int) -> None:
        self._folder = folder
        self._journal = Journal(folder / "journal.sqlite")
        self._files = files
        self._seal_rows = seal_rows
        self._intake: Intake | None = None
        self._reopened = 0
        self._damage: list[str] = []
        self.kept = Kept()
        self._full = False
        self._ballast = Ballast(folder)
        self.forget_before_ms = 0

    @property
    def damage(self) -> list[str]:
        return self._journal.damage + self._damage

    def open(self) -> Intake:
        """Raises FolderError."""
        if self._intake is None:
            if _free(self._folder) < LEAST_TO_OPEN:
                self._ballast.release()
            self._load()
            self._reopened = self._journal.opened
            self._reconcile()
            self._intake = self._begun()
        return self._intake

    def _load(self) -> None:
        """Into memory what the journal's file holds."""
        chunks = [(signal, loose(chunk)) for signal, chunk in self._journal.chunks()]
        self.kept.replace(chunks, catalogue.listed(self._journal.connection()))

    def _begun(self) -> Intake:
        after = catalogue.next_after(self.kept.segments())
        return Intake(
            next_ids={signal: max(after[signal], known) for signal, known in self._journal.next_ids().items()},
            keys=self._journal.keys(),
            names=Names(*self._journal.names()),
            source=self._journal.source,
        )

    def _current(self) -> Intake:
        """What is known, after a failure of what the file has. Raises StorageFailedError."""
        self.open()
        self._follow()
        return self.open()

    def _follow(self) -> None:
        """Memory follows the file that was opened again after a failure: a transaction whose sync failed may be in it
        whole. Into a file that was begun anew everything that is in memory is put. Raises StorageFailedError."""
        try:
            self._journal.connection()
            if self._reopened != self._journal.opened and self._journal.begun_anew:
                self._journal.transaction(self._put_all)
            elif self._reopened != self._journal.opened:
                self._load()
                self._intake = self._begun() if self._intake else None
        except (FolderError, sqlite3.Error) as error:
            raise StorageFailedError(str(error)) from None
        self._reopened = self._journal.opened

    def _reconcile(self) -> None:
        """Files against the catalogue: what is gone is named, what it does not know is taken in if its rows are nowhere
        else, and removed if they are."""
        names = set(self._files.names())
        for segment in self.kept.segments():
            if segment.file not in names:
                self.lose(segment)
        known = {one.file for one in self.kept.segments()}
        for name in sorted(names - known):
            found = self._files.adopt(name)
            if found and self._held_elsewhere(found):
                self._files.remove(found)
            elif found:
                self._journal.transaction(partial(catalogue.put, segment=found, held={}))
                self.kept.list_all([*self.kept.segments(), found])
                log.warning("%s was not in the catalogue and is taken in", found.file)

    def _held_elsewhere(self, segment: Segment) -> bool:
        chunks, segments = self.kept.snapshot()
        others: list[Chunk | Segment] = [*chunks[segment.signal], *segments[segment.signal]]
        return any(one.first_id <= segment.last_id and segment.first_id <= one.last_id for one in others)

    def _transaction(self, act: Callable[[sqlite3.Connection], T]) -> T:
        self._follow()
        return self._journal.transaction(act)

    def _put_all(self, db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM batch")
        db.execute("DELETE FROM segment")
        chunks, segments = self.kept.snapshot()
        for signal in Signal:
            for chunk in chunks[signal]:
                frame = chunk.frame if chunk.frame is not None else pack(chunk.lines)
                put_chunk(db, signal, chunk, frame=frame, held={})
            for segment in segments[signal]:
                catalogue.put(db, segment, {})
        put_sources(db, self.open().sources)

    def append(self, batches: Sequence[Batch]) -> list[StoredRow]:
        intake = self._current()
        draft = intake.draft(batches)
        packed = [(signal, chunk, pack(chunk.lines)) for signal, chunk in draft.chunks()]
        try:
            self._transaction(lambda db: _put(db, draft, packed, intake.names))
        except StoreError as error:
            intake.forget()
            self._full = isinstance(error, StorageFullError)
            raise
        self._full = False
        intake.settle(draft)
        for signal, chunk, frame in packed:
            large = chunk.rows >= CHUNK_ROWS // 2
            self.kept.add(signal, msgspec.structs.replace(chunk, frame=frame, lines=()) if large else chunk)
        return draft.stored

    def place(self, source: str) -> Place:
        return self.open().source(source).place

    def metrics(self) -> list[MetricName]:
        return sorted(self.open().names.metrics.values(), key=lambda one: one.name)

    def size(self) -> Size:
        self.open()
        chunks, segments = self.kept.snapshot()
        logs: list[Segment | Chunk] = [*reversed(segments[Signal.LOG]), *chunks[Signal.LOG]]
        sealed = sum(one.bytes for listing in segments.values() for one in listing)
        return Size(
            rows=sum(one.rows for one in logs),
            bytes=self._journal.bytes() + sealed,
            oldest_id=logs[0].first_id if logs else None,
            newest_id=logs[-1].last_id if logs else None,
        )

    def usage(self) -> Usage:
        self.open()
        return Usage(counted(self.kept), self._journal.bytes())

    def due(self, signal: Signal) -> tuple[Chunk, ...]:
        """What is to be sealed now; nothing while it is not worth it."""
        self._current()
        hot = self.kept.hot[signal]
        aged = bool(hot.chunks) and time.monotonic() - hot.since > SEAL_SECONDS
        worth_it = hot.rows >= self._seal_rows or hot.size >= SEAL_BYTES or (self._full and hot.rows >= FULL_ROWS)
        if not (aged or worth_it):
            return ()
        self.kept.finish(signal)
        return hot.oldest(rows=self._seal_rows, size=SEAL_BYTES)

    def sealed(self, segment: Segment, last_id: int) -> None:
        """The segment is durable: it takes the place of the rows up to `last_id`."""
        self._transaction(lambda db: catalogue.put_sealed(db, segment, last_id))
        self.kept.seal(segment, last_id)
        self._journal.give_back()

    def lose(self, segment: Segment) -> None:
        """A segment that is damaged or gone: set aside, told of, and asked of its sources again."""
        if not self.kept.drop_segment(segment):
            return
        became = self._files.set_aside(segment)
        said = (
            f"{segment.file} was damaged: {became}; {segment.rows:,} {segment.signal} rows from"
            f" {rfc3339(segment.from_ms)} to {rfc3339(segment.to_ms)} are missing"
        )
        self._damage.append(said)
        log.error("%s", said)
        with contextlib.suppress(StoreError):
            self._transaction(lambda db: self._journal.unhold(db, catalogue.lost(db, segment)))
            self._transaction(lambda db: catalogue.drop(db, segment))
        if self._intake:
            self._intake.forget()

    def retain(self, limits: Limits) -> bool:
        """Rows too old are not shown from now on; they go from the disk a segment at a time, the oldest first."""
        self.open()
        self.forget_before_ms = min(limits.older_than_ms.values())
        try:
            more = self._let_go(limits)
        except StorageFullError:
            if not self.make_room():
                raise
            more = self._let_go(limits)
        self._ballast.hold()
        return more

    def make_room(self) -> bool:
        """On a full disk, once: the ballast goes, so that what frees room can run. False when it is gone already."""
        return self._ballast.release()

    def _let_go(self, limits: Limits) -> bool:
        segment = self._superfluous(limits)
        if segment:
            self._drop(segment)
            return True
        dropped = self._drop_unsealed(limits)
        self._journal.give_back()
        return dropped

    def _superfluous(self, limits: Limits) -> Segment | None:
        segments = self.kept.segments()
        total = self._journal.bytes() + sum(one.bytes for one in segments)
        sizes = {signal: sum(one.bytes for one in segments if one.signal is signal) for signal in Signal}
        short = _free(self._folder) < limits.free_bytes
        now_ms = int(time.time() * 1000)
        for one in segments:
            too_old = one.to_ms < limits.older_than_ms[one.signal]
            too_many = sizes[one.signal] > limits.max_bytes.get(one.signal, 2**63)
            if too_old or too_many or total > limits.max_bytes[None] or (short and one.to_ms < now_ms - YOUNG_MS):
                return one
        return None

    def _drop(self, segment: Segment) -> None:
        """First from the catalogue: a file that is left then is found at the next start."""
        self._transaction(lambda db: catalogue.drop(db, segment))
        self.kept.drop_segment(segment)
        self._files.remove(segment)
        log.info("dropped %s, %s rows", segment.file, f"{segment.rows:,}")

    def _drop_unsealed(self, limits: Limits) -> bool:
        too_large = self._journal.bytes() > limits.max_bytes[None]
        dropped = False
        for signal, hot in self.kept.hot.items():
            oldest = hot.chunks[0] if hot.chunks else None
            if oldest and (too_large or oldest.to_ms < limits.older_than_ms[signal]):
                self._transaction(partial(drop_chunks, signal=signal, last_id=oldest.last_id))
                self.kept.drop_chunk(signal, oldest)
                dropped = True
        return dropped

    def close(self) -> None:
        self._journal.close()


def _put(db: sqlite3.Connection, draft: Draft, packed: Sequence[tuple[Signal, Chunk, bytes]], names: Names) -> None:
    for signal, chunk, frame in packed:
        put_chunk(db, signal, chunk, frame=frame, held=draft.held if signal is Signal.LOG else {})
    put_sources(db, draft.sources)
    put_keys(db, draft.keys)
    put_names(db, names)


def _free(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 2**62
