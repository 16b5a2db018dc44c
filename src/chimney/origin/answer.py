"""What is asked of the cache, and what it answers."""

from enum import StrEnum
from typing import NamedTuple

from chimney.core.freshness import Lifetimes, Policy
from chimney.core.grammar import Kind
from chimney.github.errors import GitHubError
from chimney.store.ports import StoredResponse

MEMORY, DRAGONFLY, GITHUB = "memory", "dragonfly", "github"  # tiers, as the record and the metric say them
USUAL = Lifetimes()


class Result(StrEnum):
    """How an answer came about: the same word in the record, the metric and `Cache-Status`."""

    HIT = "hit"
    MISS = "miss"
    STALE = "stale"
    REVALIDATED = "revalidated"
    COLLAPSED = "collapsed"
    BYPASS = "bypass"


class Key(NamedTuple):
    """What is asked: the rebuilt path and the normalised query, both together as text, and the lifetime of a 200."""

    path: str
    query: str
    text: str
    policy: Policy


def key_of(kind: Kind, path: str, query: str, lifetimes: Lifetimes = USUAL) -> Key:
    return Key(path, query, f"{path}?{query}" if query else path, lifetimes.policy(kind, query))


class Answer(NamedTuple):
    """A stored response, how it came and whence. `problem` says why it is old, when asking GitHub failed."""

    response: StoredResponse
    result: Result
    problem: GitHubError | None = None
    tier: str = MEMORY


class Removed(NamedTuple):
    """How many stored responses were removed from each tier."""

    memory: int
    dragonfly: int
