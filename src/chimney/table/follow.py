"""Following a stream of one origin, its log first of all: from the last record that is stored, for ever.

Resumed by what the journal holds, not by what was received; records that are gone become a `gap` row, a new start of
the origin a `restart` row; ids that begin anew (its folder was wiped) begin a new epoch, so nothing is taken for known.
"""

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

import httpx2
import msgspec

from chimney.config import FollowedOrigin
from chimney.core.eventsource import EventParser, EventTooLongError, ServerEvent
from chimney.core.records import rfc3339
from chimney.core.redact import safe
from chimney.store.errors import StorageFailedError
from chimney.store.telemetry import Batch, Incoming, LogStore, Place
from chimney.table.ingest import Ingest
from chimney.table.turnstile import Turn, at_once
from chimney.wire.base import stamp
from chimney.wire.event import Event, Gap, Hello
from chimney.wire.origin import StreamState

SILENCE_SECONDS = 35.0  # the origin sends at least a heartbeat every 15 s: two lost and some slack
FIRST_WAIT, LONGEST_WAIT = 0.25, 15.0
GOOD_AFTER_SECONDS = 5.0
NOT_WANTED_SECONDS = 2.0
EVENTS = "chimney.events"  # the logger of what happened beside requests
_jitter = random.Random()  # noqa: S311 — spreads reconnections
_hello = msgspec.json.Decoder(Hello).decode
_gap = msgspec.json.Decoder(Gap).decode
_event = msgspec.json.Decoder(Event).decode
_encode = msgspec.json.Encoder().encode
log = logging.getLogger(__name__)
T = TypeVar("T")


class LostError(Exception):
    """The stream is of no use any more; the message says why."""


def new_place(place: Place, hello: Hello) -> Place:
    """Where to go on from, when the process behind the stream may be another one than before.

    A start that we have not met and whose newest id lies below our last one has begun its ids anew.
    """
    if hello.boot in place.boots:
        return place
    boots = (*place.boots, hello.boot[:128])
    if (hello.newest_id or 0) < place.last_id:
        return Place(place.epoch + 1, 0, boots)
    return Place(place.epoch, place.last_id, boots)


def mark(kind: str, message: str, now: float, **fields: object) -> Incoming:
    """A row of our own in the log of a source."""
    row = {
        "ts": rfc3339(int(now * 1000)),
        "level": "warning",
        "message": message,
        "logger": "chimney.table.follow",
        **fields,
    }
    return Incoming(_encode(row), kind=kind)


class Stream(msgspec.Struct, frozen=True):
    """A stream: its path, under which source its records are kept, and how one of its events is a record (None: it is
    none). `wanted` says whether to ask for it now; `main` is the stream whose marks tell of restarts."""

    path: str
    source: str
    read: Callable[[ServerEvent], Incoming | None]
    wanted: Callable[[], bool] = lambda: True
    main: bool = False


def log_record(event: ServerEvent) -> Incoming | None:
    """Of a stream of log records."""
    return Incoming(event.data.encode("utf-8", "replace"), _id(event.id)) if event.event == "log" else None


def event_record(event: ServerEvent) -> Incoming | None:
    """Of `/api/events`: what happened, as a record that can be searched like any other."""
    if event.event in ("hello", "gap", "heartbeat"):
        return None
    try:
        said = _event(event.data)
    except (msgspec.DecodeError, RecursionError):
        return Incoming(event.data.encode("utf-8", "replace"), _id(event.id))
    level = (
        "warning" if event.event.endswith(("_lost", "_failed", "_stuck", "_hit")) or said.kind == "panic" else "info"
    )
    row = {"ts": said.at, "level": level, "message": said.message, "logger": EVENTS, "event": said.kind, **said.data}
    if said.slot:
        row["slot"] = said.slot
    return Incoming(_encode(row), _id(event.id))


