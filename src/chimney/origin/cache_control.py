"""Looking into the cache and acting on it: stats, invalidate, warm. Each act is an event."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import Body, FromQuery, QueryParameter

from chimney.core.prefix import BadPrefixError, prefix_of
from chimney.origin.answer import MEMORY, Key
from chimney.origin.cache import GitHubCache
from chimney.origin.events import EventLog
from chimney.origin.pipeline import Pipeline
from chimney.origin.proxy import BELOW, DROP_IN, Proxy
from chimney.origin.replicas import Replicas
from chimney.store.memory import MemoryStore
from chimney.store.ports import StoredResponse
from chimney.web.problem import ProblemError
from chimney.wire.cache import (
    CachedKey,
    CacheStats,
    DragonflyTier,
    Invalidated,
    Invalidation,
    MemoryTier,
    Tiers,
    Warming,
    WarmRequest,
)
from chimney.wire.problem import Fault

MOST_PATHS = 100
WAITING = 10  # requests to warm that may stand in line
EVICTIONS_SECONDS = 60.0
DASHBOARD = ("pulls?state=open", "issues?state=open", "actions/runs", "releases", "deployments", "branches")
log = logging.getLogger(__name__)


class CacheControl:
    """`warmed` counts the paths fetched on purpose."""

    def __init__(
        self,
        cache: GitHubCache,
        near: MemoryStore,
        replicas: Replicas,
        proxy: Proxy,
        pipeline: Pipeline,
        events: EventLog,
    ) -> None:
        self._cache = cache
        self._near = near
        self._replicas = replicas
        self._proxy = proxy
        self._pipeline = pipeline
        self._events = events
        self._warming: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()
        self._evictions_told = 0
        self.warmed = 0

    async def stats(self, *, limit: int, before: str | None) -> CacheStats:
        """In a thread, because tens of thousands of keys take a moment to sort."""
        entries = list(self._near.entries())
        now = time.time()
        keys, after = await asyncio.to_thread(_page, entries, now, limit, before)
        ages = await asyncio.to_thread(self._near.ages, now)
        return CacheStats(
            entries=len(self._near),
            bytes=self._near.bytes,
            hits=self._cache.hits,
            misses=self._cache.misses,
            hit_rate_pct=self._cache.hit_rate_pct,
            tiers=self._tiers(),
            age_seconds_p50=_quantile(ages, 0.5),
            age_seconds_p95=_quantile(ages, 0.95),
            keys=keys,
            next=after,
        )

    def _tiers(self) -> Tiers:
        near, replicas = self._near, self._replicas
        server = replicas.far.health()
        return Tiers(
            memory=MemoryTier(entries=len(near), bytes=near.bytes, capacity_bytes=near.capacity, evicted=near.evicted),
            dragonfly=DragonflyTier(
                status=server.status,
                keys=server.keys,
                memory_bytes=server.memory_bytes,
                latency_ms=server.latency_ms,
                hits=replicas.far.hits,
                misses=replicas.far.misses,
                garbage=replicas.far.garbage,
                waiting=replicas.waiting,
                dropped=replicas.dropped,
            ),
        )

    async def invalidate(self, asked: Invalidation) -> Invalidated:
        if asked.all == (asked.path is not None):
            raise _malformed("$", "should have either path or all: true")
        reason = asked.reason[:500] if asked.reason else None
        removed = await self._cache.invalidate(self._prefix(asked.path) if asked.path is not None else None)
        told = Invalidated(
            evicted=removed.memory + removed.dragonfly,
            memory=removed.memory,
            dragonfly=removed.dragonfly,
            path=asked.path,
            reason=reason,
        )
        data = {name: getattr(told, name) for name in told.__struct_fields__}
        self._events.say("cache_invalidated", f"Invalidated: {asked.path or 'everything'}", **data)
        return told

    def _prefix(self, path: str) -> str:
        try:
            return prefix_of(path, repo=self._proxy.repo, repos=self._proxy.repos)
        except BadPrefixError as error:
            raise _malformed("$.path", str(error)) from None

    def warm(self, asked: WarmRequest) -> Warming:
        """Begins to fetch; what is fresh already is not fetched again."""
        if asked.paths is not None and len(asked.paths) > MOST_PATHS:
            raise _malformed("$.paths", f"should be at most {MOST_PATHS}")
        if len(self._warming) >= WAITING:
            raise ProblemError(
                503, "busy", "The cache is being warmed already. Try again.", headers=[(b"retry-after", b"5")]
            )
        keys = self._usual() if asked.paths is None else [self._key(*one) for one in enumerate(asked.paths)]
        unique = list({key.text: key for key in keys}.values())
        task = asyncio.create_task(self._fetch(unique), name="warm")
        self._warming.add(task)
        task.add_done_callback(self._warming.discard)
        return Warming(warming=[key.text for key in unique])

    def _usual(self) -> list[Key]:
        keys = [key for repo in self._pipeline.repos for key in self._pipeline.keys(repo).values()]
        listed = [f"{DROP_IN}repos/{repo}/{below}" for repo in self._pipeline.repos[:1] for below in DASHBOARD]
        return keys + [self._key(*one) for one in enumerate(listed)]

    def _key(self, place: int, said: str) -> Key:
        """As the proxy takes it: `pulls`, `/repos/o/r/pulls` or `/api/github/pulls`, with a query if need be."""
        path, _, query = said.partition("?")
        full = path.startswith(("/repos/", "repos/", "/orgs/", "orgs/"))
        ours = path.startswith((BELOW, DROP_IN))
        target = path if ours else (DROP_IN if full else BELOW) + path.removeprefix("/")
        try:
            return self._proxy.understand(target.encode(), query.encode()).key
        except ProblemError as error:
            raise _malformed(f"$.paths[{place}]", f"{said[:200]!r}: {error.detail}") from None

    async def _fetch(self, keys: list[Key]) -> None:
        async with self._turn:
            outcomes = await asyncio.gather(*(self._cache.get(key) for key in keys), return_exceptions=True)
        failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        self.warmed += len(keys) - len(failed)
        for outcome in failed:
            if not isinstance(outcome, ProblemError):
                log.error("warming the cache failed", exc_info=outcome)
        message = f"Warmed {len(keys) - len(failed)} of {len(keys)} paths"
        self._events.say("cache_warmed", message, paths=[key.text for key in keys], failed=len(failed))

    async def tell_evictions(self) -> float:
        """A loop's verb: one event for all that was evicted since the last round."""
        evicted = self._near.evicted - self._evictions_told
        self._evictions_told = self._near.evicted
        if evicted:
            message = f"{evicted} stored responses made room for others"
            self._events.say("cache_evicted", message, evicted=evicted, entries=len(self._near), bytes=self._near.bytes)
        return EVICTIONS_SECONDS

    async def close(self) -> None:
        for task in self._warming:
            task.cancel()
        await asyncio.gather(*self._warming, return_exceptions=True)


