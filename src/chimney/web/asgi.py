"""The few words of ASGI 3 that the plain parts speak."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Tell = Callable[[Event], object]  # a Send that nobody waits for
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]
LATER = "chimney.later"  # in a scope: who answers once the framework is through


async def respond(send: Send, status: int, body: bytes, headers: Headers, *, head_only: bool = False) -> None:
    """A whole answer. `head_only` keeps the length of the body that a GET would get (RFC 9110 §9.3.2)."""
    all_headers = [(b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": b"" if head_only else body})


def without_body(send: Send) -> Send:
    """For HEAD: what a GET is answered, length and all, without the body (RFC 9110 §9.3.2)."""

    async def send_head(event: Event) -> None:
        await send({**event, "body": b""} if event["type"] == "http.response.body" else event)

    return send_head


def raw_path(scope: Scope) -> bytes:
    """The path as it came over the wire. `scope["path"]` is decoded, so `%2f` has become `/` in it."""
    raw = scope.get("raw_path")
    if raw:
        return bytes(raw).partition(b"?")[0]
    return str(scope["path"]).encode()


async def read_body(receive: Receive, *, limit: int) -> bytes | None:
    """The whole request body; None when it is larger than `limit` bytes or the client went away."""
    chunks: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] != "http.request":
            return None
        chunk = event.get("body", b"")
        size += len(chunk)
        if size > limit:
            return None
        chunks.append(chunk)
        if not event.get("more_body", False):
            return b"".join(chunks)
