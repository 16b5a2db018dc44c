"""Who is followed, what is known of them, and what is wrong: the probes, the logs, the findings, the first screen.

/api/overview /api/origins   overview   the first screen
/api/pipelines               pipelines  over all repositories; delivery figures
/api/findings                findings   what is wrong now
/api/findings/history …      finding_log what was wrong; silences

Loops: findings finding_log overview, and for each origin probe deploy pipeline follow.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from chimney.config import FollowedOrigin, TableSettings
from chimney.core.facts import Sighting
from chimney.store.audit import AuditLog
from chimney.store.database import Database
from chimney.store.findings import FindingLog
from chimney.store.uptime import Uptime
from chimney.table.audit import Audit
from chimney.table.clients import Clients
from chimney.table.finding_log import FindingKeeper
from chimney.table.findings import Watch
from chimney.table.follow import Follower
from chimney.table.ingest import Ingest
from chimney.table.overview import Board
from chimney.table.probe import Probe, deploys_every
from chimney.table.reach import Reach
from chimney.table.rounds import Followed, Gathering
from chimney.table.storage import Storage
from chimney.table.streams import PageStreams
from chimney.table.telemetry import Telemetry
from chimney.web.loops import Loop, Supervisor
from chimney.wire.finding import Findings

UNSURE_SECONDS = 20.0


class Watching:
    def __init__(
        self,
        settings: TableSettings,
        *,
        storage: Storage,
        database: Database,
        ingest: Ingest,
        telemetry: Telemetry,
        pages: PageStreams,
        clients: Clients,
    ) -> None:
        self._settings = settings
        self._store = storage.store
        self._ingest = ingest
        self._telemetry = telemetry
        self._pages = pages
        self._clients = clients
        self._audit = Audit(AuditLog(database))
        self._deploy_loops: dict[str, Loop] = {}
        uptime = Uptime(database)
        self.followed = [self._follow(origin, uptime) for origin in settings.origins]
        self._gathering = Gathering(
            self.followed,
            ingest=ingest,
            retention=storage.retention,
            telemetry=telemetry,
            damage=lambda: storage.damage or database.damage,
        )
        self.watch = Watch(self._gathering, changed=self._findings_changed)
        self.keeper = FindingKeeper(FindingLog(database), self.watch.lives)
        self.watch.on_change.append(self.keeper.hear)
        self.board = Board(self.followed, watch=self.watch, telemetry=telemetry, ingest=ingest, pages=pages)

    def _follow(self, origin: FollowedOrigin, uptime: Uptime) -> Followed:
        client = self._clients.new()
        changed = partial(self._changed, origin.name)
        probe = Probe(
            origin,
            client=client,
            uptime=uptime,
            every=self._settings.probe_seconds,
            changed=changed,
            deployed=self._telemetry.deployments.hear,
            deploy_every=deploys_every(len(self._settings.origins)),
            turn=self._clients.turn,
        )
        self._telemetry.collect(
            origin, client=client, reachable=probe.answers, turn=self._clients.turn, changed=changed
        )
        follower = Follower(
            origin,
            client=client,
            store=self._store,
            ingest=self._ingest,
            changed=changed,
            turn=self._clients.turn,
        )
        return Followed(probe, follower)

    def _changed(self, origin: str) -> None:
        self.watch.touch(origin)
        self.board.changed()

    def _findings_changed(self, findings: Findings) -> None:
        self._pages.publish("findings", findings)
        self.board.changed()

    def ask_undelivered(self, undelivered: Callable[[], Sequence[tuple[str, str, Sighting]]]) -> None:
        """What cannot be told to anybody is a finding too."""
        self._gathering.undelivered = undelivered

    def reported(self, source: str) -> None:
        """The log of `source` tells of a deployment: it is asked now rather than at its next turn."""
        if source in self._deploy_loops:
            self._deploy_loops[source].nudge()

    @property
    def unsure_seconds(self) -> float:
        """After a start, until everything was asked once: what is not seen by then is gone."""
        return UNSURE_SECONDS + deploys_every(len(self.followed))

    async def load(self) -> None:
        """What earlier runs of the table kept."""
        await self.keeper.load(unsure_seconds=self.unsure_seconds)
        for one in self.followed:
            await one.probe.load()

    def add_loops(self, loops: Supervisor, *, apart: float) -> None:
        for number, one in enumerate(self.followed):
            name, after = one.probe.origin.name, number * apart
            loops.add(f"probe:{name}", one.probe.ask_health, after=after)
            self._deploy_loops[name] = loops.add(f"deploy:{name}", one.probe.ask_deploy, after=after)
            loops.add(f"pipeline:{name}", one.probe.ask_pipeline, after=after)
            loops.add(f"follow:{name}", one.follower.follow, after=after)
        self._gathering.loops = loops
        loops.add("findings", self.watch.check)
        loops.add("finding_log", self.keeper.save)
        loops.add("overview", self.board.tell)

    def routes(self, reach: Reach) -> list[Any]:
        from chimney.table import finding_log, findings, overview  # noqa: PLC0415

        return [
            *overview.routes(self.board, reach),
            *findings.routes(self.watch),
            *finding_log.routes(self.keeper, self._audit),
        ]

    async def save(self) -> None:
        await asyncio.gather(self.keeper.save(), *(one.probe.save() for one in self.followed), return_exceptions=True)
