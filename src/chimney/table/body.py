"""The body of a request, chunk by chunk; what is left of it is thrown away before a refusal is answered.

A sender that is still writing when the connection ends sees that, and not the answer that says why.
"""

import asyncio

from chimney.table.unpack import LARGEST, RefusedError
from chimney.web.asgi import Receive

DISCARDED = 4 * LARGEST  # what is larger is cut off
DISCARD_SECONDS = 5.0


class Body:
    """`ended` once there is no more of it."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.ended = False

    async def chunk(self) -> bytes:
        """Raises RefusedError when the sender went away."""
        event = await self._receive()
        if event["type"] != "http.request":
            self.ended = True
            raise RefusedError(400, "The body ended in the middle.")
        self.ended = not event.get("more_body", False)
        return bytes(event.get("body", b""))

    async def discard(self) -> None:
        """Reads what is left, within bounds of size and time."""
        left = DISCARDED
        try:
            async with asyncio.timeout(DISCARD_SECONDS):
                while not self.ended and left > 0:
                    left -= len(await self.chunk())
        except (TimeoutError, RefusedError):
            return
