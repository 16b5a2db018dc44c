"""Background loops: one small verb each, run under one supervisor.

A verb does one round and returns how many seconds to wait before the next. When it raises, that is a panic: logged with
its stack, counted, shown on /healthz; and the verb is tried again with back-off (1, 2, 4 … 60 s, each with jitter).
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

from chimney.web.recover import Panics
from chimney.wire.base import stamp
from chimney.wire.health import LoopHealth

LONGEST_WAIT = 60.0
CANCELLED_AGAIN = 4
CANCEL_SECONDS = 0.4  # the process is to end within five
log = logging.getLogger(__name__)
_jitter = random.Random()  # noqa: S311 — spreads retries

Verb = Callable[[], Awaitable[float]]


class Loop:
    """One loop and what is known of it."""

    def __init__(self, name: str, verb: Verb, panics: Panics, *, after: float = 0.0) -> None:
        self.name = name
        self._after = after
        self._verb = verb
        self._panics = panics
        self._failures = 0
        self.restarts = 0
        self.last_success: float | None = None
        self.error: str | None = None
        self._last_failure: tuple[str, float] | None = None
        self.failing_since: float | None = None
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """Do not wait: the next round begins now."""
        self._nudged.set()

    async def run(self) -> None:
        if self._after:
            await asyncio.sleep(self._after)
        while True:
            wait = await self._round()
            try:
                async with asyncio.timeout(wait):
                    await self._nudged.wait()
            except TimeoutError:
                pass
            self._nudged.clear()

    async def _round(self) -> float:
        try:
            wait = await self._verb()
        except Exception as error:
            self._failures += 1
            self.restarts += 1
            self.failing_since = self.failing_since or time.time()
            self.error = self._panics.note(f"loop {self.name}", error, loop=self.name)
            self._last_failure = (self.error, time.time())
            return min(LONGEST_WAIT, 2.0 ** (self._failures - 1)) * _jitter.uniform(0.8, 1.2)
        self._failures = 0
        self.error = self.failing_since = None
        self.last_success = time.time()
        return wait

    def health(self) -> LoopHealth:
        last_error, at = self._last_failure or (None, None)
        return LoopHealth(
            last_success_at=stamp(self.last_success) if self.last_success else None,
            failures=self._failures,
            restarts=self.restarts,
            error=self.error,
            last_error=last_error,
            last_error_at=stamp(at) if at else None,
        )


class Supervisor:
    """All loops of a process."""

    def __init__(self, panics: Panics | None = None) -> None:
        self._panics = panics or Panics()
        self.loops: list[Loop] = []
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, name: str, verb: Verb, *, after: float = 0.0) -> Loop:
        """Its first round begins `after` so many seconds."""
        loop = Loop(name, verb, self._panics, after=after)
        self.loops.append(loop)
        return loop

    def start(self) -> None:
        self._tasks = [asyncio.create_task(loop.run(), name=loop.name) for loop in self.loops]

    def failing(self) -> dict[str, tuple[str, float]]:
        """Loops that do not work, with their error and since when; those that ended, which none should, too."""
        ended = {task.get_name() for task in self._tasks if task.done()}
        return {
            loop.name: (loop.error or "it ended", loop.failing_since or loop.last_success or 0.0)
            for loop in self.loops
            if loop.error or loop.name in ended
        }

    async def stop(self) -> None:
        """Ends every loop. One that takes a cancellation for something else is cancelled again, a few times."""
        for _ in range(CANCELLED_AGAIN):
            pending = [task for task in self._tasks if not task.done()]
            for task in pending:
                task.cancel()
            if not pending or not (await asyncio.wait(pending, timeout=CANCEL_SECONDS))[1]:
                break
        left = [task.get_name() for task in self._tasks if not task.done()]
        if left:
            log.error("these loops do not end: %s", ", ".join(left))
        self._tasks.clear()

    def health(self) -> dict[str, LoopHealth]:
        return {loop.name: loop.health() for loop in self.loops}
