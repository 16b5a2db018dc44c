"""The stand-in GitHub: what it is made of, and every path it answers."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import httpx2

from chimney.standin.acts import Acts
from chimney.standin.api import Api
from chimney.standin.apps import TOKEN_SECONDS, Apps
from chimney.standin.bodies.base import View
from chimney.standin.clock import Agenda, Clock
from chimney.standin.control import Control
from chimney.standin.endpoints import code, deployments, logs, meta, runs, threads, writes
from chimney.standin.endpoints.hooks import Hooks
from chimney.standin.faults import Faults
from chimney.standin.history import live_through
from chimney.standin.invention import Invention
from chimney.standin.life import DAY, DEMONSTRATION
from chimney.standin.oauth import OAuth
from chimney.standin.ratelimit import AUTHENTICATED, RateLimits
from chimney.standin.reports import Reporter
from chimney.standin.repository import Repository
from chimney.standin.routing import Route, Tables
from chimney.standin.serving import Serving
from chimney.standin.stats import Stats
from chimney.standin.visitors import Visitors
from chimney.standin.vocabulary import REPOSITORY
from chimney.standin.webhooks import Hook

IDLE = 60.0


@dataclass(frozen=True, kw_only=True)
class StandinSettings:
    """`token` None: any token will do. `start`: the unix seconds that the repository takes for now; None: the real.

    `rate_limit`: requests an hour for each token. `app_id`, `app_key` (its public key, PEM): a GitHub App.
    `deploy_report`: an origin's `POST /api/deploy/events`.
    """

    repo: str = REPOSITORY
    webhook: str | None = None
    secret: str | None = None
    speed: float = 1.0
    seed: int = 1
    token: str | None = None
    start: float | None = None
    history_days: float = 60
    rate_limit: int = AUTHENTICATED
    deploy_report: str | None = None
    visit: str | None = None
    deploy_token: str | None = None
    app_id: str | None = None
    app_key: str | None = None
    app_token_seconds: float = TOKEN_SECONDS


ROUTES = (
    Route("GET", "/orgs/{owner}/repos", code.owned),
    Route("GET", "/users/{owner}/repos", code.owned),
    Route("GET", "/users/{owner}", code.some_user),
    Route("GET", "/orgs/{owner}", code.some_user),
    Route("GET", "/user", code.user, fresh=True),
    Route("GET", "/", meta.root),
    Route("GET", "/meta", meta.meta),
    Route("GET", "/versions", meta.versions),
)

REPOSITORY_ROUTES = (
    Route("GET", "", code.repository),
    Route("GET", "/pulls", threads.pulls),
    Route("GET", "/pulls/{number}", threads.pull),
    Route("GET", "/pulls/{number}/files", threads.pull_files),
    Route("GET", "/pulls/{number}/commits", threads.pull_commits),
    Route("GET", "/pulls/{number}/reviews", threads.no_reviews),
    Route("GET", "/pulls/{number}/comments", threads.no_reviews),
    Route("GET", "/issues", threads.issues),
    Route("GET", "/issues/{number}", threads.issue),
    Route("GET", "/issues/{number}/labels", threads.issue_labels),
    Route("GET", "/issues/{number}/comments", threads.no_reviews),
    Route("GET", "/labels", threads.labels),
    Route("GET", "/labels/{name}", threads.label),
    Route("GET", "/milestones", threads.milestones),
    Route("GET", "/milestones/{number}", threads.milestone),
    Route("GET", "/commits", code.commits),
    Route("GET", "/commits/{ref...}/check-runs", code.check_runs),
    Route("GET", "/commits/{ref...}/status", code.status),
    Route("GET", "/commits/{ref...}/pulls", code.commit_pulls),
    Route("GET", "/commits/{ref...}", code.commit),
    Route("GET", "/compare/{base...}...{head...}", code.compare),
    Route("GET", "/branches", code.branches),
    Route("GET", "/branches/{branch...}", code.branch),
    Route("GET", "/tags", code.tags),
    Route("GET", "/releases", code.releases),
    Route("GET", "/releases/latest", code.latest_release),
    Route("GET", "/releases/tags/{tag...}", code.release_by_tag),
    Route("GET", "/releases/{release}", code.release),
    Route("GET", "/contributors", code.contributors),
    Route("GET", "/languages", code.languages),
    Route("GET", "/stats/participation", code.participation),
    Route("GET", "/readme", code.contents),
    Route("GET", "/contents/{path...}", code.contents),
    Route("GET", "/actions/runs", runs.runs),
    Route("GET", "/actions/runs/{run}", runs.run),
    Route("GET", "/actions/runs/{run}/jobs", runs.jobs),
    Route("GET", "/actions/runs/{run}/attempts/{attempt}", runs.run_attempt),
    Route("GET", "/actions/runs/{run}/attempts/{attempt}/jobs", runs.attempt_jobs),
    Route("GET", "/actions/runs/{run}/artifacts", runs.run_artifacts),
    Route("GET", "/actions/runs/{run}/pending_deployments", runs.pending_deployments),
    Route("POST", "/actions/runs/{run}/pending_deployments", writes.review),
    Route("POST", "/actions/runs/{run}/rerun", writes.rerun),
    Route("POST", "/actions/runs/{run}/rerun-failed-jobs", writes.rerun_failed_jobs),
    Route("POST", "/actions/runs/{run}/cancel", writes.cancel),
    Route("GET", "/actions/runs/{run}/logs", logs.run_logs, fresh=True),
    Route("GET", "/actions/jobs/{job}", runs.job),
    Route("GET", "/actions/jobs/{job}/logs", logs.job_logs, fresh=True),
    Route("POST", "/actions/jobs/{job}/rerun", writes.rerun_job),
    Route("GET", "/actions/workflows", runs.workflows),
    Route("GET", "/actions/workflows/{workflow}", runs.workflow),
    Route("GET", "/actions/workflows/{workflow}/runs", runs.workflow_runs),
    Route("POST", "/actions/workflows/{workflow}/dispatches", writes.dispatch),
    Route("GET", "/actions/artifacts", runs.artifacts),
    Route("GET", "/deployments", deployments.deployments),
    Route("POST", "/deployments", deployments.create),
    Route("GET", "/deployments/{deployment}", deployments.deployment),
    Route("GET", "/deployments/{deployment}/statuses", deployments.statuses),
    Route("POST", "/deployments/{deployment}/statuses", deployments.create_status),
    Route("GET", "/deployments/{deployment}/statuses/{status}", deployments.status),
    Route("GET", "/environments", deployments.environments),
)

# Where the log addresses lead: another host on GitHub, so neither counted nor limited
ELSEWHERE_ROUTES = (
    Route("GET", "/_logs/jobs/{job}", logs.job_text),
    Route("GET", "/_logs/runs/{run}", logs.run_archive),
)


def hook_routes(hooks: Hooks) -> tuple[Route, ...]:
    return (
        Route("GET", "/hooks", hooks.hooks, fresh=True),
        Route("GET", "/hooks/{hook}", hooks.hook, fresh=True),
        Route("POST", "/hooks/{hook}/pings", hooks.ping),
        Route("GET", "/hooks/{hook}/deliveries", hooks.deliveries, fresh=True),
        Route("GET", "/hooks/{hook}/deliveries/{delivery}", hooks.delivery, fresh=True),
        Route("POST", "/hooks/{hook}/deliveries/{delivery}/attempts", hooks.attempt),
    )


class Standin:
    """Works in a process without `start()`: then time passes when somebody asks, and webhooks wait to be sent.

    `client` sends webhooks and deploy reports; None: one of its own, from `start()` to `stop()`.
    """

    def __init__(
        self,
        settings: StandinSettings,
        *,
        real: Callable[[], float] = time.time,
        client: httpx2.AsyncClient | None = None,
    ) -> None:
        self.settings = settings
        self.clock = Clock(speed=settings.speed, anchor=settings.start, real=real)
        self.agenda = Agenda()
        self.repo = Repository(settings.repo, seed=settings.seed, born=self.clock.anchor - 400 * DAY)
        invention = Invention(self.repo.random)
        self.life = live_through(self.repo, self.agenda, invention, until=self.clock.anchor, days=settings.history_days)
        self.hook = Hook(url=settings.webhook, secret=settings.secret, seed=settings.seed, view=self._view, real=real)
        self.reporter = Reporter(self.repo, url=settings.deploy_report, token=settings.deploy_token, real=real)
        self.visitors = Visitors(url=settings.visit, seed=settings.seed)
        self._set_going()
        self.faults, self.stats = Faults(), Stats()
        self.apps = Apps(app_id=settings.app_id, key=settings.app_key, token_seconds=settings.app_token_seconds)
        self.api = Api(
            repo=self.repo, clock=self.clock, faults=self.faults, stats=self.stats,
            token=settings.token, apps=self.apps, limits=RateLimits(settings.rate_limit), advance=self.advance,
            tables=Tables(ROUTES, (*REPOSITORY_ROUTES, *hook_routes(Hooks(self.hook))), ELSEWHERE_ROUTES),
        )  # fmt: skip
        acts = Acts(self.repo, invention, now=self.clock.now)
        control = Control(stats=self.stats, faults=self.faults, do=partial(self._do, acts), now=real)
        oauth = OAuth(self.repo, seed=settings.seed)
        self.asgi = Serving(api=self.api, control=control, faults=self.faults, oauth=oauth, now=real)
        self._client = client
        self._sender: httpx2.AsyncClient | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def _set_going(self) -> None:
        """At speed 0 nothing follows by itself from what is asked."""
        self.repo.listeners.append(self.hook.hear)
        if not self.reporter.silent:
            self.repo.listeners.append(self.reporter.hear)
        if not self.clock.runs:
            self.repo.listeners.remove(self.life.hear)
            return
        self.life.calm, self.life.pace = False, DEMONSTRATION
        self.life.begin(self.clock.anchor)

    def _view(self) -> View:
        return View(self.repo, self.api.base)

    def advance(self) -> None:
        """What is due by now happens."""
        if self.clock.runs:
            self.agenda.run_until(self.clock.now())

    def _do(self, acts: Acts, raw: bytes, base: str) -> object:
        self.advance()
        self.api.asked_under(base)
        return acts.do(raw, base)

    async def start(self) -> None:
        """Sets the clock going and the webhooks and reports off."""
        client = self._client or httpx2.AsyncClient(trust_env=False)
        self.hook.ping()
        self._tasks = [asyncio.create_task(self.hook.send(client))]
        if not self.reporter.silent:
            self.reporter.backfill()
            self._tasks.append(asyncio.create_task(self.reporter.send(client)))
        if self.visitors.any:
            self._tasks.append(asyncio.create_task(self.visitors.visit(client)))
        if self.clock.runs:
            self._tasks.append(asyncio.create_task(self._tick()))
        self._sender = client

    async def _tick(self) -> None:
        while True:
            self.advance()
            due = self.agenda.next_at
            await asyncio.sleep(IDLE if due is None else self.clock.real_seconds_until(due))

    async def stop(self) -> None:
        """Ends what `start` began, and lets go of what hangs."""
        self.faults.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._client is None and self._sender is not None:
            await self._sender.aclose()
