"""What GitHub was told of our deployments, kept where both slots see it."""

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

    async def put(self, deployment: str, told: Told) -> None:
        """What GitHub knows now."""
        statement = "INSERT OR REPLACE INTO github_deployment (deployment, told) VALUES (?, ?)"
        await self._database.run(lambda db: db.execute(statement, (deployment, _encode(told))))
