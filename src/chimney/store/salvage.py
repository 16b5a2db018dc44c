"""What can be read of a damaged journal goes on in the new one: every frame that is whole.

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

from chimney.core.ranges import Held, merge
from chimney.store.frames import DamagedFrameError, Signal, unpack
from chimney.store.sqlite import open_remains

AT_ONCE = 50
LAST_SEQ = 2**40
_COLUMNS = "seq, signal, first_id, last_id, rows, from_ms, to_ms, size, held, frame"
decode_held = msgspec.json.Decoder(Held).decode
_READ = (
    f"SELECT {_COLUMNS} FROM batch WHERE seq >= ? AND seq < ?"  # noqa: S608 — nothing from outside
    f" ORDER BY seq DESC LIMIT {AT_ONCE}"
)
_WRITE = f"INSERT OR IGNORE INTO batch ({_COLUMNS}) VALUES ({', '.join('?' * 10)})"  # noqa: S608


def salvage(remains: Path, db: sqlite3.Connection, *, seconds: float) -> int:
    """Copies sources and frames into `db`, a new journal; returns how many records it could."""
    old = None
    try:
        old = open_remains(remains)
        db.execute("BEGIN IMMEDIATE")
        held: Held = {}
        kept = _copy(old, db, held, time.monotonic() + seconds)
        for name, epoch, boots in _sources(old):
            known_epoch, ranges = held.get(name, (epoch, []))
            values = (name, epoch, boots, msgspec.json.encode(ranges if known_epoch == epoch else []).decode())
            db.execute("INSERT OR IGNORE INTO source (name, epoch, boots, held) VALUES (?, ?, ?, ?)", values)
        for table in ("service", "metric", "segment"):
            _copy_table(old, db, table)
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


def _sources(old: sqlite3.Connection) -> list[tuple[str, int, str]]:
    """Name, epoch, starts met; those that read like ours."""
    with contextlib.suppress(sqlite3.DatabaseError):
        rows = old.execute("SELECT name, epoch, boots FROM source").fetchall()
        return [row for row in rows if isinstance(row[0], str) and isinstance(row[1], int) and _boots(row[2])]
    return []


def _boots(text: object) -> bool:
    try:
        msgspec.json.decode(str(text), type=list[str])
    except msgspec.DecodeError:
        return False
    return True


def _copy_table(old: sqlite3.Connection, db: sqlite3.Connection, table: str) -> None:
    """Small tables whole or not at all: what they hold is found again in time."""
    with contextlib.suppress(sqlite3.DatabaseError):
        rows = old.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 — a name of ours
        for row in rows:
            db.execute(f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608


def _copy(old: sqlite3.Connection, db: sqlite3.Connection, held: Held, deadline: float) -> int:
    kept = 0
    ranges = [(0, LAST_SEQ)]
    while ranges and time.monotonic() < deadline:
        low, high = ranges.pop()
        rows = _read(old, low, high)
        if rows is None:
            middle = (low + high) // 2
            ranges += [(low, middle), (middle, high)] if high - low > 1 else []
            continue
        if len(rows) == AT_ONCE:
            ranges.append((low, rows[-1][0]))
        for row in rows:
            if _sound(row, held) and db.execute(_WRITE, row).rowcount:
                kept += row[4]
    return kept


def _read(old: sqlite3.Connection, low: int, high: int) -> list[tuple[Any, ...]] | None:
    """The newest rows of a range; None when they cannot be read whole.

    A damaged page may give numbers out of order, or one so low that the walk down ends at it: it is then not met by the
    walk up.
    """
    try:
        rows = old.execute(_READ, (low, high)).fetchall()
        lowest = old.execute("SELECT min(seq) FROM batch WHERE seq >= ? AND seq < ?", (low, high)).fetchone()[0]
    except sqlite3.DatabaseError:
        return None
    numbers = [high, *(row[0] for row in rows), low - 1]
    whole = len(rows) == AT_ONCE or lowest == (rows[-1][0] if rows else None)
    return rows if whole and all(later > earlier for later, earlier in pairwise(numbers)) else None


def _sound(row: tuple[Any, ...], held: Held) -> bool:
    """Whether it is a frame of ours, by its checksum; notes the origins' ids in it."""
    _, signal, *numbers, told, frame = row
    if signal not in set(Signal) or not isinstance(frame, bytes) or not all(isinstance(one, int) for one in numbers):
        return False
    try:
        whole = len(unpack(frame)) == row[7]
        merge(held, decode_held(told))
    except (DamagedFrameError, msgspec.DecodeError, TypeError):
        return False
    return bool(whole)
