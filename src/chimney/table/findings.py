"""Every second: what is known, what is wrong, what changed."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from litestar import get

from chimney.core.facts import Facts, OriginFacts, StorageFacts
from chimney.core.finding_life import Lives
from chimney.core.findings import evaluate
from chimney.table.access import VIEWER
from chimney.table.follow import Follower
from chimney.table.ingest import Ingest
from chimney.table.probe import Probe
from chimney.table.retention import Retention
from chimney.table.telemetry import Telemetry
from chimney.wire.base import stamp
from chimney.wire.finding import Alert, Change, Findings

Told = Callable[[Sequence[Alert]], None]  # never waits
EVERY_SECONDS = 1.0
log = logging.getLogger(__name__)


class Followed(msgspec.Struct, frozen=True):
    """One origin: who asks how it is, and who reads its log."""

    probe: Probe
    follower: Follower


class Watch:
    """The current findings; `check` is the verb of a loop. Whoever is in `on_change` is told what fired, changed or was
    resolved, in the order in which they stand there, after `current` was renewed."""

    def __init__(
        self,
        followed: Sequence[Followed],
        *,
        ingest: Ingest,
        retention: Retention,
        telemetry: Telemetry,
        damage: Callable[[], str | None],
        changed: Callable[[Findings], None],
        on_change: Sequence[Told] = (),
    ) -> None:
        self._followed = followed
        self._ingest = ingest
        self._retention = retention
        self._telemetry = telemetry
        self._damage = damage
        self._changed = changed
        self._damaged_at: float | None = None
        self.lives = Lives(good_since=stamp(time.time()))
        self.on_change: list[Told] = [_log, *on_change]

    @property
    def current(self) -> Findings:
        return self.lives.current

    def facts(self) -> Facts:
        return Facts(
            origins=tuple(self._origin(one) for one in self._followed),
            storage=self._storage(),
            sources=self._telemetry.elsewhere.facts(),
            alerts=tuple(self._telemetry.elsewhere.alerts),
            receiver=self._telemetry.facts(),
        )

    def _origin(self, one: Followed) -> OriginFacts:
        probe, name = one.probe, one.probe.origin.name
        dropped = [seen for seen in (probe.dropped, self._ingest.gaps.get(name)) if seen]
        return OriginFacts(
            name=name,
            url=probe.origin.url,
            probed_at=stamp(probe.probed_at) if probe.probed_at else None,
            failure=probe.failure,
            latencies_ms=tuple(probe.latencies_ms),
            last_contact_at=stamp(probe.last_contact_at) if probe.last_contact_at else None,
            health=probe.health,
            deploy=probe.deploy,
            pipeline=probe.pipeline,
            stream=one.follower.state(),
            panic=self._ingest.panics.get(name),
            dropped=max(dropped, key=lambda seen: seen.at, default=None),
            well_since=stamp(probe.well_since) if probe.well_since else None,
        )

    def _storage(self) -> StorageFacts:
        damage, since, disk = self._damage(), self._ingest.full_since, self._retention.disk
        if damage and self._damaged_at is None:
            self._damaged_at = time.time()
        return StorageFacts(
            full_since=stamp(since) if since else None,
            full_detail=self._ingest.full_detail,
            rows=self._retention.size.rows,
            damage=damage,
            damaged_at=stamp(self._damaged_at) if self._damaged_at else None,
            dropped=self._ingest.own_dropped,
            used_pct=disk.used_pct if disk else None,
            free_bytes=disk.free_bytes if disk else 0,
            days_left=disk.days_left if disk else None,
        )

    async def check(self) -> float:
        before, now = self.current, stamp(time.time())
        alerts = self.lives.take(evaluate(self.facts(), now=now), now=now)
        if alerts:
            for told in self.on_change:
                told(alerts)
        if self.current != before:
            self._changed(self.current)
        return EVERY_SECONDS


def _log(alerts: Sequence[Alert]) -> None:
    for alert in alerts:
        finding = alert.finding
        if alert.change is Change.RESOLVED:
            log.info("resolved: %s", finding.title, extra={"finding": finding.id})
        else:
            log.warning("finding: %s", finding.title, extra={"finding": finding.id, "severity": finding.severity})


def routes(watch: Watch) -> list[Any]:
    @get("/api/findings", opt=VIEWER, summary="What is wrong now", tags=["findings"])
    async def findings() -> Findings:
        """Worst first, with evidence and what to do."""
        return watch.current

    return [findings]
