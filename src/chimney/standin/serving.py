"""ASGI 3 around the API and its control: reads the request, waits where a fault says so, writes the reply."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from chimney.standin.api import Api, Reply, Request
from chimney.standin.control import Control
from chimney.standin.faults import Faults, Order
from chimney.standin.oauth import OAuth

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]

MAX_BODY = 1 << 20


class GoneError(Exception):
    """The client left before it was answered."""


class Serving:
    def __init__(
        self, *, api: Api, control: Control, faults: Faults, oauth: OAuth, now: Callable[[], float] = time.time
    ) -> None:
        self._api = api
        self._control = control
        self._faults = faults
        self._oauth = oauth
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        if scope["type"] != "http":
            return
        request = _request(scope)
        try:
            if request.method not in {"GET", "HEAD"}:
                request.body = await _read(receive)
            reply, fault = await self._reply(request, receive)
        except GoneError:
            return
        await _write(send, reply, truncate=fault is not None and fault.truncate)

    async def _reply(self, request: Request, receive: Receive) -> tuple[Reply, Order | None]:
        if self._control.owns(request.path):
            return self._control.reply(request), None
        if request.method == "OPTIONS":
            return _preflight(), None
        elsewhere = self._api.elsewhere(request)
        if elsewhere is not None:
            return elsewhere, None
        signing_in = self._oauth.reply(request, now=self._now())
        if signing_in is not None:
            return signing_in, None
        fault = self._api.fault_for(request)
        if fault is not None and fault.delay_seconds:
            await asyncio.sleep(fault.delay_seconds)
        if fault is not None and fault.hang:
            await self._hang(fault, receive)
        return self._api.reply(request, fault), fault

    async def _hang(self, fault: Order, receive: Receive) -> None:
        released = asyncio.ensure_future(self._faults.hang(fault))
        left = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait({released, left}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            released.cancel()
            left.cancel()
        if not released.done() or released.cancelled():
            raise GoneError


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        event = await receive()
        await send({"type": f"{event['type']}.complete"})
        if event["type"] == "lifespan.shutdown":
            return


def _request(scope: Scope) -> Request:
    headers = dict(scope["headers"])
    host = headers.get(b"host", b"localhost").decode("latin-1")
    client = scope.get("client")
    return Request(
        method=scope["method"], path=scope["path"], raw_query=scope["query_string"].decode("latin-1"),
        headers=headers, base=f"{scope.get('scheme', 'http')}://{host}", address=client[0] if client else "127.0.0.1",
    )  # fmt: skip


async def _read(receive: Receive) -> bytes:
    """Up to 1 MiB; what is beyond is let go."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise GoneError
        part = event.get("body", b"")
        size += len(part)
        if size <= MAX_BODY:
            parts.append(part)
        more = event.get("more_body", False)
    return b"".join(parts)


def _preflight() -> Reply:
    allowed = b"Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Match, X-GitHub-Api-Version"
    return Reply(
        204,
        [
            (b"access-control-allow-origin", b"*"),
            (b"access-control-allow-headers", allowed),
            (b"access-control-allow-methods", b"GET, POST, PATCH, PUT, DELETE"),
            (b"access-control-max-age", b"86400"),
        ],
        b"",
    )


async def _write(send: Send, reply: Reply, *, truncate: bool) -> None:
    """Truncated: the length of the whole is promised, half of it comes, and the connection ends."""
    headers = [*reply.headers, (b"connection", b"close")] if truncate else reply.headers
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    body = reply.body[: len(reply.body) // 2] if truncate else reply.body
    await send({"type": "http.response.body", "body": body, "more_body": False})
