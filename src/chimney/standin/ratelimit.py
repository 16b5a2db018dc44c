"""The primary rate limit: one bucket for each token, and for each address that shows none."""

from collections import OrderedDict
from hashlib import sha256

from chimney.standin.answers import Header

AUTHENTICATED, ANONYMOUS = 5_000, 60
WINDOW = 3_600.0
KEPT_BUCKETS = 2_000


class Bucket:
    def __init__(self, limit: int, *, reset: float) -> None:
        self.limit = limit
        self.used = 0
        self.reset = reset

    @property
    def remaining(self) -> int:
        return self.limit - self.used

    def body(self) -> dict[str, object]:
        return {
            "limit": self.limit,
            "used": self.used,
            "remaining": self.remaining,
            "reset": int(self.reset),
            "resource": "core",
        }

    def headers(self) -> list[Header]:
        return [
            (b"x-ratelimit-limit", b"%d" % self.limit),
            (b"x-ratelimit-remaining", b"%d" % self.remaining),
            (b"x-ratelimit-used", b"%d" % self.used),
            (b"x-ratelimit-reset", b"%d" % self.reset),
            (b"x-ratelimit-resource", b"core"),
        ]


class RateLimits:
    """Buckets refill an hour after their first use. The least recently used are forgotten beyond 2,000."""

    def __init__(self, authenticated: int = AUTHENTICATED) -> None:
        self._authenticated = authenticated
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def bucket(self, authorization: bytes | None, address: str, *, now: float) -> Bucket:
        key = f"address {address}" if authorization is None else token_of(authorization)
        bucket = self._buckets.get(key)
        if bucket is None or now >= bucket.reset:
            limit = ANONYMOUS if authorization is None else self._authenticated
            bucket = self._buckets[key] = Bucket(limit, reset=now + WINDOW)
        self._buckets.move_to_end(key)
        if len(self._buckets) > KEPT_BUCKETS:
            self._buckets.popitem(last=False)
        return bucket


def token_of(authorization: bytes) -> str:
    """`token X` and `Bearer X` are the same token."""
    return sha256(authorization.rpartition(b" ")[2]).hexdigest()
