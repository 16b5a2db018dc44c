"""The catalogue of sealed segments, in the journal's file: a segment counts from the transaction that lists it."""

import contextlib
import sqlite3

import msgspec

from chimney.core.ranges import Held, merge
from chimney.store.frames import Signal
from chimney.store.journal import drop_chunks
from chimney.store.salvage import decode_held
from chimney.store.segments import Segment

_COLUMNS = "file, signal, first_id, last_id, rows, from_ms, to_ms, bytes, checksum, ids_checksum, sources, held"


def listed(db: sqlite3.Connection) -> list[Segment]:
    """Every segment, the oldest first."""
    statement = f"SELECT {_COLUMNS} FROM segment ORDER BY signal, first_id"  # noqa: S608
    return [_segment(row) for row in db.execute(statement)]


def _segment(row: tuple[object, ...]) -> Segment:
    known = dict(zip(_COLUMNS.split(", "), row, strict=True))
    del known["held"]
    sources = known["sources"]
    names = frozenset(msgspec.json.decode(sources, type=list[str])) if isinstance(sources, str) else None
    return msgspec.convert({**known, "sources": names}, Segment)


def put(db: sqlite3.Connection, segment: Segment, held: Held) -> None:
    known = msgspec.structs.asdict(segment)
    known["sources"] = None if segment.sources is None else msgspec.json.encode(sorted(segment.sources)).decode()
    known["held"] = msgspec.json.encode(held).decode()
    values = [known[name] for name in _COLUMNS.split(", ")]
    db.execute(f"INSERT OR REPLACE INTO segment ({_COLUMNS}) VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608


def put_sealed(db: sqlite3.Connection, segment: Segment, last_id: int) -> None:
    """The segment takes the place of the journal's frames up to `last_id`: both in this transaction."""
    held: Held = {}
    select = "SELECT held FROM batch WHERE signal = ? AND last_id <= ?"
    for (told,) in db.execute(select, (segment.signal, last_id)).fetchall():
        with contextlib.suppress(msgspec.DecodeError):
            merge(held, decode_held(told))
    put(db, segment, held)
    drop_chunks(db, segment.signal, last_id)


def drop(db: sqlite3.Connection, segment: Segment) -> None:
    db.execute("DELETE FROM segment WHERE file = ?", (segment.file,))


def lost(db: sqlite3.Connection, segment: Segment) -> Held:
    """What of each source was in it."""
    row = db.execute("SELECT held FROM segment WHERE file = ?", (segment.file,)).fetchone()
    with contextlib.suppress(msgspec.DecodeError, TypeError):
        return decode_held(row[0])
    return {}


def next_after(segments: list[Segment]) -> dict[Signal, int]:
    """The first id past those that are sealed."""
    return {signal: max((one.last_id + 1 for one in segments if one.signal is signal), default=1) for signal in Signal}
