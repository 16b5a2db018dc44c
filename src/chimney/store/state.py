"""The origin's small state that must never be lost: deploy reports.

Both slots may have the file open at once, so it keeps a rollback journal with full syncs.
"""

import logging
import sqlite3
import time

import msgspec

from chimney.store.database import Database
from chimney.wire.deployment import DeployReport

log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(DeployReport).decode


def _report(row: bytes) -> DeployReport | None:
    """None for a row of another version, or a damaged one: it is left where it is, and the rest is told."""
    try:
        return _decode(row)
    except msgspec.DecodeError as error:
        log.warning("a stored deploy report cannot be read and is left out: %s", error)
        return None


class ReportLog:
    """Deploy reports by id, in the order in which they came. Raises StorageFullError or StorageFailedError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, report: DeployReport) -> bool:
        """True when the report is new and durable now, False when its id was known."""

        def insert(db: sqlite3.Connection) -> bool:
            cursor = db.execute(
                "INSERT OR IGNORE INTO deploy_report (id, received_at, report) VALUES (?, ?, ?)",
                (report.id, time.time(), _encode(report)),
            )
            return cursor.rowcount == 1

        return await self._database.run(insert)

    async def latest(self, count: int) -> list[DeployReport]:
        """The latest reports, oldest first; empty when there are none."""

        def select(db: sqlite3.Connection) -> list[DeployReport]:
            newest_first = "SELECT seq, report FROM deploy_report ORDER BY seq DESC LIMIT ?"
            rows = db.execute(f"SELECT report FROM ({newest_first}) ORDER BY seq", (count,))  # noqa: S608 — no values
            return [report for (row,) in rows if (report := _report(row))]

        return await self._database.run(select)
