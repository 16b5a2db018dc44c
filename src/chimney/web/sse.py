"""Server-sent events (WHATWG HTML §9.2) over plain ASGI.

hello, what was missed, then what comes; a heartbeat at most 15 s apart; a reader that does not read is told and cut;
connections end by themselves after about ten minutes, so that a restart never meets them all at once.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from typing import Protocol

import msgspec

from chimney.web.asgi import LATER, Event, Receive, Scope, Send
from chimney.web.hub import Entry, Hub, Subscriber
from chimney.web.problem import ProblemError
from chimney.web.record import current
from chimney.wire.event import Gap, Hello

LIFETIME_SECONDS = 600.0
RETRY_FULL_SECONDS = 30
AT_ONCE = 100  # of what was missed, so that a thousand who resume together do not hold it all in buffers
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]
_encode = msgspec.json.Encoder().encode
_jitter = random.Random()  # noqa: S311 — spreads reconnections


class Opening(msgspec.Struct, frozen=True):
    """How a stream begins: the greeting, a gap when what was asked for is gone, and what is still held of it."""

    hello: Hello
    gap: Gap | None
    backlog: Sequence[Entry]


def named(event: str, value: object) -> bytes:
    """An event without an id: it does not move the reader's place."""
    return b"event: %s\ndata: %s\n\n" % (event.encode(), _encode(value))


class Stream(Protocol):
    """For a handler annotated `-> Stream`: the framework sends what it returns as the ASGI application that it is."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send, /) -> None: ...


class Later:
    """An ASGI answer that is given by the Shell, once the framework is through with the request: what the framework
    holds for one, some kilobytes, is not held for the life of a stream."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def __call__(self, scope: Scope, _receive: Receive, _send: Send) -> None:
        scope[LATER] = self._stream


class EventStream:
    """An ASGI answer that lasts: `Opening` first, then whatever the subscriber is offered.

    One task for each reader, the server's own; that the reader has gone, or takes nothing any more, cancels it.
    """

    __slots__ = ("_hub", "_opening", "_subscriber")

    def __init__(self, hub: Hub, subscriber: Subscriber, opening: Opening) -> None:
        self._hub = hub
        self._subscriber = subscriber
        self._opening: Opening | None = opening
        subscriber.ends_at = time.monotonic() + LIFETIME_SECONDS * _jitter.uniform(0.8, 1.2)

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        if record := current.get():
            record.streamed = True
        watch = _Watch(self._subscriber, receive)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            watch.listen()
            await self._write(send)
        except asyncio.CancelledError:
            if not watch.cut:
                raise
            watch.task.uncancel()
        finally:
            self._hub.unsubscribe(self._subscriber)
            watch.end()

    async def _write(self, send: Send) -> None:
        await self._greet(send)
        subscriber = self._subscriber
        while not subscriber.closing:
            await subscriber.wait()
            while body := subscriber.take():
                await self._send(send, body)
            if subscriber.lost:
                await self._send(send, self._told())
                break
        await send({"type": "http.response.body", "body": _come_back(), "more_body": False})

    async def _send(self, send: Send, body: bytes) -> None:
        self._subscriber.sending_since = time.monotonic()
        await send({"type": "http.response.body", "body": body, "more_body": True})
        self._subscriber.sending_since = 0.0

    async def _greet(self, send: Send) -> None:
        opening, self._opening = self._opening, None  # what was replayed is not held for the life of the stream
        if opening is None:
            raise RuntimeError("a stream is answered once")
        first = b"retry: 1000\n\n" + named("hello", opening.hello)
        if opening.gap:
            first += named("gap", opening.gap)
        backlog = opening.backlog
        for start in range(0, max(1, len(backlog)), AT_ONCE):
            part = backlog[start : start + AT_ONCE]
            await self._send(send, first + b"".join([entry.frame() for entry in part]))
            first = b""

    def _told(self) -> bytes:
        lost = self._subscriber
        gap = Gap(missed=lost.lost, after_id=lost.newest_id, before_id=lost.lost_id + 1, reason="slow_reader")
        return named("gap", gap)


class _Watch:
    """Ends the task that it was made in when the reader has gone, or the hub finds it stalled.

    `cut` tells that from a cancellation that somebody else meant. No task of its own: with Granian, what `receive`
    returns is a future, and two kilobytes a reader are saved.
    """

    __slots__ = ("_heard", "_receive", "_subscriber", "cut", "task")

    def __init__(self, subscriber: Subscriber, receive: Receive) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a stream is answered within a task")
        self.task = task
        self.cut = False
        self._receive = receive
        self._heard: asyncio.Future[Event] | None = None
        self._subscriber = subscriber
        subscriber.cut = self._end_task

    def listen(self) -> None:
        self._heard = asyncio.ensure_future(self._receive())
        self._heard.add_done_callback(self._judge)

    def _judge(self, heard: "asyncio.Future[Event]") -> None:
        if heard.cancelled():
            return
        if heard.exception() is None and heard.result()["type"] != "http.disconnect":
            self.listen()
        else:
            self._end_task()

    def _end_task(self) -> None:
        self.cut = True
        self.task.cancel()

    def end(self) -> None:
        self._subscriber.cut = None
        if self._heard is not None:
            self._heard.remove_done_callback(self._judge)
            self._heard.cancel()


def _come_back() -> bytes:
    return b"retry: %d\n\n" % _jitter.randint(200, 2000)


class TurnedAway:
    """An ASGI answer to a browser that there is no room for: after a 429 EventSource would never try again."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        seconds = RETRY_FULL_SECONDS * _jitter.uniform(0.5, 1.5)
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        body = b": too many streams are open from this address\nretry: %d\n\n" % (seconds * 1000)
        await send({"type": "http.response.body", "body": body})


def room_or_429(hub: Hub, address: str) -> None:
    """Raises ProblemError when there is no room for another stream of this address."""
    if hub.full(address):
        detail = "Too many streams are open from this address, or in all."
        retry = [(b"retry-after", b"%d" % RETRY_FULL_SECONDS)]
        raise ProblemError(429, "too-many-streams", detail, headers=retry)


def turned_away(hub: Hub, address: str, headers: dict[bytes, bytes]) -> TurnedAway | None:
    """None when there is room. Raises ProblemError 429, unless a browser asks for an event stream."""
    if hub.full(address) and b"sec-fetch-dest" in headers and b"text/event-stream" in headers.get(b"accept", b""):
        return TurnedAway()
    room_or_429(hub, address)
    return None


def stream_app(hub: Hub, subscriber: Subscriber, opening: Opening) -> EventStream:
    """For a handler annotated `-> EventStream`: the framework then sends it as the ASGI application that it is."""
    return EventStream(hub, subscriber, opening)


NONSENSE = -1


def asked_id(scope_headers: dict[bytes, bytes], query_value: str | None) -> int | None:
    """Where a reader wants to resume: the header, else the query. None when absent, NONSENSE when it is no id."""
    header = scope_headers.get(b"last-event-id")
    text = header.decode("latin-1") if header else query_value
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else NONSENSE
