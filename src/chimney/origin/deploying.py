"""Everything about deployments of one origin, wired together: reports, slots, health of other addresses, the audit."""

from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from chimney.config import OriginSettings
from chimney.origin import audit, deployments, diffs, probes, rollbacks
from chimney.origin.deployments import Deployments, Place, ReportStore
from chimney.origin.events import Says
from chimney.origin.github_data import GitHubData
from chimney.origin.github_deployments import GitHubDeployments
from chimney.origin.lease import Lease
from chimney.origin.prober import Prober
from chimney.origin.slot_check import Expected, SlotChecks
from chimney.origin.slots import Slots
from chimney.store.audit import AuditLog
from chimney.store.database import Database
from chimney.store.probes import ProbeLog
from chimney.store.told import ToldLog
from chimney.web.loops import Supervisor
from chimney.wire.edge import Slot

SLOT_SECONDS = 3.0  # for a slot's answer: it is on this machine or next to it


class Deploying:
    """`state` is the origin's small state, `history` the file of its probes: both may be shared by its slots."""

    def __init__(
        self,
        settings: OriginSettings,
        github: GitHubData,
        reports: ReportStore,
        events: Says,
        *,
        state: Database,
        history: Database,
        folder: Path,
    ) -> None:
        self._history = history
        self._settings = settings
        self.audit = audit.Audit(AuditLog(state))
        checks = SlotChecks(cast("dict[Slot, str]", settings.slots or {}), Prober(deadline=SLOT_SECONDS))
        self.slots = Slots(checks, Expected(repo=settings.repo, named=settings.slot is not None))
        place = Place(
            repo=settings.repo,
            environment=settings.environment,
            environments=settings.deploy_environments,
            stuck_after=timedelta(seconds=settings.deploy_stuck_seconds),
        )
        self.deployments = Deployments(reports, place, events=events, slots=self.slots)
        self._speaker = Lease(folder / "deployments.lock")
        self.deployments.is_speaker = self._speaker.held
        self.github = github
        self.mirror = GitHubDeployments(
            github.client,
            ToldLog(state),
            self.deployments,
            environment_url=settings.environment_url,
            turn=Lease(folder / "github.lock"),
        )
        self.diffs = diffs.Diffs(github.cache, self.deployments)
        self.rollbacks = rollbacks.Rollbacks(
            self.deployments, self.diffs, github.run_acts, self.audit, events, workflow=settings.deploy_workflow
        )
        self.rollbacks.can_dispatch = bool(settings.repo) and github.client.authenticated
        self.deployments.mark = self.rollbacks.mark
        self.probes = probes.Probes(
            ProbeLog(history),
            Prober(),
            events,
            addresses=settings.probes,
            every=settings.probe_seconds,
            turn=Lease(folder / "probes.lock"),
        )

    async def start(self, loops: Supervisor) -> None:
        """Raises StoreError when what is kept cannot be read."""
        await self.deployments.load()
        loops.add("deployments", self.deployments.tick)
        self.github.hearing.webhooks.on_work = self.deployments.hear
        if self._settings.github_deployments and self._settings.repo and self.github.client.authenticated:
            self.deployments.on_change.append(loops.add("github_deployments", self.mirror.tell).nudge)
            self.deployments.telling = self.mirror.health
            if self.github.far:
                self.mirror.claim = self.github.far.lease
                self.mirror.release = self.github.far.release
        self.deployments.on_change.append(loops.add("rollbacks", self.rollbacks.look).nudge)
        if self.slots.addresses:
            loops.add("slots", self.slots.look)
        if self.probes.addresses:
            await self._history.open()
            await self.probes.load()
            loops.add("probes", self.probes.look)

    def routes(self, *, public_scope: Any, read_scope: Any, deploy_scope: Any, operate_scope: Any) -> list[Any]:
        """`public_scope` guards what is for everybody, unless the repository is private."""
        return [
            *deployments.routes(self.deployments, self.audit, public_scope=public_scope, deploy_scope=deploy_scope),
            *diffs.routes(self.diffs, public_scope=public_scope),
            *rollbacks.routes(self.rollbacks, operate_scope=operate_scope),
            *probes.routes(self.probes),
            *audit.routes(self.audit, read_scope=read_scope),
        ]

    async def close(self) -> None:
        """After the loops have ended."""
        self.mirror.close()
        self._speaker.close()
        await self.slots.close()
        if self.probes.addresses:
            await self.probes.close()
        await self._history.close()
