"""The last records of a stream on disk, so that a restart does not forget what led to it.

Records are appended in chunks before anyone is shown them, so an id is never given twice, not even after SIGKILL
(the operating system keeps what was written; power loss may cost the ring, nothing else). A damaged file is set aside
as `*.corrupt-<time>` and a new ring begun: by the clock, so that its ids are higher than all that were given before.
Both slots append to the same file: ids come from it, and each is told what the other one appended, in order.
"""

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from chimney.core.resume import Hole
from chimney.store.errors import FolderError
from chimney.store.sqlite import is_damage, set_aside

PAGE_BYTES = 16 * 1024  # a chunk of a busy second has 600 kB: in pages of 4 kB it costs twice as much
log = logging.getLogger(__name__)
HOLES = 100  # the latest that are remembered, beside the beginning

_SCHEMA = """
CREATE TABLE IF NOT EXISTS chunk (first_id INTEGER PRIMARY KEY, last_id INTEGER NOT NULL, lines BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS hole (first_id INTEGER PRIMARY KEY, after_id INTEGER NOT NULL);
"""
_INSERT = "INSERT OR IGNORE INTO chunk VALUES (?, ?, ?)"

Numbered = tuple[int, bytes]


class Kept(NamedTuple):
    """`first` is the id of the first line. `others` is what another process appended before, since the last look."""

    first: int
    others: list[Numbered]


def by_clock() -> int:
    """An id that is higher than every one given before it: no process gives a million a second for long."""
    return int(time.time() * 1_000_000)


class _GarbledError(Exception):
    """SQLite takes it for sound, and it is not what was written."""


