"""One question after the other: of a thousand origins many are due at once, and none of what they cost may add up.

What is due passes one by one, the next a millisecond later or when the loop comes round again, whichever is later. So
a loop that is behind is asked for less, and what else it has to do waits for one question, not for all that are due.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

APART_SECONDS = 0.001
Turn = Callable[[], Awaitable[None]]


async def at_once() -> None:
    """A Turn that never waits."""


class Turnstile:
    def __init__(self, apart: float = APART_SECONDS) -> None:
        self._apart = apart
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def turn(self) -> None:
        """Returns when it is the caller's turn: at once when nobody passed lately."""
        if self._timer is None:
            self._again()
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def _again(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._apart, self._next)

    def _next(self) -> None:
        self._timer = None
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # else whoever waited was cancelled
                turn.set_result(None)
                self._again()
                return
