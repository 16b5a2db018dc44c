"""What to do with a stored response: RFC 9111 and RFC 5861, no I/O and no clock."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from chimney.core.grammar import Kind


class Action(StrEnum):
    SERVE = "serve"  # fresh
    SERVE_AND_REVALIDATE = "serve-and-revalidate"  # stale, but young enough to answer first
    REVALIDATE = "revalidate"  # stale: ask GitHub before answering
    FETCH = "fetch"  # nothing stored


class Policy(NamedTuple):
    """Freshness lifetime, then the windows of RFC 5861, in seconds. Within `if_error` an old answer beats none."""

    max_age: float
    while_revalidate: float
    if_error: float


_WEEK = timedelta(days=7).total_seconds()


def _policy(lifetime: float) -> Policy:
    """Answer first and revalidate behind for ten lifetimes: a page that polls is never kept waiting."""
    return Policy(lifetime, lifetime * 10, _WEEK)


CLOSED_PULLS, DEFAULT = "closed_pulls", "default"
# Seconds by kind of path. Webhooks make them matter little: they drop or patch what changes.
LIFETIMES: Mapping[str, float] = {
    DEFAULT: 30,
    CLOSED_PULLS: 300,
    Kind.ISSUES: 120,
    Kind.ISSUE: 120,
    Kind.RELEASES: 120,
    Kind.RELEASE: 120,
    Kind.REPOSITORY: 60,
    Kind.FIGURES: 600,
}
ADJUSTABLE = frozenset((DEFAULT, CLOSED_PULLS, *Kind)) - {Kind.RATE_LIMIT}  # what is asked live is never kept
UNAUTHENTICATED = 10  # without a token 60 requests an hour must do, and each 304 is charged: everything lasts longer
# Patched by webhooks, which go on telling what changes; a look costs a request of the quota, because our validator is
# not GitHub's. Once an hour it shows what no webhook told.
PATCHED = _policy(3600)
NEGATIVE = Policy(10, 0, 0)  # 404 and 410: a blip must not last


class Lifetimes:
    """The policy of every kind of path, with the lifetimes that the settings give in place of ours."""

    def __init__(self, said: Mapping[str, float] | None = None) -> None:
        seconds = {**LIFETIMES, **(said or {})}
        self._by_kind = {kind: _policy(seconds.get(kind, seconds[DEFAULT])) for kind in Kind}
        self._by_kind[Kind.RATE_LIMIT] = Policy(0, 0, 0)
        self._closed_pulls = _policy(seconds[CLOSED_PULLS])

    def policy(self, kind: Kind, query: str) -> Policy:
        if kind is Kind.PULLS and "state=closed" in query:
            return self._closed_pulls
        return self._by_kind[kind]


def stretched(policy: Policy, factor: float) -> Policy:
    """The policy with a longer lifetime; how long an old answer beats none stays as it is."""
    return policy._replace(max_age=policy.max_age * factor, while_revalidate=policy.while_revalidate * factor)


def decide(validated_at: float | None, policy: Policy, *, now: float) -> Action:
    """By the age since GitHub last said that the response is good. A clock that stepped back makes it fresh."""
    if validated_at is None:
        return Action.FETCH
    age = now - validated_at
    if age < policy.max_age:
        return Action.SERVE
    if age < policy.max_age + policy.while_revalidate:
        return Action.SERVE_AND_REVALIDATE
    return Action.REVALIDATE


def may_serve_on_error(validated_at: float, policy: Policy, *, now: float) -> bool:
    return now - validated_at < policy.max_age + policy.if_error


def storable(status: int) -> bool:
    """Good answers, and two negative ones for a short while. Everything else is an error and replaces nothing."""
    return status in (200, 404, 410)