class RingFile:
    """Blocking: call from a thread. Lines are JSON without a raw line break.

    An append that was given up (its task was cancelled) still runs in its thread: others, and closing, wait for it.
    After closing, an append is refused as by a full disk.

    `clock` gives the first id of a new ring.

    Raises FolderError when the file cannot be used for another reason than damage; a busy one is not set aside.
    """

    def __init__(self, path: Path, *, keep: int, clock: Callable[[], int] = by_clock) -> None:
        self._path = path
        self._keep = keep
        self._clock = clock
        self._newest = 0
        self._version = 0
        self.holes: list[Hole] = []
        self._one_at_a_time = threading.Lock()
        try:
            self._db = self._open()
        except (sqlite3.DatabaseError, _GarbledError) as error:
            if isinstance(error, sqlite3.DatabaseError) and not is_damage(error):
                raise FolderError(f"cannot use {path}: {error}") from None
            log.warning("the log ring was damaged (%s), set aside as %s", error, set_aside(path).name)
            self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=1.0, isolation_level=None, check_same_thread=False)
        try:
            db.execute(f"PRAGMA page_size={PAGE_BYTES}")  # of a new file
            db.execute("PRAGMA journal_mode=PERSIST")
            db.execute("PRAGMA synchronous=OFF")
            db.executescript(_SCHEMA)
            for first, last, lines in db.execute("SELECT first_id, last_id, lines FROM chunk"):
                # every page is read once, so what is damaged is met here and not by a reader
                if not isinstance(lines, bytes) or lines.count(b"\n") != last - first:
                    raise _GarbledError("a chunk is malformed")
            self._newest = self._stored(db)
            self.holes = self._read_holes(db)
        except (sqlite3.DatabaseError, _GarbledError):
            db.close()
            raise
        return db

    def _stored(self, db: sqlite3.Connection) -> int:
        (newest,) = db.execute("SELECT coalesce(max(last_id), 0) FROM chunk").fetchone()
        return int(newest)

    def _read_holes(self, db: sqlite3.Connection) -> list[Hole]:
        return [Hole(*row) for row in db.execute("SELECT after_id, first_id FROM hole ORDER BY first_id")]

    def append(self, lines: Sequence[bytes], *, least: int = 0) -> Kept:
        """Keeps the lines. Their ids follow the newest one by one, unless `least` asks for higher ones.

        When the disk refuses, the lines still get ids (they are then held in memory only) and `OSError` says why.
        """
        with self._one_at_a_time:
            try:
                return self._insert(lines, least)
            except sqlite3.Error as error:
                self._newest = max(self._newest, least - 1) + len(lines)
                raise OSError(str(error)) from error

    def _insert(self, lines: Sequence[bytes], least: int) -> Kept:
        db = self._db
        with self._transaction():
            others = self._others()
            before = others[-1][0] if others else self._newest
            first = max(before + 1, 0 if others else least) if before else max(self._clock(), least)
            last = first + len(lines) - 1
            kept = lines[-self._keep :]
            db.execute(_INSERT, (last - len(kept) + 1, last, b"\n".join(kept)))
            if first > before + 1:
                self._note(Hole(before, first))
            self._forget(last)
        self._newest = last
        return Kept(first, others)

    def insert(self, first: int, lines: Sequence[bytes], *, before: int, alone: bool = False) -> None:
        """Keeps lines whose ids another store gave; `before` is the id that it gave last before them, `alone` says
        that some before them are not known here, so that what is held is forgotten.

        What is held of them already stays as it is. Raises OSError; the lines are then held in memory only.
        """
        last = first + len(lines) - 1
        with self._one_at_a_time:
            try:
                with self._transaction():
                    if before + 1 < first:
                        self._note(Hole(before, first))
                    if alone:
                        self._db.execute("DELETE FROM chunk WHERE last_id < ?", (first,))
                    if self._stored(self._db) < first:
                        self._db.execute(_INSERT, (first, last, b"\n".join(lines)))
                        self._forget(last)
            except sqlite3.Error as error:
                raise OSError(str(error)) from error
            finally:
                self._newest = max(self._newest, last)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # a full disk has rolled back by itself
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _note(self, hole: Hole) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO hole (first_id, after_id) VALUES (?, ?)", (hole.first_id, hole.after_id)
        )
        self._db.execute(
            "DELETE FROM hole WHERE after_id > 0"
            " AND first_id NOT IN (SELECT first_id FROM hole ORDER BY first_id DESC LIMIT ?)",
            (HOLES,),
        )
        self.holes = self._read_holes(self._db)

    def _forget(self, last: int) -> None:
        """Chunks without one of the last `keep` lines."""
        if not self.holes or not self.holes[-1].after_id or self.holes[-1].first_id <= last - self._keep:
            self._db.execute("DELETE FROM chunk WHERE last_id <= ?", (last - self._keep,))
            return
        kept = 0  # there is a hole among them: they have to be counted
        for first_id, last_id in self._db.execute("SELECT first_id, last_id FROM chunk ORDER BY first_id DESC"):
            if kept >= self._keep:
                self._db.execute("DELETE FROM chunk WHERE first_id <= ?", (first_id,))
                return
            kept += last_id - first_id + 1

    def _others(self) -> list[Numbered]:
        """What is stored behind the newest that we know: another process put it there."""
        found: list[Numbered] = []
        for first, lines in self._db.execute(
            "SELECT first_id, lines FROM chunk WHERE first_id > ? ORDER BY first_id", (self._newest,)
        ):
            found.extend(enumerate(lines.split(b"\n"), start=first))
        if found:
            self.holes = self._read_holes(self._db)
        return found

    def news(self) -> list[Numbered]:
        """What another process appended since the last look. Costs microseconds when nothing was. Raises OSError."""
        with self._one_at_a_time:
            try:
                (version,) = self._db.execute("PRAGMA data_version").fetchone()
                if version == self._version:
                    return []
                others = self._others()
                self._version = version
            except sqlite3.Error as error:
                raise OSError(str(error)) from error
            if others:
                self._newest = others[-1][0]
            return others

    @property
    def newest(self) -> int:
        """The id of the last line that was given one, as far as this process knows."""
        return self._newest

    def load(self) -> list[Numbered]:
        """All that is held, oldest first, at most `keep`; empty in a new ring."""
        rows: list[Numbered] = []
        for first, lines in self._db.execute("SELECT first_id, lines FROM chunk ORDER BY first_id"):
            rows.extend(enumerate(lines.split(b"\n"), start=first))
        held = rows[-self._keep :]
        self._newest = max(self._newest, held[-1][0]) if held else self._newest
        return held

    def close(self) -> None:
        with self._one_at_a_time:
            self._db.close()
