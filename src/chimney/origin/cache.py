"""GitHub through one cache: fresh when it can be, old when it must be, one fetch per key at a time.

An error never replaces a good response. A failure is remembered for a moment, so a broken GitHub is asked once per key
and second, not once per visitor. A waiter that goes away takes nothing with it: the fetch belongs to the cache.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from chimney.core.freshness import (
    NEGATIVE,
    PATCHED,
    UNAUTHENTICATED,
    Action,
    Lifetimes,
    Policy,
    decide,
    may_serve_on_error,
    storable,
    stretched,
)
from chimney.core.grammar import Kind
from chimney.github.client import GitHubClient
from chimney.github.errors import BudgetError, GitHubError, UnexpectedError
from chimney.origin.answer import DRAGONFLY, GITHUB, MEMORY, USUAL, Answer, Key, Removed, Result, key_of
from chimney.origin.asking import as_problem, need, stored_of, validator
from chimney.origin.replicas import Replicas, doubt
from chimney.store.ports import ResponseStore, StoredResponse

FAILURE_SECONDS = 1.0
INEXACT = 2_000  # keys, ~150 B each
TWICE = 2  # in a row: once it may be that a webhook was lost
GONE_SECONDS = 10.0  # a 404 replaces a good response only when it is said again after this time
log = logging.getLogger(__name__)


class Failure(NamedTuple):
    at: float
    error: GitHubError


Overlay = Callable[[Key, StoredResponse, float], Awaitable[StoredResponse]]


async def _as_it_is(_key: Key, fetched: StoredResponse, _asked_at: float) -> StoredResponse:
    """The overlay of a cache that no webhook reaches."""
    return fetched


class GitHubCache:
    """The near tier and the rules around it, with what other replicas hold behind. Everything is on the event loop."""

    def __init__(
        self,
        client: GitHubClient,
        store: ResponseStore,
        *,
        lifetimes: Lifetimes = USUAL,
        replicas: Replicas | None = None,
    ) -> None:
        self._client = client
        self._store = store
        self._lifetimes = lifetimes
        self._replicas = replicas or Replicas(store)
        self.overlay: Overlay = _as_it_is
        self.unchanged: Callable[[Key], None] = lambda _key: None  # what a webhook put in doubt is as it was
        self._inexact: dict[str, int] = {}
        self.invalidations = 0
        self._flights: dict[str, asyncio.Task[Answer]] = {}
        self._failures: dict[str, Failure] = {}
        self._told: GitHubError | None = None
        self.hits = 0
        self.misses = 0

    @property
    def hit_rate_pct(self) -> float | None:
        """None until something was asked for."""
        asked = self.hits + self.misses
        return round(100 * self.hits / asked, 1) if asked else None

    def key(self, kind: Kind, path: str, query: str = "") -> Key:
        """The key of a path that core/grammar rebuilt and of a normalised query, with the lifetime it has here."""
        return key_of(kind, path, query, self._lifetimes)

    def fresh(self, key: Key) -> StoredResponse | None:
        """The stored response when it may be served as it is; None means `get` has to decide."""
        stored = self._store.get(key.text)
        if stored is None or time.time() >= self.fresh_until(key, stored):
            return None
        stored.hits += 1
        self.hits += 1
        return stored

    def fresh_until(self, key: Key, stored: StoredResponse) -> float:
        """Until when (Unix seconds) it may be served as it is, if nothing happens to it."""
        since = stored.validated_at if stored.patched_since is None else stored.patched_since
        return 0.0 if stored.expired else since + self._policy(key, stored).max_age

    def _action(self, key: Key, stored: StoredResponse) -> Action:
        if stored.expired:
            return Action.REVALIDATE
        since = stored.validated_at if stored.patched_since is None else stored.patched_since
        return decide(since, self._policy(key, stored), now=time.time())

    def _policy(self, key: Key, stored: StoredResponse | None) -> Policy:
        if stored is not None and stored.patched_since is not None and not self._may_confirm(key, stored):
            return PATCHED
        policy = key.policy if stored is None or stored.status == 200 else NEGATIVE
        return policy if self._client.authenticated else stretched(policy, UNAUTHENTICATED)

    def _may_confirm(self, key: Key, stored: StoredResponse) -> bool:
        """Whether GitHub can be asked, for nothing, if its answer is what webhooks made of the stored one."""
        return self._client.recipe.knows(stored.body) and self._inexact.get(key.text, 0) < TWICE

    async def get(self, key: Key) -> Answer:
        """The best answer there is. Raises ProblemError when GitHub gives none and nothing usable is stored."""
        stored = self._store.get(key.text)
        action = self._action(key, stored) if stored else Action.FETCH
        if stored is None or action is Action.REVALIDATE:
            return await self._ask(key, stored, self._policy(key, stored))
        stored.hits += 1
        self.hits += 1
        if action is Action.SERVE_AND_REVALIDATE:
            failure = self._recent_failure(key)
            if failure is None:
                self._fly(key)
            return Answer(stored, Result.STALE, failure)
        return Answer(stored, Result.HIT)

    async def _ask(self, key: Key, stored: StoredResponse | None, policy: Policy) -> Answer:
        collapsed = key.text in self._flights
        failure = self._recent_failure(key)
        try:
            if failure is not None:
                raise failure
            answer = await asyncio.shield(self._fly(key))
        except GitHubError as error:
            self.misses += 1
            stored = self._store.get(key.text) or stored  # the far tier may have had an old one
            if stored and may_serve_on_error(stored.validated_at, policy, now=time.time()):
                return Answer(stored, Result.STALE, error)
            raise as_problem(error) from error
        if collapsed:
            answer = answer._replace(result=Result.COLLAPSED, tier=MEMORY)
        self.misses += answer.result is Result.MISS
        self.hits += answer.result is not Result.MISS
        return answer

    def _recent_failure(self, key: Key) -> GitHubError | None:
        """Without the stacks of those who were told before: each raising would add one to it."""
        failure = self._failures.get(key.text)
        if failure is None or time.time() - failure.at >= FAILURE_SECONDS:
            return None
        return failure.error.with_traceback(None)

    def _fly(self, key: Key) -> asyncio.Task[Answer]:
        """The one request to GitHub for this key: the running one, or a new one."""
        flight = self._flights.get(key.text)
        if flight is None:
            flight = asyncio.create_task(self._fetch(key), name=f"fetch {key.text}")
            self._flights[key.text] = flight
            flight.add_done_callback(lambda done: self._landed(key, done))
        return flight

    def _landed(self, key: Key, flight: asyncio.Task[Answer]) -> None:
        del self._flights[key.text]
        error = None if flight.cancelled() else flight.exception()
        if error is None:
            self._failures.pop(key.text, None)
        elif isinstance(error, GitHubError):
            if len(self._failures) >= 1000:
                self._failures.pop(next(iter(self._failures)))
            self._failures[key.text] = Failure(time.time(), error)
            if error is not self._told and not isinstance(
                error, BudgetError
            ):  # one wait that GitHub asked for is one error, whatever the number of keys
                log.warning("GitHub could not be asked for %s: %s", key.text, error.said())
            self._told = error
        else:
            log.error("fetching %s failed", key.text, exc_info=error)

    def _is_fresh(self, key: Key, response: StoredResponse) -> bool:
        return self._action(key, response) is Action.SERVE

    async def look(self, key: Key) -> Answer:
        """Asks GitHub, whatever is stored. Raises GitHubError."""
        return await asyncio.shield(self._fly(key))

    def replace(self, key: Key, old: StoredResponse, new: StoredResponse) -> bool:
        """Puts `new` in the place of `old`, here and in the other replicas; False when `old` is not there any more."""
        if self._store.get(key.text) is not old:
            return False
        new.lifetime = self._policy(key, new).max_age
        self._store.put(key.text, new)
        self._replicas.tell(key.text)
        return True

    def tag_of(self, body: bytes) -> str | None:
        """What GitHub would call this body; None when that is not known."""
        return self._client.tag_of(body)

    async def _fetch(self, key: Key) -> Answer:
        """What another replica has when it is fresh, else what GitHub says; stored before return."""
        stored = self._store.get(key.text)
        if not key.policy.max_age:
            return await self._ask_github(key, stored)  # what is asked live is nothing to share
        shared = await self._replicas.share(key.text, stored, partial(self._is_fresh, key))
        if shared is not None:
            shared = await self.overlay(key, shared, shared.validated_at)
            shared.hits = stored.hits if stored else 0
            self._store.put(key.text, shared)
            if self._is_fresh(key, shared):
                return Answer(shared, Result.HIT, tier=DRAGONFLY)
        try:
            return await self._ask_github(key, shared or stored)
        finally:
            self._replicas.tell(key.text)

    async def _ask_github(self, key: Key, stored: StoredResponse | None) -> Answer:
        """Conditionally when a validator of our own token is held.

        The response stays referenced here meanwhile: an eviction between question and 304 costs nothing.
        """
        before, asked_at = self.invalidations, time.time()
        await self._client.sign_in()
        etag = validator(stored, self._client)
        reply = await self._client.get(key.path, key.query, etag=etag, need=need(stored))
        now = time.time()
        if reply.status == 304 and stored is not None and etag is not None:
            news = self._store.get(key.text)
            if news is not None and news is not stored:  # a webhook was faster than GitHub's answer
                return Answer(news, Result.REVALIDATED, tier=GITHUB)
            self._still(key, stored, reply.etag or etag, now=now)
            self._keep(key, stored, doubtful=before != self.invalidations)
            return Answer(stored, Result.REVALIDATED, tier=GITHUB)
        if not storable(reply.status):
            raise UnexpectedError(f"GitHub answered {reply.status}", status=reply.status)
        fetched = stored_of(reply, identity=self._client.identity, now=now)
        if reply.status != 200 and stored is not None and stored.status == 200:
            stored.gone_at = stored.gone_at or now
            if now - stored.gone_at < GONE_SECONDS:
                raise UnexpectedError(f"GitHub answered {reply.status}, which may pass", status=reply.status)
        fetched = await self.overlay(key, fetched, asked_at)
        if etag and stored and stored.patched_since and not stored.expired and not fetched.patched_since:
            self._mark_inexact(key)
        self._keep(key, fetched, doubtful=before != self.invalidations)
        return Answer(fetched, Result.MISS, tier=GITHUB)

    def _still(self, key: Key, stored: StoredResponse, tag: str, *, now: float) -> None:
        """GitHub has the very same: also when webhooks made it, it is now as GitHub sent it."""
        if stored.patched_since is not None:
            stored.patched_since = stored.as_of = None
            self._inexact.pop(key.text, None)
        stored.validated_at, stored.gone_at = now, None
        stored.etag, stored.identity = tag, self._client.identity
        if stored.expired:
            stored.expired = False
            self.unchanged(key)

    def _mark_inexact(self, key: Key) -> None:
        """What webhooks made of it is not GitHub's answer to the byte, so asking costs quota: done less often."""
        self._inexact[key.text] = self._inexact.get(key.text, 0) + 1
        if len(self._inexact) > INEXACT:
            self._inexact.pop(next(iter(self._inexact)))

    def _keep(self, key: Key, response: StoredResponse, *, doubtful: bool) -> None:
        """What GitHub said before somebody invalidated is kept, and stale at once."""
        response.lifetime = self._policy(key, response).max_age
        self._store.put(key.text, response)
        if doubtful:
            doubt(response, now=time.time())

    async def invalidate(self, prefix: str | None) -> Removed:
        """Removes `prefix` and all below it by whole segments, everything for None, in both tiers and all replicas."""
        self.invalidations += 1
        self._failures.clear()
        memory = self._store.clear() if prefix is None else self._store.remove_prefix(prefix)
        return Removed(memory, await self._replicas.drop(prefix))

    async def close(self) -> None:
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
