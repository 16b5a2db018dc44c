"""Fan-out of a stream to its subscribers.

Publishing never blocks and never waits for a reader: each subscriber has a bounded queue. When it is full the
subscriber is marked as having lost its place, is told so by its writer, and is cut; it resumes by id from the ring.
~300 B a shared frame reference × 2,000 ≈ 16 kB a subscriber at worst, the frames themselves are shared.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence

import msgspec

QUEUE_DEPTH = 2_000
STREAMS_PER_ADDRESS = 100
STREAMS_IN_ALL = 8_000


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One event of a stream: `data` is its JSON, `level` the severity number of a log record and 0 otherwise."""

    id: int
    event: str
    data: bytes
    level: int = 0

    def frame(self) -> bytes:
        """The server-sent event. JSON holds no raw line break, so one `data:` line is enough and none is forged."""
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (self.id, self.event.encode(), self.data)


class Subscriber:
    """One reader's queue. `closing` is set when the stream is to end.

    `lost` counts what did not fit since the queue was full, `lost_id` is the last of that.
    """

    def __init__(self, accept: Callable[[Entry], bool], depth: int) -> None:
        self._accept = accept
        self._depth = depth
        self._queue: deque[Entry] = deque()
        self._wake = asyncio.Event()
        self.lost = 0
        self.lost_id = 0
        self.closing = False

    def offer(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if not self._accept(entry):
                continue
            if self.lost or len(self._queue) >= self._depth:
                self.lost += 1
                self.lost_id = entry.id
            else:
                self._queue.append(entry)
        if self._queue or self.lost:
            self._wake.set()

    def close(self) -> None:
        self.closing = True
        self._wake.set()

    async def take(self, *, within: float) -> list[Entry]:
        """All that is queued; empty when nothing came within that many seconds or the stream is closing."""
        if not self._queue and not self.closing and not self.lost:
            try:
                async with asyncio.timeout(within):
                    await self._wake.wait()
            except TimeoutError:
                return []
        self._wake.clear()
        entries = list(self._queue)
        self._queue.clear()
        return entries


class Hub:
    """The subscribers of one stream."""

    def __init__(self, *, depth: int = QUEUE_DEPTH) -> None:
        self._depth = depth
        self._subscribers: dict[Subscriber, str] = {}
        self._by_address: Counter[str] = Counter()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._subscribers)

    def full(self, address: str) -> bool:
        return len(self._subscribers) >= STREAMS_IN_ALL or self._by_address[address] >= STREAMS_PER_ADDRESS

    def subscribe(self, address: str, accept: Callable[[Entry], bool]) -> Subscriber:
        subscriber = Subscriber(accept, self._depth)
        self._subscribers[subscriber] = address
        self._by_address[address] += 1
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        address = self._subscribers.pop(subscriber, None)
        if address is None:
            return
        self.dropped += subscriber.lost
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def publish(self, entries: Sequence[Entry]) -> None:
        for subscriber in self._subscribers:
            subscriber.offer(entries)

    def close(self) -> None:
        """Ends every stream: their writers send a last `retry` and return."""
        for subscriber in list(self._subscribers):
            subscriber.close()
