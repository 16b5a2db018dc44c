"""What was seen of an origin in a stretch of time: its visitors, their errors and waits, its new errors, its restarts.

Visitors are counted where more of them were seen: in the log of its edge, or in its own metrics.
"""

from datetime import datetime

import msgspec

from chimney.core.log_filter import LogFilter
from chimney.core.series import Fn, Grid, figures, growth, quantile_of
from chimney.core.verdict import Window
from chimney.store.telemetry import TelemetryStore
from chimney.table.errors import Errors
from chimney.wire.origin import PlacedDeployment
from chimney.wire.telemetry import LEVELS
from chimney.wire.verdict import VerdictFigures

DURATIONS = "chimney_visitor_request_duration_seconds"
LOOKBACK_MS = 300_000  # the sample before the first one inside is looked for this far back
MOST_ROWS = 2_000  # of an edge's log, for the 95th percentile
MOST_MARKS = 500
ASKED_BY_US = "chimney-table/"


class Measure:
    def __init__(self, store: TelemetryStore, errors: Errors) -> None:
        self._store = store
        self._errors = errors

    async def both(self, one: PlacedDeployment, window: Window) -> tuple[VerdictFigures | None, VerdictFigures]:
        """Before and after a deployment. Raises StoreError."""
        spans = [(window.live, window.end)]
        if window.before_start and window.before_start < window.start:
            spans.append((window.before_start, window.start))
        edge = [await self._at_edge(one.origin, start, end) for start, end in spans]
        own = [await self._at_origin(one.origin, start, end) for start, end in spans]
        seen = edge if edge[0].requests > own[0].requests else own
        after = await self._with_faults(seen[0], one.origin, (window.start, window.end), deployment=one.id)
        if len(spans) == 1:
            return None, after
        return await self._with_faults(seen[1], one.origin, spans[1], deployment=None), after

    async def _at_origin(self, origin: str, start: datetime, end: datetime) -> VerdictFigures:
        from_ms, to_ms = _ms(start), max(_ms(end), _ms(start) + 1)
        found = await self._store.samples(DURATIONS, {"origin": origin}, from_ms=from_ms - LOOKBACK_MS, to_ms=to_ms)
        grown = growth(found.samples, from_ms=from_ms, to_ms=to_ms)
        failed = sum(count for labels, count in grown.items() if dict(labels).get("status_class") == "5xx")
        p95 = figures(found.samples, Fn.P95, Grid(from_ms, to_ms - from_ms, 1), by=[]).get((), [None])[0]
        return _figures(start, end, int(sum(grown.values())), int(failed), p95 and p95 * 1000)

    async def _at_edge(self, origin: str, start: datetime, end: datetime) -> VerdictFigures:
        wanted = LogFilter(source=f"{origin}:edge", from_ms=_ms(start), to_ms=max(_ms(end), _ms(start) + 1))
        counts = await self._count(wanted)
        if not counts:
            return _figures(start, end, 0, 0, None, at="edge")
        ours = await self._count(msgspec.structs.replace(wanted, grep=ASKED_BY_US))
        requests = sum(counts.values()) - sum(ours.values())
        failed = _failed(counts) - _failed(ours)
        rows = (await self._store.read(wanted, limit=MOST_ROWS)).rows
        waits = sorted(
            float(wait)
            for row in rows
            if isinstance(wait := row.fields.get("latency_ms"), int | float)
            and not str(row.fields.get("user_agent", "")).startswith(ASKED_BY_US)
        )
        return _figures(start, end, requests, failed, quantile_of(waits, 0.95), at="edge")

    async def _count(self, wanted: LogFilter) -> dict[str, int]:
        """By level."""
        width = (wanted.to_ms or 0) - (wanted.from_ms or 0)
        found, _ = await self._store.histogram(wanted, width_ms=width)
        counts: dict[str, int] = {}
        for bucket in found.buckets:
            for level, count in bucket.counts.items():
                counts[level] = counts.get(level, 0) + count
        return counts

    async def _with_faults(
        self, seen: VerdictFigures, origin: str, span: tuple[datetime, datetime], *, deployment: str | None
    ) -> VerdictFigures:
        """With new errors and restarts; of a deployment its own start does not count."""
        start, end = span
        new = [
            group
            for group in self._errors.current()
            if start <= group.first_seen < end
            and (group.source in (origin, f"{origin}:edge") or (deployment and group.first_deployment == deployment))
        ]
        marks = LogFilter(source=origin, grep="restarted", from_ms=_ms(start), to_ms=max(_ms(end), _ms(start) + 1))
        rows = (await self._store.read(marks, limit=MOST_MARKS)).rows
        starts = len([row for row in rows if row.kind == "restart"])
        return msgspec.structs.replace(
            seen,
            new_error_groups=len(new),
            new_errors=sum(group.count for group in new),
            restarts=max(0, starts - 1) if deployment else starts,
        )


def _figures(
    start: datetime, end: datetime, requests: int, errors: int, p95_ms: float | None, *, at: str = "origin"
) -> VerdictFigures:
    return VerdictFigures(
        over_seconds=round((end - start).total_seconds(), 3),
        requests=requests,
        errors=errors,
        error_rate_pct=round(100 * errors / requests, 2) if requests else None,
        p95_ms=None if p95_ms is None else round(p95_ms, 1),
        measured_at=at,
    )


def _failed(counts: dict[str, int]) -> int:
    return sum(count for level, count in counts.items() if LEVELS.get(level, 0) >= LEVELS["error"])


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
