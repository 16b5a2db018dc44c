"""Pipelines over all origins and their repositories: the summary that each told, and what is read when somebody looks.

Pull requests and releases come through the origins' caches, so that looking costs GitHub's quota next to nothing. What
cannot be had is named in `partial`; the rest of the answer still stands.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple, TypeVar
from urllib.parse import quote

import msgspec
from litestar import Response, get
from litestar.params import QueryParameter

from chimney.core.delivery_figures import figures
from chimney.core.pipeline import merged, open_pull, release_summary, run
from chimney.table.access import VIEWER
from chimney.table.reach import Reach, RefusedError, UnansweredError
from chimney.wire.base import Page, stamp
from chimney.wire.delivery_figures import DeliveryFigures
from chimney.wire.github import PullRequest, Release, WorkflowRun, WorkflowRuns
from chimney.wire.origin import OriginPipeline, PlacedDeployment, PlacedRun, RunsPage
from chimney.wire.pipeline import MergedPullRequest, Part, PipelineSummary, RepositorySummary

SECONDS = 5.0
REPOSITORIES = 20  # of one origin
AT_ONCE = 8
PULLS = 100
RELEASES = 10
RUNS = 100  # the most that GitHub gives in a page
ANSWERING = ("up", "degraded")
Params = dict[str, str]
T = TypeVar("T")
_closed = {"state": "closed", "sort": "updated", "direction": "desc", "per_page": str(PULLS)}


class _UnreadError(Exception):
    """Why it could not be read."""


class Pipelines:
    """`told` gives each origin's last summary, `deployments` those that are held, newest first."""

    def __init__(
        self,
        reach: Reach,
        *,
        told: Callable[[], list[OriginPipeline]],
        deployments: Callable[[], Sequence[PlacedDeployment]],
    ) -> None:
        self._reach = reach
        self._told = told
        self._deployments = deployments
        self._room = asyncio.Semaphore(AT_ONCE)

    async def all(self, origin: str | None) -> list[OriginPipeline]:
        chosen = [one for one in self._told() if origin is None or one.origin == origin]
        return [one for several in await asyncio.gather(*map(self._of, chosen)) for one in several]

    async def _of(self, told: OriginPipeline) -> list[OriginPipeline]:
        """The main repository first, then the origin's other ones."""
        if told.state not in ANSWERING or told.pipeline is None:
            return [told]
        others = [repo for repo in await self._watched(told) if repo != told.repo]
        return list(await asyncio.gather(self._filled(told), *(self._other(told, repo) for repo in others)))

    async def _other(self, told: OriginPipeline, repo: str) -> OriginPipeline:
        try:
            summary = await self._read(told.origin, "pipeline/summary", {"repo": repo}, PipelineSummary)
        except _UnreadError as error:
            empty = msgspec.structs.replace(told, pipeline=None, reason=str(error), repo=repo)
            return msgspec.structs.replace(empty, partial=[Part(part="summary", reason=str(error))])
        return await self._filled(msgspec.structs.replace(told, pipeline=summary, repo=repo))

    async def _filled(self, told: OriginPipeline) -> OriginPipeline:
        repo = told.pipeline.repo if told.pipeline else None
        if not repo:
            return told
        opened = {"state": "open", "per_page": str(PULLS)}
        pulls, pulls_why = await self._try(told.origin, f"{below(repo)}/pulls", opened, list[PullRequest])
        releases, releases_why = await self._try(
            told.origin, f"{below(repo)}/releases", {"per_page": str(RELEASES)}, list[Release]
        )
        reasons = {"pulls": pulls_why, "releases": releases_why}
        return msgspec.structs.replace(
            told,
            repo=repo,
            pulls=None if pulls is None else [open_pull(one) for one in pulls],
            releases=None if releases is None else [release_summary(one) for one in releases if not one.draft],
            partial=[Part(part=part, reason=why) for part, why in reasons.items() if why],
        )

    async def _try(self, origin: str, path: str, params: Params, as_type: type[T]) -> tuple[T | None, str | None]:
        try:
            return await self._read(origin, path, params, as_type), None
        except _UnreadError as error:
            return None, str(error)

    async def _read(self, origin: str, path: str, params: Params, as_type: type[T]) -> T:
        async with self._room:
            try:
                raw = await self._reach.read(
                    self._reach.origins[origin], f"/api/{path}", seconds=SECONDS, params=params
                )
            except (RefusedError, UnansweredError) as error:
                raise _UnreadError(error.detail) from None
        try:
            return await asyncio.to_thread(msgspec.json.decode, raw, type=as_type)
        except (msgspec.DecodeError, RecursionError) as error:
            raise _UnreadError(f"its answer has another shape than ours: {error}") from None

    async def repositories(self, origin: str | None) -> list[tuple[str, str]]:
        """(origin, repository) of all that can be asked; a repository that two origins watch is asked of one."""
        chosen = [one for one in self._told() if origin in (None, one.origin) and one.state in ANSWERING]
        found: dict[str, str] = {}
        for told, repos in zip(chosen, await asyncio.gather(*map(self._watched, chosen)), strict=True):
            for repo in repos:
                found.setdefault(repo, told.origin)
        return [(name, repo) for repo, name in found.items()]

    async def _watched(self, told: OriginPipeline) -> list[str]:
        main = [told.repo] if told.repo else []
        try:
            listed = await self._read(told.origin, "repos", {}, Page[RepositorySummary])
        except _UnreadError:
            return main
        return main + [one.repo for one in listed.items if one.repo not in main][: REPOSITORIES - 1]

    async def branches(self) -> dict[str, str]:
        """The default branch by repository, as far as the origins know it."""
        chosen = [one for one in self._told() if one.state in ANSWERING]
        found = {
            told.repo: told.pipeline.default_branch.name
            for told in chosen
            if told.repo and told.pipeline and told.pipeline.default_branch
        }
        listed = await asyncio.gather(*(self._try(one.origin, "repos", {}, Page[RepositorySummary]) for one in chosen))
        for repos, _ in listed:
            found.update({one.repo: one.default_branch for one in (repos.items if repos else []) if one.default_branch})
        return found

    async def runs(self, *, origin: str | None, page: int) -> RunsPage:
        """A page of each repository's runs, together."""
        places = await self.repositories(origin)
        params = {"per_page": str(RUNS), "page": str(page)}
        read = [self._try(name, f"{below(repo)}/actions/runs", params, WorkflowRuns) for name, repo in places]
        items: list[PlacedRun] = []
        partial: list[Part] = []
        full = False
        for (name, repo), (found, why) in zip(places, await asyncio.gather(*read), strict=True):
            if found is None:
                partial.append(Part(part=repo, reason=why or "not read"))
                continue
            full = full or len(found.workflow_runs) == RUNS
            items += [_placed(one, name, repo) for one in found.workflow_runs]
        items.sort(key=lambda one: (one.started_at, one.id), reverse=True)
        return RunsPage(items=items, next=str(page + 1) if full else None, partial=partial)

    async def figures(self, *, days: int, environment: str | None, origin: str | None) -> DeliveryFigures:
        held = [one for one in self._deployments() if origin is None or one.origin == origin]
        place = environment or (held[0].environment if held else "production")
        found = await asyncio.gather(*(self._merged(one) for one in self._told() if origin in (None, one.origin)))
        pulls = {(one.repo, pull.number): pull for one in found for pull in one.pulls}
        now = stamp(time.time())
        return await asyncio.to_thread(
            lambda: figures(
                held,
                list(pulls.values()),
                environment=place,
                days=days,
                now=now,
                partial=[part for one in found for part in one.partial],
            )
        )

    async def _merged(self, told: OriginPipeline) -> "_Merged":
        """The last merged pull requests of an origin's main repository, which is the one that it deploys."""
        if told.pipeline is None or told.state not in ANSWERING:
            return _Merged("", [], [Part(part=told.origin, reason=told.reason or f"it is {told.state}")])
        repo = told.pipeline.repo
        pulls, why = await self._try(told.origin, "github/pulls", _closed, list[PullRequest])
        if pulls is None:
            return _Merged(repo, [], [Part(part=told.origin, reason=why or "not read")])
        partial = []
        if len(pulls) == PULLS:
            reason = f"only the {PULLS} pull requests of {repo} that were closed or changed last are looked at"
            partial.append(Part(part="lead_time", reason=reason))
        return _Merged(repo, merged(pulls), partial)


