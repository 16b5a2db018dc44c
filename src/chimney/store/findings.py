"""Findings that were told, and the silences of findings, in the table's small state."""

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from chimney.store.database import Database
from chimney.wire.base import stamp
from chimney.wire.finding import Alert, Change, Finding, PastFinding, Silence

KEPT = 20_000  # ~1 kB each
log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_alert = msgspec.json.Decoder(Alert).decode
_silence = msgspec.json.Decoder(Silence).decode
_UPDATE = "UPDATE finding SET data = ?, resolved_at = ? WHERE id = ? AND resolved_at IS NULL"
_INSERT = "INSERT INTO finding (id, code, origin, since, resolved_at, data) VALUES (?, ?, ?, ?, ?, ?)"


class FindingLog:
    """Raises StorageFullError or StorageFailedError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, alerts: Sequence[Alert]) -> None:
        """What fired, changed and was resolved, in this order. One whose firing was never kept is kept all the same."""

        def put(db: sqlite3.Connection) -> None:
            for alert in alerts:
                finding, at = alert.finding, alert.at.timestamp()
                resolved = at if alert.change is Change.RESOLVED else None
                first = db.execute("SELECT data FROM finding WHERE id = ? AND resolved_at IS NULL", (finding.id,))
                known = next(_alerts(first), None)
                data = _encode(msgspec.structs.replace(alert, at=known.at if known else alert.at))
                if db.execute(_UPDATE, (data, resolved, finding.id)).rowcount == 0:
                    row = (finding.id, finding.code, finding.origin, finding.since.timestamp(), resolved, data)
                    db.execute(_INSERT, row)
            db.execute("DELETE FROM finding WHERE seq <= (SELECT max(seq) FROM finding) - ?", (KEPT,))

        await self._database.run(put)

    async def current(self) -> list[Finding]:
        """Those that were not resolved when the table ended."""
        statement = "SELECT data FROM finding WHERE resolved_at IS NULL ORDER BY seq"
        rows = await self._database.run(lambda db: db.execute(statement).fetchall())
        return [alert.finding for alert in _alerts(rows)]

    async def past(
        self,
        *,
        from_seconds: float,
        to_seconds: float,
        code: str | None,
        origin: str | None,
        limit: int,
        before: int | None,
    ) -> tuple[list[PastFinding], int | None]:
        """Those that are over and were current in that time, the last told first; and where the next page begins."""
        statement = (
            "SELECT seq, resolved_at, data FROM finding WHERE resolved_at >= ? AND since < ? AND seq < ?"
            " AND (? IS NULL OR code = ?) AND (? IS NULL OR origin = ?) ORDER BY seq DESC LIMIT ?"
        )
        asked = (from_seconds, to_seconds, before or 2**62, code, code, origin, origin, limit + 1)
        rows = await self._database.run(lambda db: db.execute(statement, asked).fetchall())
        found = [_past(alert, at) for _, at, data in rows[:limit] for alert in _alerts([(data,)])]
        return found, rows[limit - 1][0] if len(rows) > limit else None

    async def silence(self, finding_id: str, silence: Silence | None, *, now: float) -> None:
        """None ends it. Those that are over are forgotten."""

        def put(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM silence WHERE finding = ? OR until < ?", (finding_id, now))
            if silence:
                row = (finding_id, silence.until.timestamp(), _encode(silence))
                db.execute("INSERT INTO silence (finding, until, data) VALUES (?, ?, ?)", row)

        await self._database.run(put)

    async def silences(self) -> dict[str, Silence]:
        rows = await self._database.run(lambda db: db.execute("SELECT finding, data FROM silence").fetchall())
        return {finding_id: _silence(data) for finding_id, data in rows}


def _alerts(rows: Iterable[tuple[bytes]]) -> Iterator[Alert]:
    """Without the rows of another version, or damaged ones: they are left where they are."""
    for (data,) in rows:
        try:
            yield _alert(data)
        except msgspec.DecodeError as error:
            log.warning("a kept finding cannot be read and is left out: %s", error)


def _past(alert: Alert, resolved_at: float) -> PastFinding:
    finding = alert.finding
    return PastFinding(
        **{name: getattr(finding, name) for name in finding.__struct_fields__},
        fired_at=alert.at,
        resolved_at=stamp(resolved_at),
        duration_seconds=round(max(0.0, resolved_at - finding.since.timestamp()), 1),
    )