def _malformed(path: str, detail: str) -> ProblemError:
    return ProblemError(400, "malformed", f"{path}: {detail}", errors=[Fault(path=path, detail=detail)])


def _quantile(ages: list[float], share: float) -> float | None:
    return round(ages[min(len(ages) - 1, int(share * len(ages)))], 1) if ages else None


Entries = list[tuple[str, StoredResponse]]


def _page(entries: Entries, now: float, limit: int, before: str | None) -> tuple[list[CachedKey], str | None]:
    """The newest fetched first. A cursor is a place in that order, so it holds while keys come and go."""
    ordered = sorted(entries, key=_place, reverse=True)
    if before is not None:
        place = _place_of(before)
        ordered = [entry for entry in ordered if _place(entry) < place]
    page = ordered[:limit]
    cursor = f"{page[-1][1].fetched_at!r} {page[-1][0]}" if len(ordered) > limit else None
    return [_listed(key, response, now) for key, response in page], cursor


def _place(entry: tuple[str, StoredResponse]) -> tuple[float, str]:
    return entry[1].fetched_at, entry[0]


def _place_of(cursor: str) -> tuple[float, str]:
    fetched_at, _, key = cursor.partition(" ")
    try:
        return float(fetched_at), key
    except ValueError:
        raise _malformed("query.before", "is not the next of a page before") from None


def _listed(key: str, response: StoredResponse, now: float) -> CachedKey:
    age = max(0.0, now - response.validated_at)
    return CachedKey(
        key=key,
        tier=MEMORY,
        age_seconds=round(age, 1),
        ttl_seconds=round(max(0.0, response.lifetime - age), 1),
        size_bytes=len(response.body),
        status=response.status,
        hits=response.hits,
    )


Limit = Annotated[int, QueryParameter(ge=1, le=500, description="At most so many keys, 1 to 500.")]
Scope = Callable[..., None]


def routes(control: CacheControl, *, read_scope: Scope, operate_scope: Scope) -> list[Any]:
    @get("/api/cache/stats", guards=[read_scope], summary="What the cache holds", tags=["cache"])
    async def stats(limit: Limit = 100, before: FromQuery[str | None] = None) -> CacheStats:
        """`keys` are those in this process's memory, the newest fetched first."""
        return await control.stats(limit=limit, before=before)

    @post(
        "/api/cache/invalidate",
        guards=[operate_scope],
        summary="Remove what is stored under a path",
        tags=["cache"],
        status_code=200,
    )
    async def invalidate(data: Annotated[Invalidation, Body()]) -> Invalidated:
        """From memory, from Dragonfly, and from the memory of every other replica."""
        return await control.invalidate(data)

    @post("/api/cache/warm", guards=[operate_scope], summary="Fetch the usual paths", tags=["cache"])
    async def warm(data: Annotated[WarmRequest, Body()]) -> Response[Warming]:
        """Answers at once; the event `cache_warmed` says how it went."""
        return Response(control.warm(data), status_code=202)

    return [stats, invalidate, warm]
