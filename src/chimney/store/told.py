"""What GitHub was told of our deployments, kept where both slots see it."""

import sqlite3
from collections.abc import Sequence

import msgspec

from chimney.core.github_deployment import Told
from chimney.store.database import Database

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Told).decode


class ToldLog:
    """Raises StorageFullError or StorageFailedError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, deployments: Sequence[str]) -> dict[str, Told]:
        marks = ", ".join("?" * len(deployments))
        statement = f"SELECT deployment, told FROM github_deployment WHERE deployment IN ({marks})"  # noqa: S608 — marks
        rows = await self._database.run(lambda db: db.execute(statement, tuple(deployments)).fetchall())
        return {deployment: _decode(row) for deployment, row in rows}

    async def take(self, deployment: str, holder: str, *, now: float, seconds: float) -> Told | None:
        """What was told, when nobody else is telling just now: then `holder` may for so many seconds."""

        def take(db: sqlite3.Connection) -> Told | None:
            cursor = db.execute(
                "INSERT INTO github_deployment VALUES (?, ?, ?, ?) ON CONFLICT (deployment) DO UPDATE"
                " SET holder = excluded.holder, until = excluded.until WHERE holder = excluded.holder OR until < ?",
                (deployment, _encode(Told()), holder, now + seconds, now),
            )
            if cursor.rowcount != 1:
                return None
            [row] = db.execute("SELECT told FROM github_deployment WHERE deployment = ?", (deployment,)).fetchone()
            return _decode(row)

        return await self._database.run(take)

    async def put(self, deployment: str, told: Told) -> None:
        """What GitHub knows now; others may go on telling."""
        statement = "UPDATE github_deployment SET told = ?, until = 0 WHERE deployment = ?"
        await self._database.run(lambda db: db.execute(statement, (_encode(told), deployment)))
