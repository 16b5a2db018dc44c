"""What a handler leaves of a request's body is thrown away before the answer begins, within bounds of size and time.

The server (hyper) ends a connection whose request was not read to its end, without a word: a sender that is still
writing then sees that instead of the answer, and one that keeps connections sends its next request into a dead one.
"""

import asyncio

from chimney.web.asgi import Event, Receive, Scope, Send

DISCARDED = 32 * 1024 * 1024  # more than the largest that is taken, a webhook of 25 MiB; beyond, `connection: close`
DISCARD_SECONDS = 5.0
_CLOSE = (b"connection", b"close")


def has_body(scope: Scope) -> bool:
    """Whether one is announced; GET and HEAD, the hot ones, are not looked at."""
    if scope.get("method") in ("GET", "HEAD", None):
        return False
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope.get("headers", ())
    )


class Unread:
    """The two ends of one request that has a body, for its handler."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._ended = False
        # who waits to be asked for the body has not sent it, and need not
        self._waits = any(name == b"expect" for name, _ in scope["headers"])

    async def receive(self) -> Event:
        event = await self._receive()
        self._waits = False
        self._ended = event["type"] != "http.request" or not event.get("more_body", False)
        return event

    async def send(self, message: Event) -> None:
        if message["type"] == "http.response.start" and not self._ended:
            await self._discard()
            if not self._ended:
                message = {**message, "headers": [*message.get("headers", ()), _CLOSE]}
        await self._send(message)

    async def _discard(self) -> None:
        left = 0 if self._waits else DISCARDED
        try:
            async with asyncio.timeout(DISCARD_SECONDS):
                while not self._ended and left > 0:
                    left -= len((await self.receive()).get("body", b""))
        except TimeoutError:
            return
