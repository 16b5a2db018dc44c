"""The pipeline summary: asked of GitHub through the cache, so it costs what a page load costs, nothing."""

import asyncio
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any, TypeVar, cast
from urllib.parse import quote

import msgspec
from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromQuery

from chimney.core.grammar import Kind, normalise_query
from chimney.core.pipeline import Gathered, last_page, summarise
from chimney.github.client import GitHubClient
from chimney.origin.answer import Key
from chimney.origin.audience import Admits
from chimney.origin.cache import GitHubCache
from chimney.store.ports import StoredResponse
from chimney.web.asgi import Scope
from chimney.web.problem import ProblemError
from chimney.wire.base import Page, stamp
from chimney.wire.github import Issue, PullRequest, Release, Repository, WorkflowRuns
from chimney.wire.pipeline import Part, PipelineSummary, RepositorySummary

AnyRequest = Request[Any, Any, Any]
UNKEPT = {"cache-control": "private, no-store"}
T = TypeVar("T")
MOST_PAGES = 10
PER_PAGE = 100
REMEMBERED_SECONDS = 1.0  # decoding the answers takes a few milliseconds; a burst of viewers pays once


class Pipeline:
    """Summaries of the watched repositories."""

    def __init__(
        self, cache: GitHubCache, client: GitHubClient, *, repos: list[str], workflow: str | None, bug_label: str
    ) -> None:
        self._cache = cache
        self._client = client
        self.repos = repos
        self._workflow = workflow
        self._bug_label = bug_label
        self._remembered: dict[str, tuple[float, PipelineSummary]] = {}
        self._changes = 0

    def forget(self, repo: str) -> None:
        """Something changed: the next summary is made anew, also one that is being made now is not remembered."""
        self._changes += 1
        if repo in self._remembered:
            self._remembered[repo] = (0.0, self._remembered[repo][1])

    def _asked(self, kind: Kind, repo: str, path_below: str, query: str = "") -> Key:
        path = f"/repos/{repo}/{path_below}" if path_below else f"/repos/{repo}"
        return self._cache.key(kind, path, normalise_query(kind, query.encode()))

    def keys(self, repo: str) -> dict[str, Key]:
        """What a summary asks of GitHub, by part; of the bugs the first page."""
        bugs = f"labels={quote(self._bug_label, safe='')}&state=open&per_page=100"
        closed = "state=closed&sort=updated&direction=desc&per_page=50"
        return {
            "repository": self._asked(Kind.REPOSITORY, repo, ""),
            "open_prs": self._asked(Kind.PULLS, repo, "pulls", f"state=open&per_page={PER_PAGE}"),
            "bugs": self._asked(Kind.ISSUES, repo, "issues", bugs),
            "last_merged_pr": self._asked(Kind.PULLS, repo, "pulls", closed),
            "runs": self._asked(Kind.RUNS, repo, "actions/runs", "per_page=100"),
            "releases": self._asked(Kind.RELEASES, repo, "releases", "per_page=10"),
        }

    async def summary(self, repo: str) -> PipelineSummary:
        at, summary = self._remembered.get(repo, (0.0, None))
        if summary is None or not at or time.monotonic() - at > REMEMBERED_SECONDS:
            changes = self._changes
            gathered = await self._gather(repo)
            limit = self._client.rate_limit
            now = datetime.now(UTC)
            remaining = limit.remaining if limit else None
            summary = summarise(repo, gathered, workflow=self._workflow, remaining=remaining, now=now)
            self._remembered[repo] = (time.monotonic() if changes == self._changes else 0.0, summary)
        return summary

    async def counts(self, repo: str) -> RepositorySummary:
        """Of one among many: two questions of GitHub, where a summary asks six."""
        keys = self.keys(repo)
        try:
            repository, _ = await self._decoded(keys["repository"], Repository)
            open_prs, _ = await self._count(Kind.PULLS, keys["open_prs"])
        except ProblemError as error:
            return RepositorySummary(
                repo=repo, open_issues=None, open_prs=None, url=None, default_branch=None, error=error.detail
            )
        return RepositorySummary(
            repo=repo,
            open_issues=max(0, repository.open_issues_count - open_prs),
            open_prs=open_prs,
            url=repository.html_url,
            default_branch=repository.default_branch,
            description=repository.description,
        )

    def recall(self, repo: str) -> PipelineSummary | None:
        """The last summary that was made, of whatever age; None before the first."""
        return self._remembered.get(repo, (0.0, None))[1]

    async def _gather(self, repo: str) -> Gathered:
        partial: list[Part] = []
        times: list[float] = []

        async def part(name: str, asking: Awaitable[tuple[T, float]]) -> T | None:
            try:
                value, validated_at = await asking
            except ProblemError as error:
                partial.append(Part(part=name, reason=error.detail))
                return None
            times.append(validated_at)
            return value

        def one(name: str, as_type: type[T]) -> Awaitable[T | None]:
            return part(name, self._decoded(keys[name], as_type))

        keys = self.keys(repo)
        repository, open_prs, bugs, closed, runs, releases = await asyncio.gather(
            one("repository", Repository),
            part("open_prs", self._count(Kind.PULLS, keys["open_prs"])),
            part("bugs", self._all_pages(Kind.ISSUES, keys["bugs"], list[Issue])),
            one("last_merged_pr", list[PullRequest]),
            one("runs", WorkflowRuns),
            one("releases", list[Release]),
        )
        if bugs and len(bugs) >= MOST_PAGES * PER_PAGE:
            partial.append(Part(part="bugs", reason=f"Only the first {len(bugs):,} are counted; there may be more."))
        return Gathered(
            repository=repository,
            open_prs=open_prs,
            bugs=bugs,
            closed=closed,
            runs=runs.workflow_runs if runs else None,
            releases=releases,
            partial=partial,
            validated_at=stamp(min(times)) if times else None,
        )

    async def _response(self, key: Key) -> StoredResponse:
        response = (await self._cache.get(key)).response
        if response.status != 200:
            raise ProblemError(502, "github-refused", f"GitHub answered {response.status} for {key.path}.")
        return response

    async def _decoded(self, key: Key, as_type: type[T]) -> tuple[T, float]:
        response = await self._response(key)
        return await _decode(response.body, as_type), response.validated_at

    async def _count(self, kind: Kind, key: Key) -> tuple[int, float]:
        """How many there are: full pages, and what is on the last one. Webhooks keep a single page right."""
        first = await self._response(key)
        pages = last_page(first.links) or 1
        last = first if pages == 1 else await self._response(self._page(kind, key, pages))
        listed = await _decode(last.body, list[msgspec.Raw])
        return (pages - 1) * PER_PAGE + len(listed), min(first.validated_at, last.validated_at)

    def _page(self, kind: Kind, key: Key, page: int) -> Key:
        return self._cache.key(kind, key.path, normalise_query(kind, f"{key.query}&page={page}".encode()))

    async def _all_pages(self, kind: Kind, key: Key, as_type: type[list[T]]) -> tuple[list[T], float]:
        first = await self._response(key)
        pages = min(last_page(first.links) or 1, MOST_PAGES)
        others = [self._response(self._page(kind, key, page)) for page in range(2, pages + 1)]
        responses = [first, *await asyncio.gather(*others)]
        items = [item for response in responses for item in await _decode(response.body, as_type)]
        return items, min(response.validated_at for response in responses)


