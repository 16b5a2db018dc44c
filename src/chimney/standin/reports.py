"""Deploy reports: the stand-in's deploy workflow tells an origin what it does, as a step of a real one would.

The last twelve deployments of the history are reported first, so that the demonstration's screens are not empty. Every
report has an id of its own: sent twice, it counts once. A report is tried until the origin answers.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

import httpx2

from chimney.standin.clock import stamp
from chimney.standin.model import Deployment, DeploymentStatus, Pull
from chimney.standin.repository import Happening, Repository
from chimney.standin.vocabulary import ACTIONS

BACKFILL = 12
QUEUED = 500
LONGEST_WAIT = 10.0
PHASES = {"in_progress": "started", "success": "succeeded", "failure": "failed", "error": "failed"}
log = logging.getLogger(__name__)

Report = dict[str, object]


class Reporter:
    """`url` is the origin's `POST /api/deploy/events`; None: nobody is told."""

    def __init__(self, repo: Repository, *, url: str | None, token: str | None, real: Callable[[], float]) -> None:
        self._repo = repo
        self._url = url
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._real = real
        self._queue: deque[Report] = deque(maxlen=QUEUED)
        self._wake = asyncio.Event()

    @property
    def silent(self) -> bool:
        return self._url is None

    def backfill(self) -> None:
        for deployment in list(self._repo.deployments.values())[-BACKFILL:]:
            for status in deployment.statuses:
                self._add(deployment, status)

    def hear(self, happening: Happening) -> None:
        status, deployment = happening.subject, happening.more.get("deployment")
        if isinstance(status, DeploymentStatus) and isinstance(deployment, Deployment):
            self._add(deployment, status)

    def _add(self, deployment: Deployment, status: DeploymentStatus) -> None:
        """Only what Actions did: what came through the API is the caller's to report."""
        phase = PHASES.get(status.state)
        if phase is not None and status.creator is ACTIONS:
            self._queue.append(self._report(deployment, status, phase))
            self._wake.set()

    def _report(self, deployment: Deployment, status: DeploymentStatus, phase: str) -> Report:
        """No later than now: a fast clock is ahead of the origin's, which refuses reports from the future."""
        commit = self._repo.commits.get(deployment.sha)
        pull = self._repo.threads.get(commit.pull or 0) if commit else None
        run = self._repo.runs.get(deployment.run or 0)
        began = next((one.at for one in deployment.statuses if one.state == "in_progress"), status.at)
        report: Report = {
            "id": f"standin-{deployment.id}-{phase}",
            "phase": phase,
            "revision": deployment.sha,
            "environment": deployment.environment,
            "slot": deployment.slot,
            "pr_number": pull.number if isinstance(pull, Pull) else None,
            "pr_title": pull.title if isinstance(pull, Pull) else None,
            "message": commit.message if commit else None,
            "actor": run.triggering_actor.login if run else deployment.creator.login,
            "run_url": f"https://github.com/{self._repo.full_name}/actions/runs/{run.id}" if run else None,
            "duration_seconds": round(status.at - began, 1) if phase != "started" else None,
            "at": stamp(min(status.at, self._real())),
        }
        return {name: value for name, value in report.items() if value is not None}

    async def send(self, client: httpx2.AsyncClient) -> None:
        """One after another, for ever."""
        while True:
            while self._queue:
                await self._deliver(client, self._queue.popleft())
            self._wake.clear()
            await self._wake.wait()

    async def _deliver(self, client: httpx2.AsyncClient, report: Report) -> None:
        wait = 0.25
        while not await self._accepted(client, report):
            await asyncio.sleep(wait)
            wait = min(LONGEST_WAIT, wait * 2)

    async def _accepted(self, client: httpx2.AsyncClient, report: Report) -> bool:
        """Also when it was refused for good: that is logged, and the next one has its turn."""
        try:
            answer = await client.post(self._url or "", json=report, headers=self._headers, timeout=10)
        except (httpx2.HTTPError, OSError):
            return False
        if answer.status_code >= 500 or answer.status_code == 429:
            return False
        if answer.is_error:
            log.warning("deploy report %s was refused: %s %s", report["id"], answer.status_code, answer.text[:300])
        return True
