"""Fan-out of a stream to its subscribers.

Publishing never blocks and never waits for a reader. What is published is encoded once, and joined once for all who
asked for the same; a subscriber's queue only refers to it. A queue holds 2,000 events or 640 KiB: beyond that the
subscriber has lost its place, is told how much it lost by its writer, and is cut; it resumes by id.

The loop is never held for a whole audience: at most `AT_ONCE` subscribers are woken before others get their turn.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import msgspec

from chimney.web.capacity import STREAMS
from chimney.wire.base import stamp
from chimney.wire.event import Heartbeat

QUEUE_DEPTH = 2_000
QUEUE_BYTES = 640 * 1024
SEND_BYTES = 64 * 1024  # handed to the server at once: what it buffers for a reader that takes nothing is its own
PORTION = 100  # events that are queued, or lost, together
AT_ONCE = 250  # × ~12 µs to wake one and to write ≈ 3 ms
BEAT_SECONDS = 14  # the comment and the named heartbeat are promised at most 15 s apart
STALLED_SECONDS = 14.0  # looked at with every beat, so a reader that takes nothing is cut within 28 s
STREAMS_PER_ADDRESS = 100
_encode = msgspec.json.Encoder().encode


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One event of a stream: `data` is its JSON, `level` the severity number of a log record and 0 otherwise."""

    id: int
    event: str
    data: bytes
    level: int = 0

    def frame(self) -> bytes:
        """The server-sent event. JSON holds no raw line break, so one `data:` line is enough and none is forged."""
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (self.id, self.event.encode(), self.data)


class Mark(Entry, frozen=True, gc=False):
    """Said to every subscriber, whatever it asked for, and without an id: it moves nobody's place."""

    def frame(self) -> bytes:
        return b"event: %s\ndata: %s\n\n" % (self.event.encode(), self.data)


Accept = Callable[[Entry], bool]
Framed = tuple[Entry, bytes]


class Portion(msgspec.Struct, frozen=True, gc=False):
    """Events joined, as they go to everyone who asked for the same. Heartbeats count as no event."""

    body: bytes
    count: int = 0
    newest_id: int = 0


class Room:
    """How many streams one process serves, all hubs together: more would take the connections that others need."""

    def __init__(self, in_all: int = STREAMS, per_address: int = STREAMS_PER_ADDRESS) -> None:
        self.in_all = in_all
        self.per_address = per_address
        self._by_address: Counter[str] = Counter()
        self.taken = 0

    def full(self, address: str) -> bool:
        return self.taken >= self.in_all or self._by_address[address] >= self.per_address

    def enter(self, address: str) -> None:
        self.taken += 1
        self._by_address[address] += 1

    def leave(self, address: str) -> None:
        self.taken -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]


class Subscriber:
    """One reader's queue, of what comes after `start_id`. `closing` is set when the stream is to end.

    `lost` counts what did not fit since the queue was full, `lost_id` is the last of that; `newest_id` is the last that
    was taken. `sending_since` is when its writer began to wait for the reader, 0.0 while it does not; `cut` ends that.
    """

    __slots__ = (
        *("audience", "address", "turn", "start_id", "lost", "lost_id", "newest_id", "closing"),
        *("cut", "sending_since", "ends_at", "_depth", "_queue", "_queued", "_bytes", "_waiter"),
    )

    def __init__(self, audience: "Audience", address: str, *, depth: int, start_id: int, turn: int) -> None:
        self.audience = audience
        self.address = address
        self.turn = turn
        self.start_id = start_id
        self.lost = 0
        self.lost_id = 0
        self.newest_id = start_id
        self.closing = False
        self.cut: Callable[[], object] | None = None
        self.sending_since = 0.0
        self.ends_at = float("inf")
        self._depth = depth
        self._queue: list[Portion] = []
        self._queued = 0
        self._bytes = 0
        self._waiter: asyncio.Future[None] | None = None

    def offer(self, portion: Portion) -> None:
        fits = self._queued + portion.count <= self._depth and self._bytes + len(portion.body) <= QUEUE_BYTES
        if self.lost or (self._queue and not fits):
            self.lost += portion.count
            self.lost_id = max(self.lost_id, portion.newest_id)
        else:
            self._queue.append(portion)
            self._queued += portion.count
            self._bytes += len(portion.body)
        self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def close(self) -> None:
        self.closing = True
        self._wake()

    async def wait(self) -> None:
        """Returns when there is something to take, something was lost, or the stream is closing."""
        if self._queue or self.lost or self.closing:
            return
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def take(self) -> bytes:
        """What is queued, joined, as much as is sent at once; empty when nothing is."""
        size = count = 0
        for portion in self._queue:
            size += len(portion.body)
            count += 1
            self._queued -= portion.count
            self.newest_id = max(self.newest_id, portion.newest_id)
            if size >= SEND_BYTES:
                break
        taken, self._queue = self._queue[:count], self._queue[count:]
        self._bytes -= size
        return taken[0].body if count == 1 else b"".join([portion.body for portion in taken])


