"""Health history in one file that both slots share: one of them probes at a time, both tell."""

import logging
import sqlite3
from collections.abc import Mapping

import msgspec

from chimney.store.database import Database
from chimney.wire.probe import ProbedMinute, ProbeResult

KEPT = 1_000  # results of each address, ~200 B each: about three hours at one every ten seconds
WEEK = 10_080  # minutes
log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ProbeResult).decode


class ProbeLog:
    """Raises StorageFullError or StorageFailedError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, results: Mapping[str, list[ProbeResult]]) -> None:
        rows = [(origin, one) for origin, many in results.items() for one in many]

        def put(db: sqlite3.Connection) -> None:
            for origin, one in rows:
                minute = int(one.at.timestamp() // 60)
                db.execute("INSERT INTO result (origin, result) VALUES (?, ?)", (origin, _encode(one)))
                db.execute(
                    "INSERT INTO minute VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE"
                    " SET good = good + excluded.good, made = made + 1",
                    (origin, minute, int(one.ok)),
                )
                db.execute("DELETE FROM minute WHERE minute <= ?", (minute - WEEK,))
            for origin in results:
                oldest = "SELECT seq FROM result WHERE origin = ? ORDER BY seq DESC LIMIT 1 OFFSET ?"
                db.execute(f"DELETE FROM result WHERE origin = ? AND seq <= ({oldest})", (origin, origin, KEPT))  # noqa: S608 — no values

        await self._database.run(put)

    async def latest(self, origin: str, count: int = KEPT) -> list[ProbeResult]:
        """Newest first; what cannot be read is left out."""
        statement = "SELECT result FROM result WHERE origin = ? ORDER BY seq DESC LIMIT ?"
        rows = await self._database.run(lambda db: db.execute(statement, (origin, count)).fetchall())
        return [one for (row,) in rows if (one := _result(row))]

    async def minutes(self, origin: str, *, since: int) -> list[ProbedMinute]:
        statement = "SELECT minute, good, made FROM minute WHERE origin = ? AND minute > ? ORDER BY minute"
        rows = await self._database.run(lambda db: db.execute(statement, (origin, since)).fetchall())
        return [ProbedMinute(minute=minute, good=good, made=made) for minute, good, made in rows]


def _result(row: bytes) -> ProbeResult | None:
    try:
        return _decode(row)
    except msgspec.DecodeError as error:
        log.warning("a stored probe cannot be read and is left out: %s", error)
        return None
