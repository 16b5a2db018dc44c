"""The last records of a stream on disk, so that a restart does not forget what led to it.

Records are appended in chunks before anyone is shown them, so an id is never given twice, not even after SIGKILL
(the operating system keeps what was written; power loss may cost the ring, nothing else). A damaged file is set aside
as `*.corrupt-<time>` and a new ring begun. Both slots may append to the same file: ids come from it.
"""

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

from chimney.store.errors import FolderError
from chimney.store.sqlite import is_damage, set_aside

log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS chunk (first_id INTEGER PRIMARY KEY, last_id INTEGER NOT NULL, lines BLOB NOT NULL);
"""


class RingFile:
    """Blocking: call from a thread. Lines are JSON without a raw line break.

    An append that was given up (its task was cancelled) still runs in its thread: others, and closing, wait for it.
    After closing, an append is refused as by a full disk.

    Raises FolderError when the file cannot be used for another reason than damage; a busy one is not set aside.
    """

    def __init__(self, path: Path, *, keep: int) -> None:
        self._path = path
        self._keep = keep
        self._newest = 0
        self._one_at_a_time = threading.Lock()
        try:
            self._db = self._open()
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise FolderError(f"cannot use {path}: {error}") from None
            log.warning("the log ring was damaged (%s), set aside as %s", error, set_aside(path).name)
            self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=1.0, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode=TRUNCATE")
            db.execute("PRAGMA synchronous=OFF")
            db.executescript(_SCHEMA)
            for _ in db.execute("SELECT first_id, last_id, lines FROM chunk"):
                pass  # every page is read once, so what is damaged is met here and not by a reader
        except sqlite3.DatabaseError:
            db.close()
            raise
        return db

    def append(self, lines: Sequence[bytes]) -> int:
        """Keeps the lines and returns the id of the first; the others follow it one by one.

        When the disk refuses, the lines still get ids (they are then held in memory only) and `OSError` says why.
        """
        with self._one_at_a_time:
            try:
                first = self._insert(lines)
            except sqlite3.Error as error:
                self._newest += len(lines)
                raise OSError(str(error)) from error
            self._newest = first + len(lines) - 1
            return first

    def _insert(self, lines: Sequence[bytes]) -> int:
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            (stored,) = db.execute("SELECT coalesce(max(last_id), 0) FROM chunk").fetchone()
            first = max(stored, self._newest) + 1
            last = first + len(lines) - 1
            kept = lines[-self._keep :]
            db.execute("INSERT INTO chunk VALUES (?, ?, ?)", (last - len(kept) + 1, last, b"\n".join(kept)))
            db.execute("DELETE FROM chunk WHERE last_id <= ?", (last - self._keep,))
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # a full disk has rolled back by itself
                db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
        return int(first)

    @property
    def newest(self) -> int:
        """The id of the last line that was given one, by this process."""
        return self._newest

    def load(self) -> list[tuple[int, bytes]]:
        """All that is held, oldest first, at most `keep`; empty in a new ring."""
        rows: list[tuple[int, bytes]] = []
        for first, lines in self._db.execute("SELECT first_id, lines FROM chunk ORDER BY first_id"):
            rows.extend(enumerate(lines.split(b"\n"), start=first))
        held = rows[-self._keep :]
        self._newest = held[-1][0] if held else 0
        return held

    def close(self) -> None:
        with self._one_at_a_time:
            self._db.close()
