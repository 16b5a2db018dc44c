"""What can be read of a damaged journal goes on in the new one: everything but the damaged pages.

Newest first and within a deadline, so a large journal costs its oldest records, not the start of the table. A range
that cannot be read is halved until the unreadable rows are alone. Places begin at 0: the origins are asked again for
all that they hold, and what is here already is known by its id.
"""

import contextlib
import sqlite3
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from chimney.core.records import BEGINNING_MS, FUTURE_MS, LEVEL_NAMES
from chimney.store.sqlite import open_remains

AT_ONCE = 1_000
LAST_ID = 2**53
_COLUMNS = "id, ts_ms, level, source, epoch, origin_id, kind, message, logger, request_id, trace_id, fields"
_READ = (
    f"SELECT {_COLUMNS} FROM log NOT INDEXED WHERE id >= ? AND id < ?"  # noqa: S608 — nothing from outside
    f" ORDER BY id DESC LIMIT {AT_ONCE}"
)
_WRITE = f"INSERT OR IGNORE INTO log ({_COLUMNS}) VALUES ({', '.join('?' * 12)})"  # noqa: S608
_KINDS = ("log", "gap", "restart")


def salvage(remains: Path, db: sqlite3.Connection, *, seconds: float) -> int:
    """Copies sources and records into `db`, a new journal; returns how many records it could."""
    old = None
    try:
        old = open_remains(remains)
        sources = old.execute("SELECT id, name, epoch, boots FROM source").fetchall()
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO source (id, name, epoch, boots) VALUES (?, ?, ?, ?)", sources)
        kept = _copy(old, db, {source[0] for source in sources}, time.monotonic() + seconds)
        db.execute("COMMIT")
    except sqlite3.Error:
        with contextlib.suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        return 0
    else:
        return kept
    finally:
        if old:
            old.close()


def _copy(old: sqlite3.Connection, db: sqlite3.Connection, sources: set[int], deadline: float) -> int:
    kept = 0
    ranges = [(0, LAST_ID)]
    while ranges and time.monotonic() < deadline:
        low, high = ranges.pop()
        rows = _read(old, low, high)
        if rows is None:
            middle = (low + high) // 2
            ranges += [(low, middle), (middle, high)] if high - low > 1 else []
            continue
        if len(rows) == AT_ONCE:
            ranges.append((low, rows[-1][0]))
        kept += db.executemany(_WRITE, [row for row in rows if row[3] in sources and _sound(row)]).rowcount
    return kept


def _read(old: sqlite3.Connection, low: int, high: int) -> list[tuple[Any, ...]] | None:
    """The newest rows of a range; None when they cannot be read whole.

    A damaged page may give ids out of order, or one so low that the walk down ends at it: it is then not met by the
    walk up.
    """
    try:
        rows = old.execute(_READ, (low, high)).fetchall()
        lowest = old.execute("SELECT min(id) FROM log NOT INDEXED WHERE id >= ? AND id < ?", (low, high)).fetchone()[0]
    except sqlite3.DatabaseError:
        return None
    ids = [high, *(row[0] for row in rows), low - 1]
    whole = len(rows) == AT_ONCE or lowest == (rows[-1][0] if rows else None)
    return rows if whole and all(later > earlier for later, earlier in pairwise(ids)) else None


def _sound(row: tuple[Any, ...]) -> bool:
    """Whether it reads like a record of ours: a damaged page may also give rows that never were."""
    _, ts_ms, level, _, epoch, _, kind, message, logger, _, _, fields = row
    if not all(isinstance(one, int) for one in (ts_ms, level, epoch)) or level not in LEVEL_NAMES:
        return False
    if kind not in _KINDS or not all(isinstance(one, str) for one in (message, logger, fields)):
        return False
    try:
        return isinstance(msgspec.json.decode(fields), dict) and BEGINNING_MS <= ts_ms <= time.time() * 1000 + FUTURE_MS
    except (msgspec.DecodeError, RecursionError):
        return False
