"""What the table keeps of errors and deployments beyond the telemetry itself, in its small state."""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from chimney.store.database import Database
from chimney.wire.errors import ErrorGroup
from chimney.wire.origin import PlacedDeployment

log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_group = msgspec.json.Decoder(ErrorGroup).decode
_deployment = msgspec.json.Decoder(PlacedDeployment).decode
T = TypeVar("T")


def _read(decode: Callable[[bytes], T], data: bytes) -> T | None:
    """None for a row of another version: it is left where it is, and the rest is told."""
    try:
        return decode(data)
    except msgspec.DecodeError as error:
        log.warning("a kept row cannot be read and is left out: %s", error)
        return None


class ErrorLog:
    """Error groups. Raises StorageFullError or StorageFailedError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, most: int) -> tuple[list[ErrorGroup], int]:
        """The groups, last seen last, and the last log record that they count; 0 before the first."""

        def select(db: sqlite3.Connection) -> tuple[list[bytes], int]:
            newest = "SELECT data, last_seen FROM error_group ORDER BY last_seen DESC LIMIT ?"
            rows = db.execute(f"SELECT data FROM ({newest}) ORDER BY last_seen", (most,))  # noqa: S608 — no values
            mark = db.execute("SELECT log_id FROM error_mark").fetchone()
            return [data for (data,) in rows], mark[0] if mark else 0

        found, mark = await self._database.run(select)
        return [group for data in found if (group := _read(_group, data))], mark

    async def save(self, groups: Sequence[ErrorGroup], *, dropped: Sequence[str], log_id: int) -> None:
        rows = [(one.id, one.last_seen.timestamp(), _encode(one)) for one in groups]

        def put(db: sqlite3.Connection) -> None:
            db.executemany("INSERT OR REPLACE INTO error_group VALUES (?, ?, ?)", rows)
            db.executemany("DELETE FROM error_group WHERE id = ?", [(one,) for one in dropped])
            db.execute("INSERT OR REPLACE INTO error_mark VALUES (1, ?)", (log_id,))

        await self._database.run(put)


class DeploymentLog:
    """Deployments of all origins. Raises StorageFullError or StorageFailedError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest(self, most: int) -> list[PlacedDeployment]:
        """Newest first."""
        statement = "SELECT data FROM deployment ORDER BY started_at DESC LIMIT ?"
        rows = await self._database.run(lambda db: db.execute(statement, (most,)).fetchall())
        return [one for (data,) in rows if (one := _read(_deployment, data))]

    async def save(self, deployments: Sequence[PlacedDeployment]) -> None:
        rows = [(one.origin, one.id, one.started_at.timestamp(), _encode(one)) for one in deployments]
        statement = "INSERT OR REPLACE INTO deployment VALUES (?, ?, ?, ?)"
        await self._database.run(lambda db: db.executemany(statement, rows))
