"""What the roles ask of a store. One behaviour suite runs over every implementation."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

import msgspec

from chimney.wire.deployment import DeployReport


class Ready(msgspec.Struct, frozen=True):
    """An answer made ready. `of` is all that it was made of but the time: from `since` until `until`, Unix seconds.

    `event` is its body of `size` bytes as the server is told it.
    """

    of: tuple[object, ...]
    since: float
    until: float
    headers: list[tuple[bytes, bytes]]
    length: tuple[bytes, bytes]
    event: dict[str, object]
    size: int
    etag: str | None


class StoredResponse(msgspec.Struct, kw_only=True):
    """A good answer of GitHub. `fetched_at` and `validated_at` are Unix seconds; `links` is the raw Link header.

    `identity` is the hash of the token it was fetched with: entity tags are bound to it. `gone_at` is when GitHub first
    said that a good response is gone, None when it did not. `lifetime` is for how many seconds after validation it is
    fresh. `prepared` is the proxy's: headers made once by validator. `ready` is the whole answer to who asked last.

    `patched_since` is when a webhook's news were first laid over it, None when it is as GitHub sent it: then `etag` is
    ours, and GitHub is not asked with it. `as_of` is the latest change that GitHub itself knew of. `expired`: a webhook
    said that it changed, so GitHub is asked before anybody is answered.
    """

    status: int
    body: bytes
    etag: str | None
    identity: str
    content_type: str
    links: str | None
    vary: list[str]
    last_modified: str | None
    fetched_at: float
    validated_at: float
    hits: int = 0
    lifetime: float = 30.0
    gone_at: float | None = None
    patched_since: float | None = None
    as_of: str | None = None
    expired: bool = False
    prepared: tuple[str | None, list[tuple[bytes, bytes]]] | None = None
    rewritten: tuple[str, bytes, bytes] | None = None
    ready: Ready | None = None

    @property
    def size(self) -> int:
        """Bytes that it is accounted for: the body and ~600 B around it."""
        return len(self.body) + 600


class ResponseStore(Protocol):
    """Stored responses by key. Bounded: what does not fit is evicted, least recently used first."""

    def get(self, key: str) -> StoredResponse | None:
        """The response, now the most recently used; None when it is not held."""

    def put(self, key: str, response: StoredResponse) -> None: ...

    def remove_prefix(self, prefix: str) -> int:
        """Removes `prefix` itself and all below it by whole segments; returns how many were held."""

    def clear(self) -> int: ...

    def entries(self) -> Iterable[tuple[str, StoredResponse]]:
        """A picture of what is held now, the least recently used first."""

    def __len__(self) -> int: ...


class Kept(NamedTuple):
    """A report with the Unix seconds at which the first replica took it: all replicas tell them in that order."""

    report: DeployReport
    received_at: float
