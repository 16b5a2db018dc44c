"""Streams to the browser: the log as it is stored, and what the overview shows.

A stream ends with the session that opened it; it resumes from the journal, so a restart of the table loses nothing.
"""

import time
from collections.abc import Callable
from typing import Annotated, Any, cast

import msgspec
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from chimney import __version__
from chimney.core.log_filter import LogFilter
from chimney.store.errors import StoreError
from chimney.store.telemetry import Found, LogStore
from chimney.table.access import VIEWER, identity_of
from chimney.table.ingest import Ingest, RowEntry
from chimney.table.queries import FILTER, Within, malformed, unreadable
from chimney.table.sessions import Sessions
from chimney.web.asgi import Receive, Scope, Send
from chimney.web.hub import Entry, Hub, Room, Subscriber
from chimney.web.record import RequestRecord, record_of
from chimney.web.sse import Later, Opening, Stream, asked_id, room_or_429, stream_app
from chimney.wire.event import Gap, Hello
from chimney.wire.finding import Findings
from chimney.wire.origin import Overview

REPLAYED = 1_000
TOPICS = ("overview", "findings")
CHANGES = {"overview_changed": "overview"}  # what is told in place of the whole, to those who asked for that
_encode = msgspec.json.Encoder().encode
AnyRequest = Request[Any, Any, Any]


class SessionStream:
    """ASGI: a stream that ends with the session that opened it."""

    def __init__(self, hub: Hub, subscriber: Subscriber, opening: Opening, sessions: Sessions) -> None:
        self._stream = stream_app(hub, subscriber, opening)
        self._subscriber = subscriber
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._sessions.watch(identity_of(scope), self._subscriber)
        try:
            await self._stream(scope, receive, send)
        finally:
            self._sessions.unwatch(self._subscriber)


class LogStreams:
    """The log's live end, and what a reader missed of it."""

    def __init__(self, *, hub: Hub, store: LogStore, ingest: Ingest, boot: str, within: Within) -> None:
        self.hub = hub
        self._store = store
        self._ingest = ingest
        self._boot = boot
        self._within = within

    async def open(self, wanted: LogFilter, resume_after: int | None, address: str) -> tuple[Subscriber, Opening]:
        """Subscribed first, then read up to what was published at that moment: no row twice, none left out."""
        room_or_429(self.hub, address)
        wanted = self._within(wanted)
        newest = self._ingest.newest_id
        subscriber = self.hub.subscribe(address, lambda entry: wanted.accepts(cast("RowEntry", entry).row))
        try:
            return subscriber, await self._opening(wanted, resume_after, newest)
        except StoreError as error:
            self.hub.unsubscribe(subscriber)
            raise unreadable(error) from None
        except BaseException:
            self.hub.unsubscribe(subscriber)
            raise

    async def _opening(self, wanted: LogFilter, resume_after: int | None, newest: int) -> Opening:
        oldest = (await self._store.size()).oldest_id
        hello = Hello(version=__version__, boot=self._boot, oldest_id=oldest, newest_id=newest or None)
        if resume_after is None or resume_after == newest:
            return Opening(hello, None, [])
        known = 0 <= resume_after <= newest
        after = resume_after if known else 0  # an id of another journal, or none at all: everything may be missed
        found = await self._store.read(wanted, limit=REPLAYED, before=newest + 1, after=after)
        gap = _gap(found, after=after, oldest=oldest or newest + 1, end=newest + 1)
        if not known:
            gap = _unknown(max(0, resume_after), gap, first=found.rows[-1].id if found.rows else newest + 1)
        return Opening(hello, gap, [Entry(row.id, "log", _encode(row)) for row in reversed(found.rows)])


def _gap(found: Found, *, after: int, oldest: int, end: int) -> Gap | None:
    if found.more:
        before, reason = (found.rows[-1].id if found.rows else end), "too_many"
    elif after + 1 < oldest:
        before, reason = oldest, "evicted"
    else:
        return None
    return Gap(missed=before - after - 1, after_id=after, before_id=before, reason=reason)


def _unknown(asked: int, gap: Gap | None, *, first: int) -> Gap:
    return Gap(missed=gap.missed if gap else 0, after_id=asked, before_id=first, reason="unknown_id")


class PageStreams:
    """What the overview shows: a snapshot, then whatever changed, whole. Ids grow across restarts, by the clock."""

    def __init__(self, boot: str, room: Room | None = None) -> None:
        self.hub = Hub(depth=100, room=room)
        self._boot = boot
        self._id = int(time.time() * 1000)

    def _entry(self, topic: str, value: object) -> Entry:
        self._id += 1
        return Entry(self._id, topic, _encode(value))

    def publish(self, topic: str, value: object) -> None:
        if len(self.hub):
            self.hub.publish([self._entry(topic, value)])

    def open(
        self, topics: frozenset[str], address: str, snapshot: Callable[[], list[tuple[str, object]]]
    ) -> tuple[Subscriber, Opening]:
        room_or_429(self.hub, address)
        backlog = [self._entry(topic, value) for topic, value in snapshot() if topic in topics]
        hello = Hello(version=__version__, boot=self._boot, oldest_id=None, newest_id=self._id)
        return self.hub.subscribe(address, lambda entry: CHANGES.get(entry.event, entry.event) in topics), Opening(
            hello, None, backlog
        )


def _topics(text: str) -> frozenset[str]:
    topics = frozenset(topic.strip() for topic in text.split(",") if topic.strip())
    unknown = sorted(topics - set(TOPICS))
    if unknown or not topics:
        said = ", ".join(repr(one[:40]) for one in unknown) or "nothing"
        raise malformed("query.topics", f"{said} is none of {', '.join(TOPICS)}")
    return topics


def routes(
    logs: LogStreams,
    pages: PageStreams,
    sessions: Sessions,
    *,
    overview: Callable[[], Overview],
    findings: Callable[[], Findings],
) -> list[Any]:
    @get(
        "/api/logs/stream",
        opt=VIEWER,
        dependencies=FILTER,
        summary="Log records as they are stored",
        tags=["logs"],
        media_type=_SSE,
    )
    async def log_stream(
        request: AnyRequest, wanted: NamedDependency[LogFilter], last_event_id: FromQuery[str | None] = None
    ) -> Stream:
        """Server-sent events named `log`, each a LogRow. `Last-Event-ID` (header or query) resumes: up to 1,000 missed
        records are replayed, a `gap` event tells of more."""
        record = _record(request)
        subscriber, opening = await logs.open(wanted, asked_id(record.headers, last_event_id), record.client)
        return Later(SessionStream(logs.hub, subscriber, opening, sessions))

    @get(
        "/api/stream", opt=VIEWER, summary="What the overview shows, as it changes", tags=["overview"], media_type=_SSE
    )
    async def page_stream(
        request: AnyRequest,
        topics: Annotated[
            str, QueryParameter(max_length=200, description="`overview`, `findings`, by commas.")
        ] = "overview",
    ) -> Stream:
        """Server-sent events named by topic: first a snapshot, then each change, at most one a second."""
        chosen = _topics(topics)
        subscriber, opening = pages.open(
            chosen, _record(request).client, lambda: [("overview", overview()), ("findings", findings())]
        )
        return Later(SessionStream(pages.hub, subscriber, opening, sessions))

    return [log_stream, page_stream]


_SSE = "text/event-stream"


def _record(request: AnyRequest) -> RequestRecord:
    return record_of(cast("Scope", request.scope))