def below(repo: str) -> str:
    """GitHub's paths of a repository at an origin that watches it."""
    return "/".join(("github", *(quote(part, safe="") for part in repo.split("/"))))


def _placed(found: WorkflowRun, origin: str, repo: str) -> PlacedRun:
    fields = msgspec.structs.asdict(run(found))
    return PlacedRun(origin=origin, repo=repo, updated_at=found.updated_at, **fields)


class _Merged(NamedTuple):
    repo: str
    pulls: list[MergedPullRequest]
    partial: list[Part]


def routes(pipelines: Pipelines) -> list[Any]:
    fresh = {"cache-control": "no-store"}

    @get("/api/pipelines", opt=VIEWER, summary="Every repository's pipeline", tags=["pipelines"])
    async def listed(
        origin: Annotated[str | None, QueryParameter(max_length=100)] = None,
    ) -> Response[Page[OriginPipeline]]:
        """The last summary that each origin gave, with open pull requests, releases and quota as they are now."""
        return Response(Page(items=await pipelines.all(origin)), headers=fresh)

    @get("/api/pipelines/runs", opt=VIEWER, summary="Workflow runs of every repository", tags=["pipelines"])
    async def runs(
        origin: Annotated[str | None, QueryParameter(max_length=100)] = None,
        before: Annotated[int, QueryParameter(ge=1, le=100, description="`next` of the page before.")] = 1,
    ) -> Response[RunsPage]:
        """A hundred of each repository, newest first, as GitHub lists them now."""
        return Response(await pipelines.runs(origin=origin, page=before), headers=fresh)

    @get("/api/pipelines/figures", opt=VIEWER, summary="Delivery figures", tags=["pipelines"])
    async def delivery(
        days: Annotated[int, QueryParameter(ge=1, le=365)] = 30,
        environment: Annotated[str | None, QueryParameter(max_length=100)] = None,
        origin: Annotated[str | None, QueryParameter(max_length=100)] = None,
    ) -> Response[DeliveryFigures]:
        """Deployment frequency, lead time, change failure rate and recovery time, each with what it was counted from.
        `environment` is that of the last deployment when it is not given."""
        return Response(await pipelines.figures(days=days, environment=environment, origin=origin), headers=fresh)

    return [listed, runs, delivery]
