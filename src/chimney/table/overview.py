"""The first screen in one answer, its parts as endpoints, and its changes as a stream."""

import time
from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import get

from chimney import __version__
from chimney.core.facts import OriginFacts
from chimney.core.overview import changes, state_of
from chimney.core.overview_delta import Deltas
from chimney.core.uptime import bars, percentage
from chimney.table import pipelines
from chimney.table.access import VIEWER
from chimney.table.findings import Watch
from chimney.table.ingest import Ingest
from chimney.table.reach import Reach
from chimney.table.rounds import Followed
from chimney.table.streams import PageStreams
from chimney.table.telemetry import Telemetry
from chimney.wire.base import Page, stamp
from chimney.wire.finding import Findings
from chimney.wire.origin import OriginPipeline, OriginState, Overview, PlacedDeployment

EVERY_SECONDS = 1.0  # a change is told at most this late, and at most this often
QUIET_SECONDS = 5.0  # rates and ages alone are told this often


class Board:
    """What is known now, as the first screen shows it; `tell` is the verb of a loop."""

    def __init__(
        self, followed: Sequence[Followed], *, watch: Watch, telemetry: Telemetry, ingest: Ingest, pages: PageStreams
    ) -> None:
        self._telemetry = telemetry
        self._followed = followed
        self._watch = watch
        self._ingest = ingest
        self._pages = pages
        self._changed = True
        self._told = 0.0
        self._deltas = Deltas()

    def changed(self) -> None:
        self._changed = True

    def origins(self) -> list[OriginState]:
        facts = self._watch.facts()
        minute = int(time.time() // 60)
        states = []
        for origin, one in zip(facts.origins, self._followed, strict=True):
            state, reason = state_of(origin)
            minutes = one.probe.minutes
            latencies = origin.latencies_ms
            states.append(
                OriginState(
                    name=origin.name,
                    url=origin.url,
                    state=state,
                    reason=reason,
                    last_contact_at=origin.last_contact_at,
                    latency_ms=round(latencies[-1], 1) if latencies else None,
                    health=origin.health,
                    deploy=origin.deploy,
                    pipeline=origin.pipeline,
                    stream=origin.stream,
                    uptime_24h_pct=percentage(minutes, now_minute=minute),
                    uptime_bars=bars(minutes, now_minute=minute),
                    demonstration=origin.health.demonstration if origin.health else False,
                    **self._telemetry.of(origin.name),
                )
            )
        return states

    def given(self) -> Overview:
        """Of all origins, for somebody who is told from now on what changes."""
        whole = self.overview()
        self._deltas.held(whole)
        return whole

    def overview(self, only: frozenset[str] = frozenset()) -> Overview:
        """Of all origins, or of these and what is wrong with them."""
        now = time.time()
        return Overview(
            at=stamp(now),
            version=__version__,
            findings=_of(self._watch.current, only),
            origins=[one for one in self.origins() if not only or one.name in only],
            changes=changes(one for one in self._watch.facts().origins if not only or one.name in only),
            log_rate_per_second=self._ingest.traffic.rate_per_second(now),
            errors_last_5_min=self._ingest.traffic.errors(now),
        )

    async def tell(self) -> float:
        quiet = time.monotonic() - self._told < QUIET_SECONDS
        if len(self._pages.hub) and (self._changed or not quiet):
            self._changed = False
            self._told = time.monotonic()
            told = self._deltas.tell(self.overview())
            self._pages.publish("overview" if isinstance(told, Overview) else "overview_changed", told)
        return EVERY_SECONDS

    def deployments(self) -> list[PlacedDeployment]:
        return self._telemetry.deployments.current()

    def pipelines(self) -> list[OriginPipeline]:
        """What each origin told last, without asking it."""
        told = []
        for one in self._watch.facts().origins:
            state, reason = state_of(one)
            told.append(
                OriginPipeline(
                    origin=one.name,
                    pipeline=one.pipeline,
                    reason=None if one.pipeline else reason or _untold(one),
                    repo=one.pipeline.repo if one.pipeline else None,
                    state=state,
                    github=one.health.github if one.health else None,
                    webhooks=one.health.webhooks if one.health else None,
                    hit_rate_pct=one.health.cache.hit_rate_pct if one.health else None,
                )
            )
        return told


def _of(findings: Findings, only: frozenset[str]) -> Findings:
    kept = [one for one in findings.items if one.origin in only] if only else findings.items
    return msgspec.structs.replace(findings, items=kept)


def _untold(origin: OriginFacts) -> str:
    """Why an origin that is up has told of no pipeline."""
    if origin.health and origin.health.repo is None:
        return "no repository is configured: set CHIMNEY_REPO at the origin"
    return "it has not read its repository from GitHub yet"


def routes(board: Board, reach: Reach) -> list[Any]:
    looked = pipelines.Pipelines(reach, told=board.pipelines, deployments=board.deployments)

    @get("/api/overview", opt=VIEWER, summary="What the first screen needs", tags=["overview"])
    async def overview() -> Overview:
        """Findings, origins, changes and rates, in one answer."""
        return board.given()

    @get("/api/origins", opt=VIEWER, summary="Every origin that is followed", tags=["origins"])
    async def origins() -> Page[OriginState]:
        """State, last contact, lag, version, slot, and why it is not connected."""
        return Page(items=board.origins())

    return [overview, origins, *pipelines.routes(looked)]
