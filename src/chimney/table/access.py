"""Who may use a route. Every route says so (`access`), and one that does not cannot be built."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, cast

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from chimney.table.sessions import Identity, Sessions
from chimney.web.asgi import Scope
from chimney.web.problem import ProblemError
from chimney.web.record import record_of

_CHALLENGE = [(b"www-authenticate", b'Bearer realm="chimney table"')]
AnyConnection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[AnyConnection, BaseRouteHandler], None]


class Access(StrEnum):
    PUBLIC = "public"
    VIEWER = "viewer"  # anyone who signed in
    OPERATOR = "operator"


PUBLIC = {"access": Access.PUBLIC}
VIEWER = {"access": Access.VIEWER}
OPERATOR = {"access": Access.OPERATOR}


def unauthorized() -> ProblemError:
    detail = "Sign in first: POST /api/session, or send an API token as Authorization: Bearer."
    return ProblemError(401, "unauthorized", detail, headers=_CHALLENGE)


def guard(sessions: Sessions) -> Guard:
    def check(connection: AnyConnection, handler: BaseRouteHandler) -> None:
        access = Access(handler.opt["access"])
        scope = cast("Scope", connection.scope)
        if access is Access.PUBLIC:
            return
        identity = sessions.identify(record_of(scope))
        if identity is None:
            raise unauthorized()
        if access is Access.OPERATOR and identity.role != "operator":
            raise ProblemError(403, "wrong-role", "Only an operator may do this.")
        scope["chimney.identity"] = identity

    return check


def identity_of(scope: Scope) -> Identity:
    """Who asks, on a route that is not public."""
    identity: Identity = scope["chimney.identity"]
    return identity


def check_declared(handlers: Sequence[Any]) -> None:
    """Raises LookupError when a route does not say who may use it."""
    silent = [str(handler) for handler in handlers if not isinstance(handler.opt.get("access"), Access)]
    if silent:
        raise LookupError(f"these routes do not say who may use them: {', '.join(silent)}")
