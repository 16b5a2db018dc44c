"""Findings about what an origin stores: its own cache, and the one that it shares."""

from datetime import datetime

from chimney.core.facts import OriginFacts
from chimney.core.finding_of import of_origin
from chimney.wire.act import Act
from chimney.wire.finding import Evidence, Finding, FindingAct, Severity

CONNECTS_SECONDS = 30.0  # a process that has just begun may still be connecting
COLD_AFTER_SECONDS = 120.0  # a cache that has just begun is empty, and that is no finding
COLD_PCT, LEAST_ASKED = 50.0, 100


def dragonfly(origin: OriginFacts, now: datetime) -> Finding | None:
    health = origin.health
    status = health.dragonfly.status if health else "not_configured"
    if origin.failure or health is None or status in ("connected", "not_configured"):
        return None
    if health.uptime_seconds < CONNECTS_SECONDS:
        return None
    return of_origin(
        "dragonfly_unreachable",
        origin,
        shared=True,
        severity=Severity.WARNING,
        since=now,
        title=f"Origin {origin.name} cannot reach Dragonfly",
        detail="It goes on from its own memory: visitors are answered as before. Replicas do not share responses and"
        " events meanwhile, and after a restart the cache is empty.",
        evidence=[Evidence(what="status", value=status, at=origin.probed_at)],
        remedy="Check that Dragonfly runs (redis-cli -u with CHIMNEY_DRAGONFLY_URL ping, from the origin's machine),"
        " its password, and the network between. It is used again by itself when it answers.",
    )


def dragonfly_full(origin: OriginFacts, now: datetime) -> Finding | None:
    shared = origin.health.dragonfly if origin.health else None
    if origin.failure or shared is None or not shared.full:
        return None
    return of_origin(
        "dragonfly_full",
        origin,
        shared=True,
        severity=Severity.WARNING,
        since=now,
        title=f"Dragonfly of origin {origin.name} is full and takes nothing new",
        detail="What it holds is used; what is fetched now is held in the memory of each process only.",
        evidence=[Evidence(what="memory", value=f"{(shared.memory_bytes or 0) / 1e6:,.0f} MB", at=origin.probed_at)],
        remedy="Let it evict (Dragonfly: --cache_mode=true; Redis: maxmemory-policy allkeys-lru), or give it more"
        " memory (maxmemory). See what else writes to it.",
    )


def cold(origin: OriginFacts, now: datetime) -> Finding | None:
    """Nothing is held though there is a repository, or most of what was asked lately was not there."""
    health, asked = origin.health, origin.cache
    if origin.failure or health is None or not health.repo or health.uptime_seconds < COLD_AFTER_SECONDS:
        return None
    empty = health.cache.entries == 0
    rate = 100 * asked.hits / asked.requests if asked and asked.requests >= LEAST_ASKED else None
    if not empty and (rate is None or rate >= COLD_PCT):
        return None
    return of_origin(
        "cache_cold",
        origin,
        severity=Severity.INFO,
        since=now,
        title=f"The cache of origin {origin.name} is cold",
        detail="It holds nothing: whatever is asked for has to be fetched from GitHub first."
        if empty
        else f"Only {rate:.0f} % of what was asked for lately was there; the rest was fetched from GitHub first.",
        evidence=[
            Evidence(what="stored responses", value=f"{health.cache.entries:,}", at=origin.probed_at),
            *([Evidence(what="asked lately", value=f"{asked.requests:,}", at=asked.since)] if asked else []),
        ],
        remedy="Warm it. If it does not stay warm: more is asked for than it has room for, or somebody"
        " invalidates it again and again (the events say so).",
        act=FindingAct(act=Act.WARM, origin=origin.name),
    )
