"""Who may use a route. Every route says so (`access`), and one that does not cannot be built."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Protocol, cast

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from chimney.core.account import includes
from chimney.store.links import StoredLink
from chimney.table.credentials import as_bearer, basic, bearer, in_address
from chimney.table.sessions import Identity, Sessions
from chimney.web.asgi import Scope
from chimney.web.problem import ProblemError
from chimney.web.record import RequestRecord, record_of
from chimney.wire.account import Role

_CHALLENGE = [(b"www-authenticate", b'Bearer realm="chimney table"')]
AnyConnection = ASGIConnection[Any, Any, Any, Any]
AnyRequest = Request[Any, Any, Any]
Guard = Callable[[AnyConnection, BaseRouteHandler], None]


class Access(StrEnum):
    PUBLIC = "public"
    VIEWER = "viewer"  # anyone who signed in
    OPERATOR = "operator"
    ADMIN = "admin"  # an admin, or the first user
    LINK = "link"  # a link to the wall, and never a session
    WALLBOARD = "wallboard"  # a link to the wall, or anyone who signed in


PUBLIC = {"access": Access.PUBLIC}
VIEWER = {"access": Access.VIEWER}
OPERATOR = {"access": Access.OPERATOR}
LINK = {"access": Access.LINK}
WALLBOARD = {"access": Access.WALLBOARD}
ADMIN = {"access": Access.ADMIN}


def unauthorized() -> ProblemError:
    detail = "Sign in first: POST /api/session, or send an API token as Authorization: Bearer."
    return ProblemError(401, "unauthorized", detail, headers=_CHALLENGE)


class WallLinks(Protocol):
    """Links by token; None for one that is not known any more."""

    def find(self, token: str | None) -> StoredLink | None: ...


def guard(sessions: Sessions, links: WallLinks) -> Guard:
    def check(connection: AnyConnection, handler: BaseRouteHandler) -> None:
        access = Access(handler.opt["access"])
        scope = cast("Scope", connection.scope)
        if access is Access.PUBLIC:
            return
        if access is Access.LINK:
            scope["chimney.link"] = _link(links, bearer(record_of(scope)))
            return
        if access is Access.WALLBOARD:
            scope["chimney.link"] = wallboard(record_of(scope), sessions, links)
            return
        identity = sessions.identify(record_of(scope))
        if identity is None:
            raise unauthorized()
        if access is Access.OPERATOR and not includes(identity.role, Role.OPERATOR):
            raise ProblemError(403, "wrong-role", "Only an operator may do this.")
        if access is Access.ADMIN and not identity.manages:
            raise ProblemError(403, "wrong-role", "Only an admin may do this.")
        scope["chimney.identity"] = identity

    return check


def _link(links: WallLinks, token: str | None) -> StoredLink:
    link = links.find(token)
    if link is None:
        detail = "This link to the wall is not known, has expired, or was revoked. Ask an operator for a new one."
        raise ProblemError(401, "unauthorized", detail, headers=_CHALLENGE)
    return link


def wallboard(record: RequestRecord, sessions: Sessions, links: WallLinks) -> StoredLink | None:
    """The link that was shown in any of the ways that wallboards know; None for one who signed in, also with an API
    token as password. Raises ProblemError 401."""
    password = basic(record)
    if sessions.identify(record) or (password and sessions.identify(as_bearer(record, password))):
        return None
    link = links.find(bearer(record) or password or in_address(record))
    if link is None:
        raise unauthorized()
    return link


def link_of(scope: Scope) -> StoredLink | None:
    """The link that was shown; None for one who signed in."""
    link: StoredLink | None = scope.get("chimney.link")
    return link


def identity_of(scope: Scope) -> Identity:
    """Who asks, on a route that is not public."""
    identity: Identity = scope["chimney.identity"]
    return identity


def asker_of(request: AnyRequest) -> tuple[str, RequestRecord]:
    """Who asks, for the audit, and the request's record."""
    scope = cast("Scope", request.scope)
    return identity_of(scope).who, record_of(scope)


def check_declared(handlers: Sequence[Any]) -> None:
    """Raises LookupError when a route does not say who may use it."""
    silent = [str(handler) for handler in handlers if not isinstance(handler.opt.get("access"), Access)]
    if silent:
        raise LookupError(f"these routes do not say who may use them: {', '.join(silent)}")
