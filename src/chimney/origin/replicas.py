"""The other replicas of this origin, as far as the far tier tells of them.

Nothing of this is on the way of a fresh response: it is asked before GitHub would be, and told afterwards, from a loop.
What could not be told while the far tier was away is told when it is back.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from chimney.store.far import FarTier, News, NoFarTier, Word, print_of
from chimney.store.ports import ResponseStore, StoredResponse

PATIENCE = 2.0  # for another replica's fetch, before one's own
GLANCE = 0.25  # the news of it may be lost: meanwhile the far tier is looked at so often
LARGEST_EVENT = 1024 * 1024  # GitHub sends up to 25 MiB; most are below 50 kB
OUTBOX = 10_000  # keys to be told, ~150 B each ≈ 1.5 MB at worst
DROPS = 100
AGAIN = 1.0  # after a telling that did not succeed
log = logging.getLogger(__name__)


class Replicas:
    """`dropped` counts what the outbox had no room for."""

    def __init__(self, near: ResponseStore, far: FarTier | None = None) -> None:
        self._near = near
        self.far: FarTier = far or NoFarTier()
        self._alone = far is None
        self._waiting: dict[str, asyncio.Event] = {}
        self._outbox: dict[str, bool] = {}  # whether it is late: others may have told newer things meanwhile
        self._outdated: dict[str, None] = {}
        self._drops: dict[str | None, None] = {}
        self._event_owed = False
        self._telling = False
        self.on_event: Callable[[str, bytes], None] = lambda _event, _body: None
        self.nudge: Callable[[], None] = lambda: None
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """What is still to be told."""
        return len(self._outbox) + len(self._drops) + self._telling

    async def share(
        self, key: str, stored: StoredResponse | None, is_fresh: Callable[[StoredResponse], bool]
    ) -> StoredResponse | None:
        """What is held there and newer than `stored`, be it fresh or not; None when there is nothing.

        While another replica fetches, it is waited for. Unless the answer is fresh, this replica has to fetch, and
        others wait for it: `tell` or `failed` must follow.
        """
        if not self.far.connected:
            return None
        shared = await self._newer(key, stored)
        if shared is not None and is_fresh(shared):
            return shared
        give_up = time.monotonic() + PATIENCE
        while not await self.far.lease(key) and time.monotonic() < give_up:
            await self._news_of(key)
            shared = await self._newer(key, shared or stored) or shared
            if shared is not None and is_fresh(shared):
                return shared
        return shared

    async def _newer(self, key: str, stored: StoredResponse | None) -> StoredResponse | None:
        shared = await self.far.get(key)
        if shared is None or (stored is not None and shared.validated_at <= stored.validated_at):
            return None
        return shared

    async def forward(self, event: str, body: bytes) -> None:
        """Passes a webhook's delivery on to the other replicas, which GitHub does not tell.

        What cannot be passed on makes them look again at all they hold.
        """
        if self._alone:
            return
        if len(body) > LARGEST_EVENT or not await self.far.publish(Word.EVENT, event, body):
            self._event_owed = True
            self.nudge()

    async def _news_of(self, key: str) -> None:
        """Returns when there is news of this key, or after a glance's time."""
        event = self._waiting.setdefault(key, asyncio.Event())
        try:
            async with asyncio.timeout(GLANCE):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting.pop(key, None)

    def tell(self, key: str) -> None:
        """There is a new response under this key, or none after all; said soon, not now."""
        if self._alone:
            return
        if len(self._outbox) >= OUTBOX:
            self.dropped += 1
            return
        self._outbox[key] = self._outbox.get(key, False) or not self.far.connected
        self.nudge()

    async def drop(self, prefix: str | None) -> int:
        """How many were removed there. What cannot be removed now is when the far tier is back."""
        removed = await self.far.drop(prefix)
        if removed is None:
            self._drops[None if len(self._drops) >= DROPS else prefix] = None
            self.nudge()
        return removed or 0

    async def deliver(self) -> float:
        """A loop's verb: says what there is to say while somebody listens."""
        while self.far.connected and (self._event_owed or self._drops or self._outbox or self._outdated):
            if self._event_owed:
                said = await self.far.publish(Word.MISSED)
                self._event_owed = not said
            elif self._drops:
                said = await self._deliver_drop(next(iter(self._drops)))
            elif self._outbox:
                said = await self._deliver(next(iter(self._outbox)))
            else:
                said = await self._renew(next(iter(self._outdated)))
            if not said:
                return AGAIN
        return 60.0

    async def _deliver_drop(self, prefix: str | None) -> bool:
        if await self.far.drop(prefix) is None:
            return False
        self._drops.pop(prefix, None)
        return True

    async def _deliver(self, key: str) -> bool:
        late = self._outbox.pop(key)  # before it is told: what changes meanwhile is told again
        self._telling = True
        try:
            told = await self._told(key, late=late)
        finally:
            self._telling = False
        if not told:
            self._outbox[key] = True
        return told

    async def _told(self, key: str, *, late: bool) -> bool:
        response = self._near.get(key)
        if response is None:
            await self.far.release(key)
            return True
        newer = await self._newer(key, response) if late else None
        if newer is not None:
            self._near.put(key, newer)
            return True
        return await self.far.put(key, response)

    async def _renew(self, key: str) -> bool:
        """Another replica has something newer: it is taken over, or what is held here is doubted."""
        del self._outdated[key]
        held = self._near.get(key)
        shared = await self.far.get(key) if held else None
        if held is None or self._near.get(key) is not held:
            return True
        if shared is not None and shared.validated_at >= held.validated_at:
            self._near.put(key, shared)
        else:
            doubt(held, now=time.time())
        return True

    def hear(self, news: News | None) -> None:
        """What another replica says; None when something may have been missed."""
        if news is None or news.word is Word.MISSED:
            self._doubt_all()
        elif news.word is Word.EVENT:
            self.on_event(news.key or "", news.body)
        elif news.word is Word.DROPPED:
            count = self._near.clear() if news.key is None else self._near.remove_prefix(news.key)
            log.info("another replica invalidated %s: %d stored responses removed", news.key or "everything", count)
        else:
            self._heard_of(news.key or "", news)

    def _heard_of(self, key: str, news: News) -> None:
        if key in self._waiting:
            self._waiting[key].set()
        held = self._near.get(key)
        if news.word is not Word.STORED or held is None or news.validated_at < held.validated_at:
            return
        if news.print == print_of(held):
            held.validated_at, held.gone_at = max(held.validated_at, min(news.validated_at, time.time())), None
        elif len(self._outdated) >= OUTBOX:
            self._doubt_all()
        else:
            self._outdated[key] = None
            self.nudge()

    def _doubt_all(self) -> None:
        now = time.time()
        for _, held in self._near.entries():
            doubt(held, now=now)


def doubt(response: StoredResponse, *, now: float) -> None:
    """Makes it stale: the next asker causes a look at the far tier and at GitHub."""
    response.validated_at = min(response.validated_at, now - response.lifetime)
    if response.patched_since is not None:
        response.patched_since = min(response.patched_since, now - response.lifetime)
