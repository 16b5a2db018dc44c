"""The headers that every answer of GitHub's API has."""

from email.utils import formatdate

from chimney.standin.answers import Answer, Header
from chimney.standin.ratelimit import Bucket

_EXPOSED = (
    b"ETag, Link, Location, Retry-After, X-GitHub-OTP, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Used, "
    b"X-RateLimit-Resource, X-RateLimit-Reset, X-OAuth-Scopes, X-Accepted-OAuth-Scopes, X-Poll-Interval, "
    b"X-GitHub-Media-Type, X-GitHub-SSO, X-GitHub-Request-Id, Deprecation, Sunset, Warning"
)
# Two lines on purpose, as GitHub sends them: a mapping of headers loses one
_ALWAYS: tuple[Header, ...] = (
    (b"server", b"github.com"),
    (b"vary", b"Accept, Authorization, Cookie, X-GitHub-OTP"),
    (b"vary", b"Accept-Encoding, Accept, X-Requested-With"),
    (b"x-github-media-type", b"github.v3; format=json"),
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", _EXPOSED),
    (b"strict-transport-security", b"max-age=31536000; includeSubdomains; preload"),
    (b"x-frame-options", b"deny"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-xss-protection", b"0"),
    (b"referrer-policy", b"origin-when-cross-origin, strict-origin-when-cross-origin"),
    (b"content-security-policy", b"default-src 'none'"),
)
_PRIVATE: Header = (b"cache-control", b"private, max-age=60, s-maxage=60")
_PUBLIC: Header = (b"cache-control", b"public, max-age=60, s-maxage=60")


class Headers:
    """Counts the answers, so that each has a request id of its own."""

    def __init__(self) -> None:
        self._serial = 0
        self._date: tuple[int, bytes] = (0, b"")

    def of(self, answer: Answer, bucket: Bucket, *, signed: bool, version: bytes, now: float) -> list[Header]:
        self._serial += 1
        if self._date[0] != int(now):
            self._date = (int(now), formatdate(now, usegmt=True).encode())
        headers = [*_ALWAYS, (b"date", self._date[1]), *bucket.headers(), *answer.headers]
        headers.append((b"x-github-request-id", b"C0DE:%06X:%08X" % (self._serial & 0xFFFFFF, int(now))))
        headers.append((b"x-github-api-version-selected", version))
        if signed:
            headers += [(b"x-oauth-scopes", b"repo, workflow"), (b"x-accepted-oauth-scopes", b"repo")]
        if answer.tagged:
            headers.append(_PRIVATE if signed else _PUBLIC)
        return headers
