"""The far tier as its users see it: stored responses that several replicas of an origin share.

It may be slow, full, empty, full of garbage or gone at any moment. Nothing here raises for that, and no call takes
longer than a fifth of a second: what cannot be had is not there, what cannot be kept is not kept.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, Protocol
from zlib import crc32

import msgspec

from chimney.store.ports import StoredResponse
from chimney.wire.health import DragonflyHealth


class Word(StrEnum):
    """What a replica tells the others."""

    STORED = "stored"  # there is a new response under `key`, or the old one was found good again
    RELEASED = "released"  # nobody fetches `key` any more, and there is nothing new
    DROPPED = "dropped"  # `key` and all below it are invalid; everything is when `key` is None
    EVENT = "event"  # GitHub said what `body` says, in a webhook named `key`
    MISSED = "missed"  # events could not be passed on: everything held may be out of date


class News(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One message between replicas. `boot` names the sender, `print` the content and `validated_at` its time."""

    boot: str
    word: Word
    key: str | None
    print: str = ""
    validated_at: float = 0.0
    body: bytes = b""


class KeyPage(NamedTuple):
    """Some of the keys; `next` is where to go on, None at the end."""

    keys: list[str]
    next: int | None


Hear = Callable[[News | None], None]  # None: news were missed, so everything held may be out of date


def print_of(response: StoredResponse) -> str:
    """The same for the same content: status, validator and checksum, and whether it is known to have changed."""
    expired = " expired" if response.expired else ""
    return f"{response.status} {crc32(response.body):08x} {response.etag or ''}{expired}"


class FarTier(Protocol):
    """Shared stored responses, the leases by which replicas share one fetch, and the news between replicas."""

    hits: int
    misses: int
    garbage: int  # what was found there and was no stored response

    @property
    def connected(self) -> bool: ...

    async def get(self, key: str) -> StoredResponse | None: ...

    async def put(self, key: str, response: StoredResponse) -> bool:
        """Keeps it, ends the lease of its key and tells the other replicas. False when it could not be told."""

    async def keys(self, cursor: int) -> KeyPage | None:
        """A page of the keys of what is stored, from 0 on; one may come twice. None when it cannot be had."""

    async def forget(self, key: str) -> bool:
        """Removes one response and tells nobody: what the others hold is theirs. False when that did not succeed."""

    async def drop(self, prefix: str | None) -> int | None:
        """Removes by whole segments, all for None, and tells the others; None when that did not succeed."""

    async def lease(self, key: str) -> bool:
        """True: fetch it yourself. False: another replica is at it."""

    async def release(self, key: str) -> None:
        """The fetch came to nothing: another replica may try."""

    async def publish(self, word: Word, key: str | None = None, body: bytes = b"") -> bool:
        """Tells the other replicas something else; False when it could not be told."""

    def health(self) -> DragonflyHealth: ...

    async def probe(self) -> float:
        """A loop's verb: connects, and asks whether it is still there."""

    async def listen(self, hear: Hear) -> float:
        """A loop's verb: hears what the other replicas tell."""

    def on_lost(self, nudge: Callable[[], None]) -> None:
        """`nudge` is called as soon as a call fails."""

    async def close(self) -> None: ...


class NoFarTier:
    """A FarTier for an origin that stands alone."""

    hits = 0
    misses = 0
    garbage = 0
    connected = False

    async def get(self, _key: str) -> None: ...

    async def put(self, _key: str, _response: StoredResponse) -> bool:
        return False

    async def keys(self, _cursor: int) -> KeyPage | None:
        return KeyPage([], None)

    async def forget(self, _key: str) -> bool:
        return True

    async def drop(self, _prefix: str | None) -> int | None:
        return 0

    async def lease(self, _key: str) -> bool:
        return True

    async def release(self, _key: str) -> None: ...

    async def publish(self, _word: Word, _key: str | None = None, _body: bytes = b"") -> bool:
        return True

    def health(self) -> DragonflyHealth:
        return DragonflyHealth(status="not_configured")

    async def probe(self) -> float:
        return float("inf")

    async def listen(self, _hear: Hear) -> float:
        return float("inf")

    def on_lost(self, _nudge: Callable[[], None]) -> None: ...

    async def close(self) -> None: ...
