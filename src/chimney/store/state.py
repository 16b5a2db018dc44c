"""The origin's small state that must never be lost: deploy reports, and the audit of what was asked.

Both slots may have the file open at once, so it keeps a rollback journal with full syncs.
"""

import logging
import sqlite3
import time
from collections.abc import Sequence

import msgspec

from chimney.store.database import Database
from chimney.store.ports import Kept
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

    async def add(self, report: DeployReport, *, at: float | None = None) -> bool:
        """True when the report is new and durable now, False when its id was known. `at`: when it came, else now."""

        def insert(db: sqlite3.Connection) -> bool:
            cursor = db.execute(
                "INSERT OR IGNORE INTO deploy_report (id, received_at, report) VALUES (?, ?, ?)",
                (report.id, at or time.time(), _encode(report)),
            )
            return cursor.rowcount == 1

        return await self._database.run(insert)

    async def adopt(self, kept: Sequence[Kept]) -> None:
        """Keeps what another replica took, in the place of whatever is held here under the same ids."""
        rows = [(one.report.id, one.received_at, _encode(one.report)) for one in kept]
        statement = "INSERT OR REPLACE INTO deploy_report (id, received_at, report) VALUES (?, ?, ?)"
        await self._database.run(lambda db: db.executemany(statement, rows))

    async def ids(self) -> set[str]:
        rows = await self._database.run(lambda db: db.execute("SELECT id FROM deploy_report").fetchall())
        return {name for (name,) in rows}

    async def mark(self) -> int:
        """Another number after every change, also one that the other slot made."""
        [newest] = await self._database.run(
            lambda db: db.execute("SELECT coalesce(max(seq), 0) FROM deploy_report").fetchone()
        )
        return int(newest)

    async def latest(self, count: int) -> list[DeployReport]:
        """The latest reports, oldest first; empty when there are none."""
        return [one.report for one in await self.kept(count)]

    async def kept(self, count: int) -> list[Kept]:
        """The latest reports with the times at which they came, oldest first."""

        def select(db: sqlite3.Connection) -> list[Kept]:
            newest_first = "SELECT received_at, seq, report FROM deploy_report ORDER BY received_at DESC, seq DESC"
            rows = db.execute(f"{newest_first} LIMIT ?", (count,)).fetchall()
            return [Kept(report, at) for at, _, row in reversed(rows) if (report := _report(row))]

        return await self._database.run(select)
