"""GitHub's deployment API, told of what is reported here: never in the way of a report, and tried until it succeeds.

One deployment is told at a time, by one slot or replica at a time. Before one is made, GitHub is asked whether it has
it already: made by us before a crash, or by the job itself.
"""

import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from chimney.core.deployment import is_whole
from chimney.core.github_deployment import (
    Told,
    creation,
    from_same_job,
    is_due,
    next_state,
    ours,
    status_body,
    tells_the_same,
)
from chimney.core.redact import safe
from chimney.github.client import GitHubClient
from chimney.github.errors import GitHubError, UnexpectedError
from chimney.github.reply import Reply
from chimney.origin.deployments import Deployments
from chimney.origin.lease import Lease
from chimney.store.errors import StoreError
from chimney.store.told import ToldLog
from chimney.wire.deployment import Deployment
from chimney.wire.github_deployment import (
    GitHubDeployment,
    GitHubDeploymentStatus,
    GitHubTelling,
    State,
    Telling,
)

BETWEEN_CHANGES = 1.0  # GitHub asks for a second at least
LOOKED_AT = 50  # of the newest deployments
LONGEST_WAIT = 300.0
OFF_SECONDS = 3600.0  # after which it is tried again: somebody may have given the token the right
T = TypeVar("T")
log = logging.getLogger(__name__)
Claim = Callable[[str], Awaitable[bool]]


class MayNotError(Exception):
    """The token may not."""


class GitHubDeployments:
    """`claim` is asked before a deployment is told, `release` after: replicas without a common file do not both."""

    def __init__(
        self, client: GitHubClient, kept: ToldLog, deployments: Deployments, *, environment_url: str | None, turn: Lease
    ) -> None:
        self._client = client
        self._kept = kept
        self._deployments = deployments
        self._environment_url = environment_url
        self._turn = turn
        self._failures = 0
        self._off_until = 0.0
        self._problem: str | None = None
        self._waiting = 0
        self.claim: Claim = _always
        self.release: Callable[[str], Awaitable[None]] = _nothing
        self.counts: Counter[str] = Counter()

    def close(self) -> None:
        """After the loop has ended: the other slot may go on."""
        self._turn.close()

    def health(self) -> GitHubTelling:
        off = time.monotonic() < self._off_until
        return GitHubTelling(state=Telling.OFF if off else Telling.ON, detail=self._problem, waiting=self._waiting)

    async def tell(self) -> float:
        """A loop's verb: one step for each deployment that has one."""
        left = self._off_until - time.monotonic()
        if left > 0:
            return left
        try:
            again = await self._tell()
        except MayNotError as error:
            return self._switch_off(error)
        except (GitHubError, StoreError) as error:
            self._problem = str(error)
            self._failures += 1
            self.counts["failed"] += 1
            log.info("GitHub is not told of a deployment yet: %s", error)
            return min(LONGEST_WAIT, 2.0 ** min(self._failures, 10))
        self._problem, self._failures = None, 0
        return BETWEEN_CHANGES if again else 60.0

    def _switch_off(self, error: MayNotError) -> float:
        if self._problem is None or "may not" not in self._problem:
            log.warning("GitHub is not told of deployments: %s", error)
        self._problem = str(error)
        self._off_until = time.monotonic() + OFF_SECONDS
        return OFF_SECONDS

    async def _tell(self) -> bool:
        """Whether there is more to tell, or somebody else is at it."""
        turn = self._turn.held()  # before what is known is read
        newest = self._deployments.timeline[-LOOKED_AT:]
        known = await self._kept.of([one.id for one in newest]) if newest else {}
        now = datetime.now(UTC)
        due = [one for one in newest if is_due(one, known.get(one.id, Told()), now=now)]
        self._waiting = len(due)
        if not turn:
            return bool(due)  # the other slot is at it
        for deployment in due:
            name = f"github-deployment/{deployment.id}"
            if not await self.claim(name):
                continue
            try:
                told = await self._step(deployment, known.get(deployment.id, Told()))
            finally:
                await self.release(name)
            await self._kept.put(deployment.id, told)
            return True
        return bool(due)

    async def _step(self, deployment: Deployment, told: Told) -> Told:
        """What GitHub knows after one more request."""
        if told.number is None:
            return await self._found(deployment) or await self._create(deployment)
        state = next_state(deployment, told)
        if state is None:
            return told
        seen = await self._state(told.number) if self.claim is not _always else None
        if seen is not None and seen is not told.state:
            return msgspec.structs.replace(told, state=seen)  # another replica was first
        body = status_body(deployment, state, self._environment_url)
        reply = await self._post(f"{self._path}/{told.number}/statuses", body)
        if reply.status >= 300:
            return self._close(told, deployment, reply)
        self.counts["told"] += 1
        return msgspec.structs.replace(told, state=state)

    @property
    def _path(self) -> str:
        return f"/repos/{self._deployments.place.repo}/deployments"

    async def _found(self, deployment: Deployment) -> Told | None:
        """What GitHub has of it already; None when it has nothing."""
        by = "sha" if is_whole(deployment.revision) else "ref"
        query = f"{by}={deployment.revision}&environment={quote(deployment.environment)}&per_page=30"
        listed = await self._get(self._path, query, list[GitHubDeployment])
        made = ours(listed, deployment)
        if made is not None:
            self.counts["found"] += 1
            return Told(number=made.id, state=await self._state(made.id))
        for one in listed:
            if from_same_job(one, deployment):
                state = await self._latest(one.id)
                if tells_the_same(one, state, deployment):
                    return Told(number=one.id, closed="the job tells GitHub itself")
        return None

    async def _latest(self, number: int) -> str:
        statuses = await self._get(f"{self._path}/{number}/statuses", "per_page=1", list[GitHubDeploymentStatus])
        return statuses[0].state if statuses else "queued"

    async def _state(self, number: int) -> State | None:
        latest = await self._latest(number)
        return State(latest) if latest in list(State) else None

    async def _create(self, deployment: Deployment) -> Told:
        reply = await self._post(self._path, creation(deployment))
        if reply.status != 201:
            return self._close(Told(), deployment, reply)
        self.counts["created"] += 1
        return Told(number=_decoded(reply, GitHubDeployment).id)

    def _close(self, told: Told, deployment: Deployment, reply: Reply) -> Told:
        """GitHub will not have it, now or later."""
        why = safe(f"GitHub answered {reply.status}: {reply.body[:200].decode('utf-8', 'replace')}", longest=300)
        log.warning("GitHub takes no deployment of %s: %s", deployment.revision[:12], why)
        self.counts["refused"] += 1
        return msgspec.structs.replace(told, closed=why)

    async def _get(self, path: str, query: str, as_type: type[T]) -> T:
        return _decoded(_permitted(await self._client.get(path, query)), as_type)

    async def _post(self, path: str, body: dict[str, Any]) -> Reply:
        return _permitted(await self._client.post(path, msgspec.json.encode(body)))


async def _always(_name: str) -> bool:
    return True


async def _nothing(_name: str) -> None:
    """Where nobody else waits for it."""


def _permitted(reply: Reply) -> Reply:
    if reply.status in (403, 404):
        raise MayNotError(
            f"the token may not (GitHub answered {reply.status}); it needs the right to write deployments"
        )
    return reply


def _decoded(reply: Reply, as_type: type[T]) -> T:
    try:
        return msgspec.json.decode(reply.body, type=as_type)
    except (msgspec.DecodeError, RecursionError) as error:
        message = f"GitHub's deployments have another shape than documented: {error}"
        raise UnexpectedError(message, status=reply.status) from None