class Audience:
    """Those who asked for the same."""

    __slots__ = ("accept", "members")

    def __init__(self, accept: Accept) -> None:
        self.accept = accept
        self.members: dict[Subscriber, None] = {}

    def portions(self, framed: Sequence[Framed], *, after: int = 0) -> list[Portion]:
        """What they are told of the events that come after an id."""
        wanted = [
            (entry.id, frame)
            for entry, frame in framed
            if entry.id > after and (isinstance(entry, Mark) or self.accept(entry))
        ]
        parts = [wanted[start : start + PORTION] for start in range(0, len(wanted), PORTION)]
        return [Portion(b"".join([frame for _, frame in part]), len(part), part[-1][0]) for part in parts]


class Hub:
    """The subscribers of one stream, whose ids grow. What they ask for is judged once for all who ask for the same."""

    def __init__(self, *, depth: int = QUEUE_DEPTH, room: Room | None = None) -> None:
        self.room = room or Room()
        self._depth = depth
        self._audiences: dict[Accept, Audience] = {}
        self._beats: list[dict[Subscriber, None]] = [{} for _ in range(BEAT_SECONDS)]
        self._ticking: asyncio.TimerHandle | None = None
        self._ticks = 0
        self._joined = 0
        self._count = 0
        self._pending: list[Entry] = []
        self._round: Iterator[None] | None = None
        self._scheduled = False
        self._closed = False
        self.newest_id = 0
        self.dropped = 0

    def __len__(self) -> int:
        return self._count

    def full(self, address: str) -> bool:
        return self.room.full(address)

    def subscribe(self, address: str, accept: Accept) -> Subscriber:
        """From now on it gets what is published. On the event loop only."""
        audience = self._audiences.setdefault(accept, Audience(accept))
        self._joined += 1
        turn = self._joined % BEAT_SECONDS
        subscriber = Subscriber(audience, address, depth=self._depth, start_id=self.newest_id, turn=turn)
        subscriber.closing = self._closed
        audience.members[subscriber] = None
        self._beats[turn][subscriber] = None
        self.room.enter(address)
        self._count += 1
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(1.0, self._tick)
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        audience = subscriber.audience
        if subscriber not in audience.members:
            return
        del audience.members[subscriber]
        if not audience.members:
            del self._audiences[audience.accept]
        del self._beats[subscriber.turn][subscriber]
        self.room.leave(subscriber.address)
        self._count -= 1
        self.dropped += subscriber.lost
        if not self._count and self._ticking:
            self._ticking.cancel()
            self._ticking = None

    def publish(self, entries: Sequence[Entry]) -> None:
        """Entries whose ids are higher than all before; a Mark has the id of the entry before it."""
        if not entries:
            return
        self.newest_id = entries[-1].id
        if self._count:
            self._pending.extend(entries)
        if self._pending and self._round is None and not self._scheduled:
            self._advance()

    def _advance(self) -> None:
        """Some of a round, which tells everyone; what is published meanwhile is told by the next round."""
        self._scheduled = False
        if self._round is None:
            entries, self._pending = self._pending, []
            self._round = self._tell([(entry, entry.frame()) for entry in entries])
        if sum(1 for _ in islice(self._round, AT_ONCE)) < AT_ONCE:
            self._round = None
        if self._round or self._pending:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._advance)

    def _tell(self, framed: Sequence[Framed]) -> Iterator[None]:
        before = framed[0][0].id
        for audience in list(self._audiences.values()):
            shared = audience.portions(framed)
            for subscriber in list(audience.members):
                late = subscriber.start_id >= before  # it came after some of this was published
                for portion in audience.portions(framed, after=subscriber.start_id) if late else shared:
                    subscriber.offer(portion)
                yield

    def _tick(self) -> None:
        """Every second: a heartbeat for those whose turn it is; who is stalled is cut, who has been here long ends."""
        self._ticking = asyncio.get_running_loop().call_later(1.0, self._tick)
        self._ticks += 1
        now = time.monotonic()
        beat = Heartbeat(at=stamp(time.time()), newest_id=self.newest_id or None)
        portion = Portion(b": keep-alive\n\n" + Mark(self.newest_id, "heartbeat", _encode(beat)).frame())
        for subscriber in list(self._beats[self._ticks % BEAT_SECONDS]):
            if subscriber.cut and 0 < subscriber.sending_since < now - STALLED_SECONDS:
                subscriber.cut()
            elif now >= subscriber.ends_at:
                subscriber.close()
            else:
                subscriber.offer(portion)

    def close(self) -> None:
        """Ends every stream, also those that come: their writers send a last `retry` and return."""
        self._closed = True
        self.release()

    def release(self) -> None:
        """Ends every stream that is open now."""
        for audience in self._audiences.values():
            for subscriber in audience.members:
                subscriber.close()
