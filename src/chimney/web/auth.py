"""Who may ask what of an origin: scopes by bearer token.

Without any token configured, everything above `public` answers only to peers on this machine that did not come through
a proxy, and did not ask by a name of the internet (`rebound`). Tokens are compared in constant time, as bytes
(`hmac.compare_digest` raises on non-ASCII text).
"""

import hmac
from collections.abc import Iterable
from enum import StrEnum

from chimney.web.problem import ProblemError
from chimney.web.record import RequestRecord
from chimney.web.same_origin import rebound

_PROXY_HEADERS = frozenset((b"x-forwarded-for", b"x-forwarded-host", b"forwarded", b"via", b"x-real-ip"))
_CHALLENGE = [(b"www-authenticate", b'Bearer realm="chimney"')]


class Scope(StrEnum):
    PUBLIC = "public"
    READ = "read"
    DEPLOY = "deploy"
    OPERATE = "operate"


class Tokens:
    """The configured tokens. `operate` includes `read`."""

    def __init__(self, *, read: Iterable[str], deploy: Iterable[str], operate: Iterable[str]) -> None:
        operators = _encoded(operate)
        self._of = {
            Scope.READ: _encoded(read) + operators,
            Scope.DEPLOY: _encoded(deploy),
            Scope.OPERATE: operators,
        }
        self._any = any(self._of.values())

    def require(self, scope: Scope, record: RequestRecord, peer: str | None) -> None:
        """Raises ProblemError 401 or 403 unless the request may act in `scope`; the answer names the setting to set."""
        if scope is Scope.PUBLIC:
            return
        header = record.headers.get(b"authorization", b"")
        if not self._any:
            if rebound(record):
                raise _unauthorized(scope, "this machine itself is asked by its address or as localhost, not by a name")
            if peer in ("127.0.0.1", "::1") and not _PROXY_HEADERS & record.headers.keys():
                return
            raise _unauthorized(scope, "no token is configured, so only this machine itself is answered")
        if not header:
            raise _unauthorized(scope, "a bearer token is needed")
        token = header[7:].strip() if header[:7].lower() == b"bearer " else b""
        if _one_of(token, self._of[scope]):
            return
        if any(_one_of(token, known) for known in self._of.values()):
            raise ProblemError(403, "wrong-scope", f"This token does not have the scope {scope}.")
        raise _unauthorized(scope, "the token is not known")


def _encoded(tokens: Iterable[str]) -> list[bytes]:
    """Without empty ones: a header that holds no bearer token would equal them."""
    return [token.strip().encode() for token in tokens if token.strip()]


def _one_of(token: bytes, known: list[bytes]) -> bool:
    """Compares with every one, so that time does not tell which came close."""
    return any([hmac.compare_digest(token, one) for one in known])  # noqa: C419 — no early end


def _unauthorized(scope: Scope, why: str) -> ProblemError:
    detail = f"Scope {scope} is needed: {why}. Set CHIMNEY_{scope.upper()}_TOKEN and send it as Authorization: Bearer."
    return ProblemError(401, "unauthorized", detail, headers=_CHALLENGE)
