"""GitHub's entity tags, computed: SHA-256 of the values of Accept, Authorization and Cookie, each followed by a colon,
and then of the body as it is before compression.

Nowhere documented, found out by others (bored-engineer/github-conditional-http-transport). So every answer is checked,
and one that does not fit turns this off for an hour. A wrong guess costs a charged request and never a wrong answer:
GitHub says "not modified" only to a tag of the very same body.
"""

import time
from collections.abc import Callable, Mapping
from hashlib import sha256

NAMED = ("accept", "authorization", "cookie")
LARGEST = 2 * 1024 * 1024  # a page of a hundred runs has 1.5 MiB; hashing so much takes up to 6 ms
OFF_SECONDS = 3600.0


class Recipe:
    """Holds from the first answer that fits, until one does not."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._fitted = False
        self._off_until = float("-inf")

    @property
    def holds(self) -> bool:
        return self._fitted and self._now() >= self._off_until

    def knows(self, body: bytes) -> bool:
        """Whether the tag of this body can be computed."""
        return self.holds and len(body) <= LARGEST

    def check(self, tag: str | None, body: bytes, headers: Mapping[str, str]) -> None:
        """Compares the tag that GitHub gave to `body` with the one computed from the request's `headers`."""
        if tag is None or len(body) > LARGEST:
            return
        if tag.removeprefix("W/") == f'"{_digest(body, headers)}"':
            self._fitted = True
        else:
            self._off_until = self._now() + OFF_SECONDS

    def tag(self, body: bytes, headers: Mapping[str, str]) -> str | None:
        """What GitHub would call this body, asked for with these headers; None when that is not known."""
        if not self.knows(body):
            return None
        return f'W/"{_digest(body, headers)}"'


def _digest(body: bytes, headers: Mapping[str, str]) -> str:
    digest = sha256("".join(f"{headers[name]}:" for name in NAMED if name in headers).encode("latin-1"))
    digest.update(body)
    return digest.hexdigest()
