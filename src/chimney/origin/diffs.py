"""The diff of two revisions, over GitHub's comparison and through the cache."""

import asyncio
import time
from typing import Any

import msgspec
from litestar import get
from litestar.params import FromQuery

from chimney.core import diff as rules
from chimney.core.deployment import same_revision
from chimney.core.grammar import Kind
from chimney.origin.cache import GitHubCache
from chimney.origin.deployments import Deployments
from chimney.store.ports import StoredResponse
from chimney.web.problem import ProblemError
from chimney.wire.base import stamp
from chimney.wire.deployment import Phase
from chimney.wire.diff import Diff
from chimney.wire.github_compare import Comparison
from chimney.wire.problem import Fault


class Diffs:
    def __init__(self, cache: GitHubCache, deployments: Deployments) -> None:
        self._cache = cache
        self._deployments = deployments

    async def between(self, base: str | None, head: str | None) -> Diff:
        """Left out is what was deployed: the last deployment, and the good one before it. Raises ProblemError."""
        if base is None or head is None:
            base, head = self._deployed(base, head)
        for name, revision in (("base", base), ("head", head)):
            if not rules.is_revision(revision):
                raise _malformed(f"query.{name}", "should be a revision or a tag")
        repo = self._repo()
        stored = await self._stored(repo, base, head)
        comparison = await _decoded(stored)
        commits = [rules.commit_of(one, repo) for one in comparison.commits[::-1]]
        return Diff(
            repo=repo,
            base=base,
            head=head,
            status=comparison.status,
            ahead_by=comparison.ahead_by,
            behind_by=comparison.behind_by,
            commits=commits,
            pull_requests=rules.pull_requests(commits),
            files=[rules.file_of(one) for one in comparison.files],
            authors=rules.authors(commits),
            truncated=rules.is_truncated(comparison),
            compare_url=f"https://github.com/{repo}/compare/{base}...{head}",
            fetched_at=stamp(stored.validated_at),
            age_seconds=round(max(0.0, time.time() - stored.validated_at), 1),
        )

    async def contains(self, base: str, head: str) -> bool | None:
        """Whether `head` has `base` in its history; None when GitHub cannot tell. Raises ProblemError."""
        if same_revision(base, head):
            return True
        if self._deployments.place.repo is None:
            return None
        try:
            return rules.contains(await _decoded(await self._stored(self._repo(), base, head)))
        except ProblemError as error:
            if error.slug == "not-found":
                return None
            raise

    def _repo(self) -> str:
        repo = self._deployments.place.repo
        if repo is None:
            raise ProblemError(503, "not-configured", "No repository is configured. Set CHIMNEY_REPO to owner/name.")
        return repo

    def _deployed(self, base: str | None, head: str | None) -> tuple[str, str]:
        here = [one for one in self._deployments.timeline if one.environment == self._deployments.place.environment]
        last = head or (here[-1].revision if here else None)
        good = [one.revision for one in here if one.phase is Phase.SUCCEEDED]
        before = base or next((one for one in reversed(good) if last and not same_revision(one, last)), None)
        if last is None or before is None:
            missing = "head" if last is None else "base"
            raise _malformed(f"query.{missing}", "is needed: there are no two deployments to compare yet")
        return before, last

    async def _stored(self, repo: str, base: str, head: str) -> StoredResponse:
        key = self._cache.key(Kind.COMMIT, f"/repos/{repo}/compare/{base}...{head}", "")
        stored = (await self._cache.get(key)).response
        if stored.status == 404:
            raise ProblemError(
                404, "not-found", f"GitHub does not know one of the revisions {base} and {head} in {repo}."
            )
        if stored.status != 200:
            raise ProblemError(502, "github-refused", f"GitHub answered {stored.status} for the comparison.")
        return stored


async def _decoded(stored: StoredResponse) -> Comparison:
    """In a thread: with its patches a comparison has megabytes."""
    try:
        return await asyncio.to_thread(msgspec.json.decode, stored.body, type=Comparison)
    except (msgspec.DecodeError, RecursionError) as error:
        detail = f"GitHub's comparison has another shape than documented: {error}"
        raise ProblemError(502, "github-unexpected", detail) from None


def _malformed(path: str, detail: str) -> ProblemError:
    return ProblemError(400, "malformed", f"{path}: {detail}", errors=[Fault(path=path, detail=detail)])


def routes(diffs: Diffs, *, public_scope: Any) -> list[Any]:
    @get("/api/deploy/diff", guards=[public_scope], summary="What lies between two revisions", tags=["deployments"])
    async def between(base: FromQuery[str | None] = None, head: FromQuery[str | None] = None) -> Diff:
        """Commits, pull requests, files, authors. Without `base` and `head`: what the last deployment changed."""
        return await diffs.between(base, head)

    return [between]
