"""The journal: every log record, durable before anyone is shown it.

SQLite in WAL mode with `synchronous=FULL`: what `append` returned survives SIGKILL and power loss. One connection
writes, in one thread; readers are read-only connections in a thread of their own, so a long search delays no record.
A damaged file is set aside and a new one begun with what could be read of it; ids go on growing, from the clock.
"""

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec

from chimney.core.log_filter import LogFilter
from chimney.core.records import LEVEL_NAMES, Record, parse, rfc3339
from chimney.store.errors import FolderError, StorageFailedError, StorageFullError
from chimney.store.logs import Batch, Found, Incoming, Place, Size, StoredRow
from chimney.store.salvage import salvage
from chimney.store.search import histogram_of, search
from chimney.store.sqlite import in_our_words, open_reader, open_writer
from chimney.wire.telemetry import Histogram, LogRow

READ_SECONDS = 2.0
PRUNE_ROWS = 500  # ~5 ms a step: between two steps a batch may be stored
SALVAGE_SECONDS = 4.0  # the table is to be up within ten
BOOTS_KEPT = 16
_INSERT = (
    "INSERT OR IGNORE INTO log (ts_ms, level, source, epoch, origin_id, kind, message, logger, request_id, trace_id,"
    " fields) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_encode = msgspec.json.Encoder().encode
log = logging.getLogger(__name__)
T = TypeVar("T")


class Journal:
    """A LogStore. Nothing is opened before `open`."""

    def __init__(self, file: Path, *, read_seconds: float = READ_SECONDS) -> None:
        self._file = file
        self._read_seconds = read_seconds
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="journal-write")
        self._read_thread = ThreadPoolExecutor(1, thread_name_prefix="journal-read")
        self._db: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._sources: dict[str, tuple[int, Place]] = {}
        self._closed = False
        self.damage: str | None = None

    async def open(self) -> None:
        """Raises FolderError when the file cannot be used; `damage` then or later says what was set aside."""
        await self._in(self._write_thread, self._writer)

    async def append(self, batches: Sequence[Batch]) -> list[StoredRow]:
        return await self._in(self._write_thread, lambda: self._append(batches))

    async def read(
        self, wanted: LogFilter, *, limit: int, before: int | None = None, after: int | None = None
    ) -> Found:
        return await self._reading(
            lambda db: search(db, wanted, limit=limit, before=before, after=after, seconds=self._read_seconds)
        )

    async def histogram(self, wanted: LogFilter, *, width_ms: int) -> tuple[Histogram, bool]:
        return await self._reading(lambda db: histogram_of(db, wanted, width_ms=width_ms, seconds=self._read_seconds))

    async def place(self, source: str) -> Place:
        return await self._in(self._write_thread, lambda: self._source(self._writer(), source)[1])

    async def size(self) -> Size:
        return await self._in(self._write_thread, self._size)

    async def prune(self, *, older_than_ms: int, max_bytes: int) -> bool:
        """Drops some of the oldest records that are too old or too many; whether there may be more to drop."""
        return await self._in(self._write_thread, lambda: self._prune(older_than_ms, max_bytes))

    async def close(self) -> None:
        """Readers first: the last connection to close is the one that may checkpoint. May be called twice."""
        if self._closed:
            return
        self._closed = True
        await self._in(self._read_thread, self._close_reader)
        await self._in(self._write_thread, self._close_writer)
        self._read_thread.shutdown(wait=False)
        self._write_thread.shutdown(wait=False)

    async def _in(self, thread: ThreadPoolExecutor, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(thread, act)

    async def _reading(self, act: Callable[[sqlite3.Connection], T]) -> T:
        return await self._in(self._read_thread, lambda: self._read(act))

    # in the reading thread

    def _read(self, act: Callable[[sqlite3.Connection], T]) -> T:
        try:
            self._reader = self._reader or open_reader(self._file)
            return act(self._reader)
        except sqlite3.Error as error:
            self._close_reader()  # the file may have been replaced: the next reading opens it anew
            raise in_our_words(error, self._file) from error

    def _close_reader(self) -> None:
        if self._reader:
            self._reader.close()
        self._reader = None

    # in the writing thread

    def _writer(self) -> sqlite3.Connection:
        """The connection; opened again after a failure, with a damaged file set aside."""
        if self._db is None:
            db, damage = open_writer(self._file, "journal")
            if damage:
                kept = salvage(damage.aside, db, seconds=SALVAGE_SECONDS)
                self.damage = f"{damage.said}; {kept:,} of its records could be read and are here"
                log.error("%s", self.damage)
                first = int(time.time() * 1000)  # past every id of the file that was set aside
                db.execute("DELETE FROM sqlite_sequence WHERE name = 'log'")
                db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('log', ?)", (first,))
            self._sources.clear()
            self._db = db
        return self._db

    def _close_writer(self) -> None:
        if self._db:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
        self._db = None

    def _transaction(self, act: Callable[[sqlite3.Connection], T]) -> T:
        """All or nothing. A full disk leaves the connection as it is; any other failure has it opened anew."""
        try:
            db = self._writer()
        except FolderError as error:
            raise StorageFailedError(str(error)) from None
        try:
            db.execute("BEGIN IMMEDIATE")
            result = act(db)
            db.execute("COMMIT")
        except sqlite3.Error as error:
            self._sources.clear()
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            told = in_our_words(error, self._file)
            if not isinstance(told, StorageFullError):
                self._close_writer()
            raise told from error
        except BaseException:
            self._sources.clear()
            db.execute("ROLLBACK")
            raise
        return result

    def _source(self, db: sqlite3.Connection, name: str) -> tuple[int, Place]:
        """The source's number and place; number 0 while nothing of it is stored."""
        if name not in self._sources:
            row = db.execute("SELECT id, epoch, last_id, boots FROM source WHERE name = ?", (name,)).fetchone()
            if row is None:
                return 0, Place()
            self._sources[name] = row[0], Place(row[1], row[2], msgspec.json.decode(row[3], type=tuple[str, ...]))
        return self._sources[name]

    def _append(self, batches: Sequence[Batch]) -> list[StoredRow]:
        now_ms = int(time.time() * 1000)
        return self._transaction(lambda db: [one for batch in batches for one in self._store(db, batch, now_ms)])

    def _store(self, db: sqlite3.Connection, batch: Batch, now_ms: int) -> list[StoredRow]:
        number, place = self._source(db, batch.source)
        if not number:
            number = db.execute("INSERT INTO source (name) VALUES (?)", (batch.source,)).lastrowid or 0
        place = batch.place or place
        stored = []
        for incoming in batch.records:
            record = parse(incoming.data, now_ms=now_ms)
            values = _values(record, incoming, number, place.epoch)
            cursor = db.execute(_INSERT, values)
            if cursor.rowcount and cursor.lastrowid:
                stored.append(_stored(cursor.lastrowid, batch.source, incoming, record))
        last = max([place.last_id, *(one.origin_id for one in batch.records if one.origin_id is not None)])
        place = Place(place.epoch, last, place.boots[-BOOTS_KEPT:])
        db.execute(
            "UPDATE source SET epoch = ?, last_id = ?, boots = ? WHERE id = ?",
            (place.epoch, place.last_id, _encode(place.boots).decode(), number),
        )
        self._sources[batch.source] = number, place
        return stored

    def _size(self) -> Size:
        """The write-ahead log is not counted: it shrinks by no deletion, and journal_size_limit bounds it."""
        db = self._writer()
        oldest, newest = db.execute("SELECT min(id), max(id) FROM log").fetchone()
        pages, free, page = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in _PAGES)
        rows = newest - oldest + 1 if newest else 0
        return Size(rows=rows, bytes=(pages - free) * page, oldest_id=oldest, newest_id=newest)

    def _prune(self, older_than_ms: int, max_bytes: int) -> bool:
        too_large = self._size().bytes > max_bytes
        which, bound = ("id > ? ORDER BY id", 0) if too_large else ("ts_ms < ?", older_than_ms)
        delete = f"DELETE FROM log WHERE id IN (SELECT id FROM log WHERE {which} LIMIT {PRUNE_ROWS})"  # noqa: S608
        dropped = self._transaction(lambda db: db.execute(delete, (bound,)).rowcount)
        if dropped:
            self._writer().execute("PRAGMA incremental_vacuum(1000)").fetchall()
        return dropped == PRUNE_ROWS or (too_large and dropped > 0)


_PAGES = ("page_count", "freelist_count", "page_size")


def _values(record: Record, incoming: Incoming, source: int, epoch: int) -> tuple[object, ...]:
    return (
        record.ts_ms,
        record.level,
        source,
        epoch,
        incoming.origin_id,
        incoming.kind,
        record.message,
        record.logger,
        record.request_id,
        record.trace_id,
        _encode(record.fields).decode(),
    )


def _stored(row_id: int, source: str, incoming: Incoming, record: Record) -> StoredRow:
    row = LogRow(
        id=row_id,
        ts=rfc3339(record.ts_ms),
        level=LEVEL_NAMES[record.level],
        source=source,
        message=record.message,
        logger=record.logger,
        kind=incoming.kind,
        origin_id=incoming.origin_id,
        request_id=record.request_id,
        trace_id=record.trace_id,
        fields=record.fields,
    )
    return StoredRow(row, record.level, _encode(row))
