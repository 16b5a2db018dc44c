"""The audit log: rows are added, never changed, and each carries the hash of the one before it."""

import hashlib
import sqlite3

import msgspec

from chimney.store.database import Database
from chimney.wire.audit import AuditRecord

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(AuditRecord).decode
_EVERYTHING = "SELECT seq, record, hash FROM audit ORDER BY seq"
Pair = tuple[AuditRecord, AuditRecord | None]


class AuditLog:
    """Raises StorageFullError or StorageFailedError: what cannot be recorded must not be done."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, record: AuditRecord) -> AuditRecord:
        """The record as it is kept: with its id and its hash. Durable when this returns."""

        def insert(db: sqlite3.Connection) -> AuditRecord:
            last = db.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
            number, before = (last[0] + 1, last[1]) if last else (1, "")
            numbered = msgspec.structs.replace(record, id=number, hash="")
            kept = msgspec.structs.replace(numbered, hash=chained(before, numbered))
            row = (number, record.at.timestamp(), record.act, _encode(kept), kept.hash, record.of)
            db.execute("INSERT INTO audit (seq, at, act, record, hash, of) VALUES (?, ?, ?, ?, ?, ?)", row)
            return kept

        return await self._database.run(insert)

    async def page(self, *, limit: int, before: int | None) -> tuple[list[AuditRecord], int | None]:
        """Newest first, and where the next page begins; None when that was the last."""

        def select(db: sqlite3.Connection) -> list[AuditRecord]:
            statement = "SELECT record FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT ?"
            return [_decode(row) for (row,) in db.execute(statement, (before or 2**62, limit + 1))]

        found = await self._database.run(select)
        return found[:limit], found[limit - 1].id if len(found) > limit else None

    async def acts(self, *, limit: int, before: int | None) -> tuple[list[Pair], int | None]:
        """As `page`, each record with its outcome; None where that is not known. Outcomes do not stand alone."""

        def select(db: sqlite3.Connection) -> list[Pair]:
            statement = (
                "SELECT one.record, outcome.record FROM audit one LEFT JOIN audit outcome ON outcome.of = one.seq"
                " WHERE one.of IS NULL AND one.seq < ? ORDER BY one.seq DESC LIMIT ?"
            )
            rows = db.execute(statement, (before or 2**62, limit + 1))
            return [(_decode(asked), _decode(outcome) if outcome else None) for asked, outcome in rows]

        found = await self._database.run(select)
        return found[:limit], found[limit - 1][0].id if len(found) > limit else None

    async def broken(self) -> int | None:
        """The first record that was changed, or before which one is missing; None when the chain is whole."""

        def check(db: sqlite3.Connection) -> int | None:
            before = ""
            for place, (number, row, kept) in enumerate(db.execute(_EVERYTHING), start=1):
                record = _decode(row)
                if number != place or record.hash != kept or chained(before, record) != kept:
                    return int(number)
                before = kept
            return None

        return await self._database.run(check)


def chained(before: str, record: AuditRecord) -> str:
    """The hash of a record whose own `hash` is empty, after one whose hash is `before`."""
    return hashlib.sha256(before.encode() + _encode(msgspec.structs.replace(record, hash=""))).hexdigest()
