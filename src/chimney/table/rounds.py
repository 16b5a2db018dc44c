"""Rounds of the rules: facts are gathered and judged of those origins only for which something may have changed.

A thousand origins that are well are judged when they were asked something, at most every five seconds; one that is not
well in every round, because its findings depend on the time. The loop is never held for longer than a few milliseconds.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from chimney.core import findings, peers
from chimney.core.facts import Facts, Harm, OriginFacts, OwnFacts, Peers, Sighting, StorageFacts
from chimney.core.probe import asked_url
from chimney.table.follow import Follower
from chimney.table.ingest import OWN, Ingest
from chimney.table.probe import Probe
from chimney.table.retention import Retention
from chimney.table.telemetry import Telemetry
from chimney.web.loops import Supervisor
from chimney.wire.base import stamp
from chimney.wire.finding import Finding

SLICE_SECONDS = 0.004
HARMS_SECONDS = 2.0  # what deployments did changes by minutes


class Followed(msgspec.Struct, frozen=True):
    """One origin: who asks how it is, and who reads its log."""

    probe: Probe
    follower: Follower


class Gathering:
    """What is known at this moment, from those who know it."""

    def __init__(
        self,
        followed: Sequence[Followed],
        *,
        ingest: Ingest,
        retention: Retention,
        telemetry: Telemetry,
        damage: Callable[[], str | None],
    ) -> None:
        self.followed = {one.probe.origin.name: one for one in followed}
        self._addresses = {_address(one.probe.origin.url) for one in followed}
        self._ingest = ingest
        self._retention = retention
        self._telemetry = telemetry
        self._damage = damage
        self._damaged_at: float | None = None
        self._harms: dict[str, Harm] = {}
        self._harms_at = 0.0
        self.loops: Supervisor | None = None
        self.lag: tuple[float, float] = (0.0, 0.0)  # the last one that is worth telling, and when it was
        self.unkept = 0
        self.undelivered: Callable[[], Sequence[tuple[str, str, Sighting]]] = tuple

    def facts(self) -> Facts:
        """Of everything, at once."""
        return self.of_table(tuple(self.of_origin(name) for name in self.followed))

    def of_table(self, origins: tuple[OriginFacts, ...]) -> Facts:
        return Facts(
            origins=origins,
            storage=self._storage(),
            sources=self._telemetry.elsewhere.facts(),
            alerts=tuple(self._telemetry.elsewhere.alerts),
            receiver=self._telemetry.facts(),
            own=self._own(),
        )

    def of_origin(self, name: str) -> OriginFacts:
        one = self.followed[name]
        probe, follower, observed = one.probe, one.follower, one.probe.observed
        collector = self._telemetry.collected[name].collector
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
            stream=follower.state(),
            panic=self._ingest.panics.get(name),
            dropped=max(dropped, key=lambda seen: seen.at, default=None),
            edge=collector.edge,
            history=tuple(one for one in collector.history if _address(one.url) not in self._addresses),
            harm=self._harm(name),
            clock_ahead_seconds=observed.clock_ahead_seconds,
            certificate=probe.certificate,
            latency=observed.latency,
            cache=observed.cache,
            edge_errors=self._telemetry.edges.of(name, now=time.time()),
            well_since=stamp(probe.well_since) if probe.well_since else None,
            left_at=stamp(follower.left_at) if follower.left_at else None,
            unready_since=observed.unready_since,
            collectors=tuple(collector.states()),
        )

    def _harm(self, name: str) -> Harm | None:
        if time.monotonic() - self._harms_at > HARMS_SECONDS:
            self._harms, self._harms_at = self._telemetry.harms(), time.monotonic()
        return self._harms.get(name)

    def _storage(self) -> StorageFacts:
        damage, since, disk = self._damage(), self._ingest.full_since, self._retention.disk
        if damage and self._damaged_at is None:
            self._damaged_at = time.time()
        return StorageFacts(
            full_since=stamp(since) if since else None,
            full_detail=self._ingest.full_detail,
            recovered_at=stamp(self._ingest.recovered_at) if self._ingest.recovered_at else None,
            rows=self._retention.size.rows,
            damage=damage,
            damaged_at=stamp(self._damaged_at) if self._damaged_at else None,
            dropped=self._ingest.own_dropped,
            used_pct=disk.used_pct if disk else None,
            free_bytes=disk.free_bytes if disk else 0,
            days_left=disk.days_left if disk else None,
        )

    def _own(self) -> OwnFacts:
        lag, at = self.lag
        failing = self.loops.failing() if self.loops else {}
        return OwnFacts(
            loops=tuple((name, Sighting(at=stamp(since), text=error)) for name, (error, since) in failing.items()),
            panic=self._ingest.panics.get(OWN),
            lag_seconds=round(lag, 1),
            lag_at=stamp(at) if at else None,
            waiting_rows=self._ingest.waiting_rows,
            unkept=self.unkept,
            undelivered=tuple(self.undelivered()),
        )


class Rounds:
    """What is drawn of every origin. `touch` says that something may have changed of one."""

    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._facts: dict[str, OriginFacts] = {}
        self._drawn: dict[str, list[Finding]] = {}
        self._peers: dict[peers.Key, Peers] = {}
        self._touched = set(gathering.followed)

    def touch(self, name: str) -> None:
        self._touched.add(name)

    async def draw(self, now: datetime) -> list[Finding]:
        """All that the rules say now."""
        touched, self._touched = self._touched, set()
        due = [name for name in self._gathering.followed if name in touched or self._is_restless(name)]
        pause = Pause()
        for name in due:
            self._facts[name] = self._gathering.of_origin(name)
            await pause.when_due()
        for name in {*due, *self._with_other_peers(now)}:
            facts = msgspec.structs.replace(self._facts[name], peers=self._peers[peers.key_of(self._facts[name])])
            self._drawn[name] = findings.about_origin(facts, now=now)
            await pause.when_due()
        of_table = findings.about_table(self._gathering.of_table(tuple(self._facts.values())), now=now)
        return findings.folded([one for name in self._facts for one in self._drawn[name]] + of_table)

    def _is_restless(self, name: str) -> bool:
        facts = self._facts.get(name)
        unwell = facts is None or facts.failure or facts.health is None or facts.stream.state != "connected"
        return bool(unwell or self._drawn.get(name))

    def _with_other_peers(self, now: datetime) -> list[str]:
        """Those whose peers know something else than in the last round."""
        before, self._peers = self._peers, peers.groups(self._facts.values(), now=now)
        changed = {key for key, known in self._peers.items() if before.get(key) != known}
        return [name for name, facts in self._facts.items() if peers.key_of(facts) in changed] if changed else []


class Pause:
    """Lets the loop do something else when it was held for some milliseconds."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    async def when_due(self) -> None:
        if time.perf_counter() - self._began > SLICE_SECONDS:
            await asyncio.sleep(0)
            self._began = time.perf_counter()


def _address(url: str) -> str:
    return asked_url(url).rstrip("/").lower()
