"""What the cache holds, and how an operator acts on it."""

from chimney.wire.base import Message


class CachedKey(Message, frozen=True, kw_only=True):
    """`ttl_seconds` is how long it stays fresh, 0 when stale; `status` is GitHub's; `hits` since it was fetched."""

    key: str
    tier: str
    age_seconds: float
    ttl_seconds: float
    size_bytes: int
    status: int
    hits: int


class MemoryTier(Message, frozen=True, kw_only=True):
    """`evicted` counts what made room for others since the start."""

    entries: int
    bytes: int
    capacity_bytes: int
    evicted: int


class DragonflyTier(Message, frozen=True, kw_only=True):
    """`status` as on /healthz; the figures of the server are None unless connected.

    `hits` and `misses` are this process's own, `garbage` what was found there and removed, `waiting` what is still to
    be told to other replicas and `dropped` what never will be.
    """

    status: str
    keys: int | None
    memory_bytes: int | None
    latency_ms: float | None
    hits: int
    misses: int
    garbage: int
    waiting: int
    dropped: int


class Tiers(Message, frozen=True, kw_only=True):
    memory: MemoryTier
    dragonfly: DragonflyTier


class CacheStats(Message, frozen=True, kw_only=True):
    """`keys` is a page, the newest fetched first. Ages are None while nothing is stored, the rate until first asked."""

    entries: int
    bytes: int
    hits: int
    misses: int
    hit_rate_pct: float | None
    tiers: Tiers
    age_seconds_p50: float | None
    age_seconds_p95: float | None
    keys: list[CachedKey]
    next: str | None


class Invalidation(Message, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Either `path`, a prefix by whole segments, or `all`."""

    path: str | None = None
    all: bool = False
    reason: str | None = None


class Invalidated(Message, frozen=True, kw_only=True):
    """How many stored responses were removed; `evicted` is the sum of both tiers. `path` is None for everything."""

    evicted: int
    memory: int
    dragonfly: int
    path: str | None
    reason: str | None


class WarmRequest(Message, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """None means the usual paths: those of the pipeline summary and of a dashboard."""

    paths: list[str] | None = None


class Warming(Message, frozen=True, kw_only=True):
    """What is being fetched, as GitHub's paths."""

    warming: list[str]


class OriginCache(Message, frozen=True, kw_only=True):
    """One origin's cache, as the table shows it; `stats` is None when it could not be had, `reason` then says why."""

    origin: str
    stats: CacheStats | None
    reason: str | None
