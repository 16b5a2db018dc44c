"""What webhooks tell, laid over what only the far tier holds: a restart or an eviction left it there.

A loop does it at once after what is held here was patched; who asks meanwhile gets it with the recent deliveries laid
over. While the far tier is away they wait for it. What there was no room to wait for makes what is stored there of its
repository, and not here, be forgotten when it is back.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from chimney.core.delivery import Delivery
from chimney.core.patch.laying import rules_of
from chimney.store.far import FarTier
from chimney.store.ports import ResponseStore, StoredResponse

OWED = 300  # deliveries, most below 50 kB
PAUSE = 1.0  # between two times of going through all keys, however many deliveries come
AFTER_SECONDS = 15.0  # what GitHub said later than this after a delivery knows of it
Judge = Callable[[str, StoredResponse, Sequence[Delivery]], Awaitable[StoredResponse | None]]


class Owed(NamedTuple):
    """A delivery and when it came, in Unix seconds."""

    delivery: Delivery
    received_at: float


class Afar:
    """`judge` gives a stored response with deliveries laid over it, None when they do not touch it."""

    def __init__(self, near: ResponseStore, far: FarTier, judge: Judge) -> None:
        self._near = near
        self._far = far
        self._judge = judge
        self._owed: list[Owed] = []
        self._lost: set[str] = set()
        self._next = 0.0
        self.nudge: Callable[[], None] = lambda: None

    @property
    def waiting(self) -> int:
        """Deliveries, and repositories of which some were too many."""
        return len(self._owed) + len(self._lost)

    def owe(self, deliveries: Iterable[Delivery]) -> None:
        now = time.time()
        for delivery in deliveries:
            if len(self._owed) < OWED:
                self._owed.append(Owed(delivery, now))
            else:
                self._lost.add((delivery.repo or "").lower())
        self.nudge()

    async def run(self) -> float:
        """A loop's verb: what does not succeed is tried again."""
        if not self.waiting:
            return 60.0
        pause = self._next - time.monotonic()
        if pause > 0 or not self._far.connected:
            return max(pause, 0.1)
        self._next = time.monotonic() + PAUSE
        owed, lost = tuple(self._owed), frozenset(self._lost)
        if await self._all(owed, lost):
            self._owed = self._owed[len(owed) :]
            self._lost -= lost
        return PAUSE if self.waiting else 60.0

    async def _all(self, owed: Sequence[Owed], lost: frozenset[str]) -> bool:
        """Whether the whole far tier was gone through."""
        held = self._held()
        kinds = {(one.delivery.event, one.delivery.repo): one.delivery for one in owed}  # what decides about paths
        cursor: int | None = 0
        while cursor is not None:
            page = await self._far.keys(cursor)
            if page is None:
                return False
            for key in page.keys:
                path = key.partition("?")[0]
                if key in held:
                    continue
                if "/".join(path.lower().split("/")[2:4]) in lost:
                    done = await self._far.forget(key)
                else:
                    done = not any(rules_of(kind, path) for kind in kinds.values()) or await self._one(key, owed)
                if not done:
                    return False
            cursor = page.next
        return True

    def _held(self) -> set[str]:
        return {key for key, _ in self._near.entries()}

    async def _one(self, key: str, owed: Sequence[Owed]) -> bool:
        """Fetched, judged and put back, unless it is held here by now: then that is what is told."""
        stored = await self._far.get(key)
        if stored is None:
            return self._far.connected
        path = key.partition("?")[0]
        new = [one.delivery for one in owed if stored.validated_at < one.received_at + AFTER_SECONDS]
        touching = [one for one in new if rules_of(one, path)]
        try:
            judged = await self._judge(key, stored, touching) if touching else None
        except (msgspec.DecodeError, UnicodeDecodeError):  # somebody else wrote it
            return await self._far.forget(key)
        if judged is None or key in self._held():
            return True
        return await self._far.put(key, judged)
