"""What deployments did, as the table found: the looks at each, in its small state."""

import logging
import sqlite3

import msgspec

from chimney.store.database import Database
from chimney.wire.verdict import VerdictCheck

log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_checks = msgspec.json.Decoder(list[VerdictCheck]).decode
Key = tuple[str, str]


class VerdictLog:
    """Looks by origin and deployment. Raises StorageFullError or StorageFailedError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, most: int) -> dict[Key, list[VerdictCheck]]:
        """The newest."""
        statement = "SELECT origin, deployment, data FROM verdict ORDER BY at DESC LIMIT ?"
        rows = await self._database.run(lambda db: db.execute(statement, (most,)).fetchall())
        found = {}
        for origin, deployment, data in rows:
            try:
                found[origin, deployment] = _checks(data)
            except msgspec.DecodeError as error:
                log.warning("a kept verdict cannot be read and is left out: %s", error)
        return found

    async def save(self, key: Key, checks: list[VerdictCheck]) -> None:
        row = (*key, checks[-1].at.timestamp(), _encode(checks))

        def put(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO verdict VALUES (?, ?, ?, ?)", row)

        await self._database.run(put)
