"""What edges answered visitors in the last minute, by their access logs as they are stored."""

from collections.abc import Sequence

from chimney.core.traffic import Traffic
from chimney.store.telemetry import StoredRow
from chimney.table.measure import ASKED_BY_US
from chimney.wire.health import ErrorWindow

SUFFIX = ":edge"  # of the source that the access log of an origin's edge is kept under
WINDOW_SECONDS = 60


class EdgeTraffic:
    """`hear` never waits."""

    def __init__(self) -> None:
        self._traffic: dict[str, Traffic] = {}

    def hear(self, stored: Sequence[StoredRow]) -> None:
        for one in stored:
            row = one.row
            if not row.source.endswith(SUFFIX) or str(row.fields.get("user_agent", "")).startswith(ASKED_BY_US):
                continue
            status = row.fields.get("status")
            failed = isinstance(status, int) and status >= 500
            traffic = self._traffic.setdefault(row.source, Traffic(window_seconds=WINDOW_SECONDS))
            traffic.note(records=1, errors=int(failed), now=one.ts_ms / 1000)

    def of(self, origin: str, *, now: float) -> ErrorWindow | None:
        """None when nobody came by its edge."""
        traffic = self._traffic.get(origin + SUFFIX)
        counts = traffic.since(now - WINDOW_SECONDS) if traffic else None
        if counts is None or not counts.records:
            return None
        return ErrorWindow(requests=counts.records, errors=counts.errors, error_rate_pct=counts.error_pct)
