"""The stand-in GitHub: what it is made of, and every path it answers."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from chimney.standin.acts import Acts
from chimney.standin.api import Api
from chimney.standin.clock import Agenda, Clock
from chimney.standin.control import Control
from chimney.standin.endpoints import code, deployments, runs, threads
from chimney.standin.faults import Faults
from chimney.standin.invention import Invention
from chimney.standin.repository import Repository
from chimney.standin.routing import Route
from chimney.standin.serving import Serving
from chimney.standin.stats import Stats
from chimney.standin.vocabulary import REPOSITORY

DAY = 86_400.0


@dataclass(frozen=True, kw_only=True)
class StandinSettings:
    """`token` None: any token will do. `start`: the unix seconds that the repository takes for now; None: the real."""

    repo: str = REPOSITORY
    webhook: str | None = None
    secret: str | None = None
    speed: float = 1.0
    seed: int = 1
    token: str | None = None
    start: float | None = None


ROUTES = (
    Route("GET", "/orgs/{owner}/repos", code.owned),
    Route("GET", "/users/{owner}/repos", code.owned),
    Route("GET", "/users/{owner}", code.some_user),
    Route("GET", "/orgs/{owner}", code.some_user),
    Route("GET", "/user", code.user, fresh=True),
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
    Route("GET", "/actions/jobs/{job}", runs.job),
    Route("GET", "/actions/workflows", runs.workflows),
    Route("GET", "/actions/workflows/{workflow}", runs.workflow),
    Route("GET", "/actions/workflows/{workflow}/runs", runs.workflow_runs),
    Route("GET", "/actions/artifacts", runs.artifacts),
    Route("GET", "/deployments", deployments.deployments),
    Route("POST", "/deployments", deployments.create),
    Route("GET", "/deployments/{deployment}", deployments.deployment),
    Route("GET", "/deployments/{deployment}/statuses", deployments.statuses),
    Route("POST", "/deployments/{deployment}/statuses", deployments.create_status),
    Route("GET", "/deployments/{deployment}/statuses/{status}", deployments.status),
    Route("GET", "/environments", deployments.environments),
)


class Standin:
    """Works in a process without `start()`: then time passes when somebody asks."""

    def __init__(self, settings: StandinSettings, *, real: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self.clock = Clock(speed=settings.speed, anchor=settings.start, real=real)
        self.agenda = Agenda()
        self.repo = Repository(settings.repo, seed=settings.seed, born=self.clock.anchor - 400 * DAY)
        self.faults, self.stats = Faults(), Stats()
        self.acts = Acts(self.repo, Invention(self.repo.random), now=self.clock.now)
        self.api = Api(
            repo=self.repo, clock=self.clock, faults=self.faults, stats=self.stats, token=settings.token,
            routes=ROUTES, repository_routes=REPOSITORY_ROUTES, advance=self.advance,
        )  # fmt: skip
        control = Control(stats=self.stats, faults=self.faults, do=self._do, now=real)
        self.asgi = Serving(api=self.api, control=control, faults=self.faults)

    def advance(self) -> None:
        """What is due by now happens."""
        if self.clock.runs:
            self.agenda.run_until(self.clock.now())

    def _do(self, raw: bytes, base: str) -> object:
        self.advance()
        return self.acts.do(raw, base)

    async def start(self) -> None:
        """Sets the clock going and the webhooks off."""

    async def stop(self) -> None:
        """Ends what `start` began."""
