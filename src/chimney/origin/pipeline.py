"""The pipeline summary: asked of GitHub through the cache, so it costs what a page load costs, nothing."""

import asyncio
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
from litestar import get
from litestar.exceptions import NotFoundException
from litestar.params import FromQuery

from chimney.core.grammar import Kind, normalise_query
from chimney.core.pipeline import Gathered, last_page, summarise
from chimney.github.client import GitHubClient
from chimney.origin.cache import GitHubCache, Key
from chimney.store.ports import StoredResponse
from chimney.web.problem import ProblemError
from chimney.wire.base import Page, stamp
from chimney.wire.github import Issue, PullRequest, Release, Repository, WorkflowRuns
from chimney.wire.pipeline import Part, PipelineSummary, RepositorySummary

T = TypeVar("T")
MOST_PAGES = 10
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

    def _asked(self, kind: Kind, repo: str, path_below: str, query: str = "") -> Key:
        path = f"/repos/{repo}/{path_below}" if path_below else f"/repos/{repo}"
        return self._cache.key(kind, path, normalise_query(kind, query.encode()))

    def keys(self, repo: str) -> dict[str, Key]:
        """What a summary asks of GitHub, by part; of the bugs the first page."""
        bugs = f"labels={quote(self._bug_label, safe='')}&state=open&per_page=100"
        closed = "state=closed&sort=updated&direction=desc&per_page=50"
        return {
            "repository": self._asked(Kind.REPOSITORY, repo, ""),
            "open_prs": self._asked(Kind.PULLS, repo, "pulls", "state=open&per_page=1"),
            "bugs": self._asked(Kind.ISSUES, repo, "issues", bugs),
            "last_merged_pr": self._asked(Kind.PULLS, repo, "pulls", closed),
            "runs": self._asked(Kind.RUNS, repo, "actions/runs", "per_page=100"),
            "releases": self._asked(Kind.RELEASES, repo, "releases", "per_page=10"),
        }

    async def summary(self, repo: str) -> PipelineSummary:
        at, summary = self._remembered.get(repo, (0.0, None))
        if summary is None or time.monotonic() - at > REMEMBERED_SECONDS:
            gathered = await self._gather(repo)
            limit = self._client.rate_limit
            now = datetime.now(UTC)
            remaining = limit.remaining if limit else None
            summary = summarise(repo, gathered, workflow=self._workflow, remaining=remaining, now=now)
            self._remembered[repo] = (time.monotonic(), summary)
        return summary

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
            part("open_prs", self._count(keys["open_prs"])),
            part("bugs", self._all_pages(Kind.ISSUES, keys["bugs"], list[Issue])),
            one("last_merged_pr", list[PullRequest]),
            one("runs", WorkflowRuns),
            one("releases", list[Release]),
        )
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

    async def _count(self, key: Key) -> tuple[int, float]:
        """How many there are, from a page of one: the number of the last page is the count."""
        response = await self._response(key)
        listed = await _decode(response.body, list[msgspec.Raw])
        return last_page(response.links) or len(listed), response.validated_at

    async def _all_pages(self, kind: Kind, key: Key, as_type: type[list[T]]) -> tuple[list[T], float]:
        first = await self._response(key)
        pages = min(last_page(first.links) or 1, MOST_PAGES)
        queries = [normalise_query(kind, f"{key.query}&page={page}".encode()) for page in range(2, pages + 1)]
        others = [self._response(self._cache.key(kind, key.path, query)) for query in queries]
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


def routes(pipeline: Pipeline) -> list[Any]:
    @get("/api/pipeline/summary", summary="What the repository's pipeline looks like now", tags=["pipeline"])
    async def summary(repo: FromQuery[str | None] = None) -> PipelineSummary:
        """Of the main repository, or of another watched one. What could not be had is named in `partial`."""
        name = repo or (pipeline.repos[0] if pipeline.repos else None)
        if name is None:
            raise ProblemError(503, "not-configured", "No repository is configured. Set CHIMNEY_REPO to owner/name.")
        known = next((one for one in pipeline.repos if one.lower() == name.lower()), None)
        if known is None:
            raise NotFoundException
        return await pipeline.summary(known)

    @get("/api/repos", summary="The repositories watched", tags=["pipeline"])
    async def repos() -> Page[RepositorySummary]:
        """With their open counts, the main one first."""
        return Page(items=list(await asyncio.gather(*map(_repository, pipeline.repos))))

    async def _repository(name: str) -> RepositorySummary:
        summary = await pipeline.summary(name)
        return RepositorySummary(
            repo=name,
            open_issues=summary.open_issues,
            open_prs=summary.open_prs,
            url=f"https://github.com/{name}",
            default_branch=summary.default_branch.name if summary.default_branch else None,
            error="; ".join(part.reason for part in summary.partial) or None,
        )

    return [summary, repos]
