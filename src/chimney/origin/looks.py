"""Looks at GitHub after a webhook: for what could not be patched whole, and for answers that are behind it.

A look costs nothing while GitHub's answer is the same as what is held, where its tag can be computed.
"""

import logging
import time
from collections.abc import Callable, Sequence

from chimney.github.errors import GitHubError
from chimney.origin.answer import Key, Result
from chimney.origin.cache import GitHubCache
from chimney.store.ports import ResponseStore

DELAYS = (1.0, 3.0, 10.0)
MOST = 500
log = logging.getLogger(__name__)


class Looks:
    """One for each key at a time, whatever the number of deliveries that asked for it."""

    def __init__(self, cache: GitHubCache, store: ResponseStore, *, delays: Sequence[float] = DELAYS) -> None:
        self._cache = cache
        self._store = store
        self._delays = delays
        self._due: dict[str, tuple[Key, float]] = {}
        self._tries: dict[str, int] = {}
        self.nudge: Callable[[], None] = lambda: None

    @property
    def waiting(self) -> int:
        """Keys that are to be looked at, or were and may have to be again."""
        return len(self._due.keys() | self._tries.keys())

    def now(self, key: Key) -> None:
        self._at(key, after=0.0)

    def again(self, key: Key) -> None:
        """The answer is older than what a webhook told: one more look, a little later each time, three in all."""
        tries = self._tries.get(key.text, 0)
        if tries >= len(self._delays):
            self.settled(key)
            return
        self._tries[key.text] = tries + 1
        self._at(key, after=self._delays[tries])

    def settled(self, key: Key) -> None:
        self._tries.pop(key.text, None)

    def _at(self, key: Key, *, after: float) -> None:
        if len(self._due) < MOST:
            self._due[key.text] = (key, time.monotonic() + after)
            self.nudge()

    async def run(self) -> float:
        """A loop's verb."""
        now = time.monotonic()
        for text in [text for text, (_, at) in self._due.items() if at <= now]:
            await self._look(self._due.pop(text)[0])
        return max(0.01, min((at for _, at in self._due.values()), default=now + 60) - time.monotonic())

    async def _look(self, key: Key) -> None:
        held = self._store.get(key.text)
        is_patched = held is not None and held.patched_since is not None
        try:
            answer = await self._cache.look(key)
        except GitHubError as error:
            log.info("a look at %s failed: %s", key.text, error.said())
            self.again(key)
            return
        if answer.result is not Result.REVALIDATED:
            return  # what is new was judged when it was stored
        if is_patched:
            self.settled(key)
        elif key.text in self._tries:
            self.again(key)
