"""Server-sent events (WHATWG HTML §9.2) over plain ASGI.

hello, what was missed, then what comes; a heartbeat at most 15 s apart; a reader that does not read is told and cut;
connections end by themselves after about ten minutes, so that a restart never meets them all at once.
"""

import asyncio
import random
import time
from collections.abc import Sequence

import msgspec

from chimney.web.asgi import Receive, Scope, Send
from chimney.web.hub import Entry, Hub, Subscriber
from chimney.web.record import current
from chimney.wire.base import stamp
from chimney.wire.event import Gap, Heartbeat, Hello

HEARTBEAT_SECONDS = 15.0
STALLED_SECONDS = 30.0
LIFETIME_SECONDS = 600.0
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
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


class EventStream:
    """An ASGI answer that lasts: `Opening` first, then whatever the subscriber is offered."""

    def __init__(self, hub: Hub, subscriber: Subscriber, opening: Opening) -> None:
        self._hub = hub
        self._subscriber = subscriber
        self._opening = opening
        self._newest = opening.hello.newest_id

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        if record := current.get():
            record.streamed = True
        writer = asyncio.create_task(self._write(send))
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await asyncio.wait((writer, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._hub.unsubscribe(self._subscriber)
            for task in (writer, gone):
                task.cancel()
            await asyncio.gather(writer, gone, return_exceptions=True)

    async def _write(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await self._send(send, self._greeting())
        ends_at = time.monotonic() + LIFETIME_SECONDS * _jitter.uniform(0.8, 1.2)
        beat_at = time.monotonic() + HEARTBEAT_SECONDS
        while not self._subscriber.closing and (now := time.monotonic()) < ends_at:
            entries = await self._subscriber.take(within=beat_at - now)
            if entries:
                await self._send(send, self._frames(entries))
            if time.monotonic() >= beat_at:
                beat_at = time.monotonic() + HEARTBEAT_SECONDS
                await self._send(send, self._heartbeat())
            if self._subscriber.lost:
                rest = self._frames(await self._subscriber.take(within=0))
                await self._send(send, rest + self._told())
                break
        last = b"retry: %d\n\n" % _jitter.randint(200, 2000)
        await send({"type": "http.response.body", "body": last, "more_body": False})

    async def _send(self, send: Send, body: bytes) -> None:
        async with asyncio.timeout(STALLED_SECONDS):
            await send({"type": "http.response.body", "body": body, "more_body": True})

    def _greeting(self) -> bytes:
        parts = [b"retry: 1000\n\n", named("hello", self._opening.hello)]
        if self._opening.gap:
            parts.append(named("gap", self._opening.gap))
        parts.append(self._frames(self._opening.backlog))
        return b"".join(parts)

    def _frames(self, entries: Sequence[Entry]) -> bytes:
        if entries:
            self._newest = entries[-1].id
        return b"".join([entry.frame() for entry in entries])

    def _heartbeat(self) -> bytes:
        beat = Heartbeat(at=stamp(time.time()), newest_id=self._newest)
        return b": keep-alive\n\n" + named("heartbeat", beat)

    def _told(self) -> bytes:
        lost = self._subscriber
        gap = Gap(missed=lost.lost, after_id=self._newest or 0, before_id=lost.lost_id + 1, reason="slow_reader")
        return named("gap", gap)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def stream_app(hub: Hub, subscriber: Subscriber, opening: Opening) -> EventStream:
    """For a handler annotated `-> EventStream`: the framework then sends it as the ASGI application that it is."""
    return EventStream(hub, subscriber, opening)


def asked_id(scope_headers: dict[bytes, bytes], query_value: str | None) -> int | None:
    """Where a reader wants to resume: the header, else the query. None when absent or not one of our ids."""
    header = scope_headers.get(b"last-event-id")
    text = header.decode("latin-1") if header else query_value
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None
