"""Scopes as Litestar guards: a route says its scope where it is declared."""

from collections.abc import Callable
from typing import Any, cast

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from chimney.web import asgi
from chimney.web.auth import Scope, Tokens
from chimney.web.record import record_of

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]


def while_private(is_private: Callable[[], bool], read: Guard) -> Guard:
    """Public, but for the scope read while the repository is known to be private."""

    def check(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        if is_private():
            read(connection, handler)

    return check


def guard(tokens: Tokens, scope: Scope) -> Guard:
    def check(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        peer = connection.client.host if connection.client else None
        tokens.require(scope, record_of(cast("asgi.Scope", connection.scope)), peer)

    return check