async def _decode(body: bytes, as_type: type[T]) -> T:
    """In a thread: a page of a hundred runs takes milliseconds."""
    try:
        return await asyncio.to_thread(msgspec.json.decode, body, type=as_type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProblemError(
            502, "github-unexpected", f"GitHub's answer has another shape than documented: {error}"
        ) from None


def routes(pipeline: Pipeline, audience: Admits) -> list[Any]:
    @get("/api/pipeline/summary", summary="What the repository's pipeline looks like now", tags=["pipeline"])
    async def summary(request: AnyRequest, repo: FromQuery[str | None] = None) -> Response[PipelineSummary]:
        """Of the main repository, or of another watched one. What could not be had is named in `partial`."""
        name = repo or (pipeline.repos[0] if pipeline.repos else None)
        if name is None:
            raise ProblemError(503, "not-configured", "No repository is configured. Set CHIMNEY_REPO to owner/name.")
        known = next((one for one in pipeline.repos if one.lower() == name.lower()), None)
        if known is None:
            raise NotFoundException
        public = await audience.admit(known, cast("Scope", request.scope))
        return Response(await pipeline.summary(known), headers=None if public else UNKEPT)

    @get("/api/repos", summary="The repositories watched", tags=["pipeline"])
    async def repos(request: AnyRequest) -> Page[RepositorySummary]:
        """With their open counts, the main one first; private ones only for the scope read."""
        scope = cast("Scope", request.scope)
        names = list(pipeline.repos)
        shown = [True] * len(names) if audience.may_read(scope) else [await _is_shown(name, scope) for name in names]
        seen = [name for name, may in zip(names, shown, strict=True) if may]
        return Page(items=list(await asyncio.gather(*map(pipeline.counts, seen))))

    async def _is_shown(name: str, scope: Scope) -> bool:
        try:
            return await audience.admit(name, scope)
        except ProblemError as error:
            return error.status not in (401, 403)

    return [summary, repos]
