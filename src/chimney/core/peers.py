"""Origins that are slots or replicas of one service: what one of them knows is true of the others too. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import msgspec

from chimney.core.facts import OriginFacts, Peers
from chimney.wire.deployment import Deployment

SETTLES = timedelta(seconds=30)  # what a deployment restarts may be away for so long after its end was reported
Key = tuple[str, str]


def key_of(origin: OriginFacts) -> Key:
    """Repository and environment; an origin without a repository stands alone."""
    health = origin.health
    return (health.repo, health.environment) if health and health.repo else ("", origin.name)


def groups(origins: Iterable[OriginFacts], *, now: datetime) -> dict[Key, Peers]:
    """By key, in the order in which the origins are configured."""
    members: dict[Key, list[OriginFacts]] = {}
    for origin in origins:
        members.setdefault(key_of(origin), []).append(origin)
    return {key: _peers(group, now) for key, group in members.items()}


def with_peers(origins: Iterable[OriginFacts], *, now: datetime) -> Iterator[OriginFacts]:
    listed = list(origins)
    known = groups(listed, now=now)
    return (msgspec.structs.replace(origin, peers=known[key_of(origin)]) for origin in listed)


def _peers(group: list[OriginFacts], now: datetime) -> Peers:
    deploying = (one for origin in group if (one := deploying_of(origin, now)))
    taken = [
        origin.health.webhooks.last_at
        for origin in group
        if origin.health and origin.health.webhooks and origin.health.webhooks.last_at
    ]
    dead = {
        (origin.edge.id if origin.edge else None, origin.health.slot)
        for origin in group
        if origin.failure and origin.health and origin.health.slot
    }
    return Peers(
        anchor=group[0].name,
        deploying=next(deploying, None),
        webhook_at=max(taken, default=None),
        dead=frozenset(dead),
    )


def deploying_of(origin: OriginFacts, now: datetime) -> Deployment | None:
    """A deployment that goes on, or ended so lately that what it restarted may not be there yet."""
    status = origin.deploy
    if status is None:
        return None
    if status.in_progress:
        return status.in_progress
    last = status.last_deploy
    return last if last and last.ended_at and now - last.ended_at < SETTLES else None
