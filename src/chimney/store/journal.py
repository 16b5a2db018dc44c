"""The journal: what was acked is in it until it is in a sealed segment.

SQLite in WAL mode with `synchronous=FULL`: what a transaction committed survives SIGKILL and power loss. One
connection, used by one thread; nobody reads while it runs, for what it holds is in memory too (store/hot). A damaged
file is set aside and a new one begun with what could be read of it; ids go on growing, from the clock.
"""

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from chimney.core.ranges import Held, Ranges
from chimney.store.errors import FolderError, StorageFailedError, StorageFullError
from chimney.store.first_journal import move_log
from chimney.store.frames import DamagedFrameError, Signal, unpack
from chimney.store.hot import Chunk
from chimney.store.names import Names
from chimney.store.salvage import decode_held, salvage
from chimney.store.sqlite import aside_of, in_our_words, open_writer
from chimney.store.telemetry import Place
from chimney.wire.telemetry import MetricName

SALVAGE_SECONDS = 4.0  # the table is to be up within ten
KEY_SECONDS = 3600.0
_encode = msgspec.json.Encoder().encode
_PAGES = ("page_count", "freelist_count", "page_size")
_BATCH = (
    "INSERT INTO batch (signal, first_id, last_id, rows, from_ms, to_ms, size, held, frame)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
log = logging.getLogger(__name__)
T = TypeVar("T")


class Source(msgspec.Struct, frozen=True):
    """`held` are the ids of the source that are kept, of the present epoch."""

    place: Place
    held: Ranges


class Journal:
    """Blocking, for one thread. Raises StorageFullError or StorageFailedError.

    `damage` says what was set aside, `opened` how often the file was, `begun_anew` whether the last time began another.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._db: sqlite3.Connection | None = None
        self.damage: list[str] = []
        self.opened = 0
        self.begun_anew = False

    def connection(self) -> sqlite3.Connection:
        """The connection; opened again after a failure, with a damaged file set aside."""
        if self._db is None:
            db, damage = open_writer(self._file, "journal")
            if damage:
                kept = salvage(damage.aside, db, seconds=SALVAGE_SECONDS)
                self._tell(f"{damage.said}; {kept:,} of its records could be read and are here")
                self._begin_past(db)
            move_log(db)
            self._db = db
            self.opened += 1
            self.begun_anew = damage is not None
        return self._db

    def _begin_past(self, db: sqlite3.Connection) -> None:
        """Ids past every id of the file that was set aside."""
        for signal in Signal:
            known = db.execute("SELECT max(last_id) FROM batch WHERE signal = ?", (signal,)).fetchone()[0] or 0
            first = max(int(time.time() * 1000), known + 1_000_000)
            db.execute("INSERT OR REPLACE INTO signal VALUES (?, ?)", (signal, first))

    def _tell(self, said: str) -> None:
        self.damage.append(said)
        log.error("%s", said)

    def close(self) -> None:
        if self._db:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
        self._db = None

    def transaction(self, act: Callable[[sqlite3.Connection], T]) -> T:
        """All or nothing. A full disk leaves the connection as it is; any other failure has it opened anew."""
        try:
            db = self.connection()
        except FolderError as error:
            raise StorageFailedError(str(error)) from None
        try:
            db.execute("BEGIN IMMEDIATE")
            result = act(db)
            db.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            told = in_our_words(error, self._file)
            if not isinstance(told, StorageFullError):
                self.close()
            raise told from error
        except BaseException:
            db.execute("ROLLBACK")
            raise
        return result

    def chunks(self) -> Iterator[tuple[Signal, Chunk]]:
        """Everything that is not sealed, oldest first. A frame that is damaged is set aside, and named."""
        db = self.connection()
        columns = "seq, signal, first_id, last_id, rows, from_ms, to_ms, size, frame"
        damaged: list[tuple[int, Chunk]] = []
        for seq, signal, *values in db.execute(f"SELECT {columns} FROM batch ORDER BY seq"):  # noqa: S608
            chunk = Chunk(*values)
            try:
                if chunk.frame is None or signal not in set(Signal) or len(unpack(chunk.frame)) != chunk.size:
                    raise DamagedFrameError("it is not what was written")
            except DamagedFrameError:
                damaged.append((seq, chunk))
            else:
                yield Signal(signal), chunk
        if damaged:
            self._set_aside(damaged)

    def _set_aside(self, damaged: list[tuple[int, Chunk]]) -> None:
        rows = sum(chunk.rows for _, chunk in damaged)
        aside = aside_of(self._file)
        with contextlib.suppress(OSError):  # a full disk must not keep the rest from being read
            aside.write_bytes(b"".join(chunk.frame or b"" for _, chunk in damaged))
        self.transaction(lambda db: self._lose(db, [seq for seq, _ in damaged]))
        self._tell(f"{rows:,} records in {self._file.name} were damaged, set aside as {aside.name}")

    def _lose(self, db: sqlite3.Connection, numbers: list[int]) -> None:
        for number in numbers:
            (told,) = db.execute("SELECT held FROM batch WHERE seq = ?", (number,)).fetchone()
            with contextlib.suppress(msgspec.DecodeError):
                self.unhold(db, decode_held(told))
            db.execute("DELETE FROM batch WHERE seq = ?", (number,))

    def unhold(self, db: sqlite3.Connection, lost: Held) -> None:
        """Sources are asked again for these, from the beginning of what they hold."""
        for name, (epoch, ranges) in lost.items():
            source = self.source(name)
            if source.place.epoch == epoch:
                place = Place(epoch, 0, source.place.boots)
                put_sources(db, {name: Source(place, source.held.without(ranges))})

    def next_ids(self) -> dict[Signal, int]:
        found = dict(self.connection().execute("SELECT name, next_id FROM signal").fetchall())
        return {signal: found.get(signal, 1) for signal in Signal}

    def source(self, name: str) -> Source:
        row = (
            self.connection()
            .execute("SELECT epoch, last_id, boots, held FROM source WHERE name = ?", (name,))
            .fetchone()
        )
        if row is None:
            return Source(Place(), Ranges())
        place = Place(row[0], row[1], msgspec.json.decode(row[2], type=tuple[str, ...]))
        return Source(place, Ranges(msgspec.json.decode(row[3], type=list[tuple[int, int]])))

    def keys(self) -> dict[bytes, float]:
        return dict(self.connection().execute("SELECT key, at FROM taken").fetchall())

    def names(self) -> tuple[list[str], list[MetricName]]:
        """Services and metrics that were met."""
        db = self.connection()
        services = [name for (name,) in db.execute("SELECT name FROM service")]
        rows = db.execute("SELECT name, kind, labels FROM metric").fetchall()
        metrics = [
            MetricName(name=name, kind=kind, labels=msgspec.json.decode(labels, type=list[str]))
            for name, kind, labels in rows
        ]
        return services, metrics

    def bytes(self) -> int:
        """The write-ahead log is not counted: it shrinks by no deletion, and journal_size_limit bounds it."""
        db = self.connection()
        pages, free, page = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in _PAGES)
        return int((pages - free) * page)

    def give_back(self, *, keep_pages: int = 2_000) -> None:
        """Free pages past the first few go back to the file system, in small steps."""
        db = self.connection()
        (free,) = db.execute("PRAGMA freelist_count").fetchone()
        if free > keep_pages:
            db.execute(f"PRAGMA incremental_vacuum({min(free - keep_pages, 4_000)})").fetchall()


def put_chunk(db: sqlite3.Connection, signal: Signal, chunk: Chunk, *, frame: bytes, held: Held) -> None:
    told = _encode(held).decode()
    values = (signal, chunk.first_id, chunk.last_id, chunk.rows, chunk.from_ms, chunk.to_ms, chunk.size, told, frame)
    db.execute(_BATCH, values)
    db.execute("INSERT OR REPLACE INTO signal VALUES (?, ?)", (signal, chunk.last_id + 1))


def put_sources(db: sqlite3.Connection, sources: Mapping[str, Source]) -> None:
    rows = [
        (name, one.place.epoch, one.place.last_id, _encode(one.place.boots).decode(), _encode(one.held.ranges).decode())
        for name, one in sources.items()
    ]
    db.executemany(
        "INSERT INTO source (name, epoch, last_id, boots, held) VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
        " epoch = excluded.epoch, last_id = excluded.last_id, boots = excluded.boots, held = excluded.held",
        rows,
    )


def put_keys(db: sqlite3.Connection, keys: Sequence[bytes]) -> None:
    if keys:
        now = time.time()
        db.executemany("INSERT OR REPLACE INTO taken VALUES (?, ?)", [(key, now) for key in keys])
        db.execute("DELETE FROM taken WHERE at < ?", (now - KEY_SECONDS,))


def drop_chunks(db: sqlite3.Connection, signal: Signal, last_id: int) -> None:
    db.execute("DELETE FROM batch WHERE signal = ? AND last_id <= ?", (signal, last_id))


def put_names(db: sqlite3.Connection, names: Names) -> None:
    """Those that are new."""
    db.executemany("INSERT OR IGNORE INTO service VALUES (?)", [(name,) for name in names.new_services])
    metrics = [names.metrics[name] for name in names.new_metrics]
    rows = [(one.name, one.kind, _encode(one.labels).decode()) for one in metrics]
    db.executemany("INSERT OR REPLACE INTO metric VALUES (?, ?, ?)", rows)
