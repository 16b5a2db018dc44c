"""How the table's probes went, by origin and minute, so that a restart does not forget the last 24 hours."""

import sqlite3
from collections.abc import Sequence

import msgspec

from chimney.store.database import Database


class ProbedMinute(msgspec.Struct, frozen=True):
    """`minute` counts from the Unix epoch; `good` of `made` probes succeeded in it."""

    minute: int
    good: int
    made: int


class Uptime:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, origin: str, minute: int) -> list[ProbedMinute]:
        """Oldest first."""
        statement = "SELECT minute, good, made FROM probe WHERE origin = ? AND minute >= ? ORDER BY minute"
        rows = await self._database.run(lambda db: db.execute(statement, (origin, minute)).fetchall())
        return [ProbedMinute(*row) for row in rows]

    async def keep(self, origin: str, minutes: Sequence[ProbedMinute], *, drop_before: int) -> None:
        rows = [(origin, one.minute, one.good, one.made) for one in minutes]

        def put(db: sqlite3.Connection) -> None:
            db.executemany("INSERT OR REPLACE INTO probe VALUES (?, ?, ?, ?)", rows)
            db.execute("DELETE FROM probe WHERE minute < ?", (drop_before,))

        await self._database.run(put)