class Follower:
    """Of one stream; `follow` is its loop's verb. `left_at` is when it ended, and did not break off."""

    def __init__(
        self,
        origin: FollowedOrigin,
        *,
        client: httpx2.AsyncClient,
        store: LogStore,
        ingest: Ingest,
        changed: Callable[[], None] = lambda: None,
        stream: Stream | None = None,
        turn: Turn = at_once,
    ) -> None:
        self._turn = turn
        self.origin = origin
        self._stream = stream or Stream("/api/logs/stream", origin.name, log_record, main=True)
        self.source = self._stream.source
        self._client = client
        self._store = store
        self._ingest = ingest
        self._changed = changed
        self._place = Place()
        self._state, self._since = "connecting", time.time()
        self._error: str | None = None
        self._failures = 0
        self._retry_seconds = 0.0
        self.left_at: float | None = None

    @property
    def connected(self) -> bool:
        return self._state == "connected"

    def state(self) -> StreamState:
        newest = self._ingest.newest.get(self.source)
        return StreamState(
            state=self._state,
            since=stamp(self._since),
            last_record_at=stamp(newest.at) if newest else None,
            last_id=(newest.origin_id if newest else None) or self._place.last_id or None,
            lag_seconds=round(newest.lag_seconds, 3) if newest else None,
            error=self._error,
        )

    def _become(self, state: str, error: str | None = None) -> None:
        self._error = error
        if state == self._state:
            return
        log.info("stream of %s is %s%s", self.origin.name, state, f": {error}" if error else "")
        self._state, self._since = state, time.time()
        self._changed()

    async def follow(self) -> float:
        """One connection, until it is lost; returns the wait before the next: back-off, and what the origin asked."""
        if not self._stream.wanted():
            return NOT_WANTED_SECONDS * _jitter.uniform(0.8, 1.2)
        await self._turn()
        began = time.monotonic()
        try:
            self._place = await self._store.place(self.source)
            why = await self._connection()
            self.left_at = time.time()
        except (httpx2.HTTPError, httpx2.StreamError, LostError, EventTooLongError, StorageFailedError) as error:
            why = _said(error)
        if time.monotonic() - began > GOOD_AFTER_SECONDS:
            self._failures = 0
        self._become("lost", why)
        backoff = min(LONGEST_WAIT, FIRST_WAIT * 2.0**self._failures) * _jitter.uniform(0.6, 1.0)
        self._failures = min(self._failures + 1, 10)
        return max(backoff, self._retry_seconds * _jitter.uniform(1.0, 1.2))

    async def _connection(self) -> str:
        """Reads one connection to its end; returns why it ended."""
        token = self.origin.read_token
        headers = {"accept": "text/event-stream", "accept-encoding": "identity"}
        if token:
            headers["authorization"] = f"Bearer {token.get_secret_value()}"
        async with self._client.stream(
            "GET",
            f"{self.origin.url}{self._stream.path}",
            params={"last_event_id": str(self._place.last_id)},
            headers=headers,
            timeout=httpx2.Timeout(5.0, read=SILENCE_SECONDS),
        ) as response:
            content_type = response.headers.get("content-type", "")
            if response.status_code != 200 or not content_type.startswith("text/event-stream"):
                raise LostError(f"{response.status_code} {content_type or 'without content'}: {await _start(response)}")
            parser = EventParser(str(self._place.last_id))
            async for chunk in response.aiter_raw():
                await self._take(parser.feed(chunk))
                self._retry_seconds = min(LONGEST_WAIT, (parser.retry or 0) / 1000)
        return "the origin closed the connection"

    async def _take(self, events: list[ServerEvent]) -> None:
        records: list[Incoming] = []
        for event in events:
            record = self._stream.read(event)
            if record:
                records.append(record)
            elif event.event in ("hello", "gap"):
                await self._keep(records)
                records = []
                await (self._greet(event.data) if event.event == "hello" else self._gap(event.data))
        await self._keep(records)

    async def _keep(self, records: list[Incoming], place: Place | None = None) -> None:
        if records or place:
            await self._ingest.store(Batch(self.source, records, place))
            self._place = await self._store.place(self.source)

    async def _greet(self, data: str) -> None:
        hello = _read(_hello, data)
        place = new_place(self._place, hello)
        if place != self._place:
            known = bool(self._place.boots)
            began_anew = place.epoch != self._place.epoch
            message = f"{self.origin.name} restarted" + (", its record ids begin anew" if began_anew else "")
            row = mark("restart", message, time.time(), boot=hello.boot, version=hello.version)
            await self._keep([row] if known and self._stream.main else [], place)
            if began_anew:
                self._failures = 0
                raise LostError("its record ids begin anew; reading them from the first")
        self._become("connected")

    async def _gap(self, data: str) -> None:
        """A gap of a slow reader is no loss: the records are asked for again. One that says `evicted` is."""
        gap = _read(_gap, data)
        last = self._place.last_id
        if gap.reason != "evicted" or gap.before_id - 1 <= last:
            return
        place = Place(self._place.epoch, gap.before_id - 1, self._place.boots)
        row = mark(
            "gap",
            f"{gap.missed:,} records of {self.origin.name} were gone before they could be read",
            time.time(),
            missed=gap.missed,
            after_id=gap.after_id,
            before_id=gap.before_id,
            reason=gap.reason,
        )
        await self._keep([row] if last else [], place)  # nothing was ever followed: nothing is missing


def _id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _read(decode: Callable[[str], T], data: str) -> T:
    try:
        return decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise LostError(f"what it says cannot be understood: {error}") from None


def _said(error: Exception) -> str:
    if isinstance(error, httpx2.ReadTimeout):
        return f"nothing was heard for {SILENCE_SECONDS:.0f} s, not even a heartbeat"
    return safe(str(error) or type(error).__name__, longest=300)


async def _start(response: httpx2.Response) -> str:
    """The beginning of an answer that is no stream, for the operator."""
    async for chunk in response.aiter_raw(512):
        return safe(chunk.decode("utf-8", "replace"), longest=200)
    return "empty"
