"""The wall as a stream, for whoever has a link; and the page behind the link's address.

A link may show some origins only: what is told is made once for each choice of origins that is being watched.
"""

import logging
import time
from collections.abc import Mapping
from typing import Any, cast

import msgspec
from litestar import get
from litestar.openapi.datastructures import ResponseSpec

from chimney import __version__
from chimney.core.series import Fn, Grid, figures
from chimney.core.wall import wall
from chimney.store.errors import StoreError
from chimney.store.links import StoredLink
from chimney.store.telemetry import SampleStore
from chimney.table.access import LINK, AnyRequest, link_of
from chimney.table.links import Links
from chimney.table.overview import Board
from chimney.web.asgi import App, Event, Receive, Scope, Send
from chimney.web.hub import Accept, Entry, Hub, Room, Subscriber
from chimney.web.record import record_of
from chimney.web.sse import Later, Opening, Stream, room_or_429, stream_app
from chimney.wire.event import Hello
from chimney.wire.wall import Traffic, Wall

EVERY_SECONDS = 1.0
TELL_SECONDS = 5.0  # also when nothing is known to have changed: ages, rates
STEP_MS = 60_000
STEPS = 30
TRAFFIC_SECONDS = 15.0
LOOKBACK_MS = 300_000  # the sample before the first window
BEFORE = "/tv/"
_SSE = "text/event-stream"
_encode = msgspec.json.Encoder().encode
log = logging.getLogger(__name__)
Names = frozenset[str]


class WallEntry(Entry, frozen=True, gc=False):
    """What those are told whose link shows these origins."""

    origins: Names = frozenset()


class Walls:
    """`tell` is the verb of a loop; it does nothing while nobody watches."""

    def __init__(self, board: Board, store: SampleStore, *, boot: str, room: Room) -> None:
        self.hub = Hub(depth=100, room=room)
        self._board = board
        self._store = store
        self._boot = boot
        self._id = int(time.time() * 1000)
        self._accepts: dict[Names, Accept] = {}
        self._watched: dict[Subscriber, Names] = {}
        self._traffic: Mapping[str, Traffic] = {}
        self._measured = 0.0
        self._told: dict[Names, tuple[float, Wall]] = {}

    def _entry(self, told: Wall, origins: Names) -> WallEntry:
        self._id += 1
        return WallEntry(self._id, "wall", _encode(told), origins=origins)

    def _wall(self, origins: Names) -> Wall:
        return wall(self._board.overview(origins), traffic=self._traffic)

    async def open(self, link: StoredLink, address: str) -> tuple[Subscriber, Opening]:
        room_or_429(self.hub, address)
        origins = frozenset(link.origins)
        await self._measure()
        accept = self._accepts.setdefault(origins, lambda entry: cast("WallEntry", entry).origins == origins)
        subscriber = self.hub.subscribe(address, accept)
        self._watched[subscriber] = origins
        hello = Hello(version=__version__, boot=self._boot, oldest_id=None, newest_id=self._id)
        return subscriber, Opening(hello, None, [self._entry(self._wall(origins), origins)])

    def left(self, subscriber: Subscriber) -> None:
        origins = self._watched.pop(subscriber, None)
        if origins is not None and origins not in self._watched.values():
            self._accepts.pop(origins, None)
            self._told.pop(origins, None)

    async def tell(self) -> float:
        if self._watched:
            await self._measure()
        for origins in set(self._watched.values()):
            self._tell(origins)
        return EVERY_SECONDS

    def _tell(self, origins: Names) -> None:
        now = time.monotonic()
        at, before = self._told.get(origins, (0.0, None))
        told = self._wall(origins)
        same = before is not None and msgspec.structs.replace(told, at=before.at) == before
        if not same or now - at >= TELL_SECONDS:
            self._told[origins] = (now, told)
            self.hub.publish([self._entry(told, origins)])

    async def _measure(self) -> None:
        """Requests and errors of each origin in the last half hour."""
        now = time.time()
        if now - self._measured < TRAFFIC_SECONDS:
            return
        self._measured = now
        end = int(now * 1000) // STEP_MS * STEP_MS
        grid = Grid(end - STEPS * STEP_MS, STEP_MS, STEPS)
        try:
            found = await self._store.samples(
                "chimney_requests_total", {}, from_ms=grid.from_ms - LOOKBACK_MS, to_ms=end
            )
        except StoreError as error:
            log.warning("the wall shows no traffic: %s", error)
            return
        rates = figures(found.samples, Fn.RATE, grid, by=["origin", "status_class"])
        self._traffic = _by_origin({dict(labels).get("origin", ""): {} for labels in rates}, rates)


def _by_origin(
    places: dict[str, dict[bool, list[float | None]]], rates: Mapping[tuple[tuple[str, str], ...], list[float | None]]
) -> dict[str, Traffic]:
    """Of each origin all requests, and those of class 5xx."""
    for labels, values in rates.items():
        said = dict(labels)
        sums = places[said.get("origin", "")]
        for failed in {False, said.get("status_class") == "5xx"}:
            sums[failed] = [_sum(*pair) for pair in zip(sums.get(failed, [None] * STEPS), values, strict=True)]
    return {
        name: Traffic(
            step_seconds=STEP_MS / 1000,
            requests=sums.get(False, []),
            errors=sums.get(True) or [None if value is None else 0.0 for value in sums.get(False, [])],
        )
        for name, sums in places.items()
    }


def _sum(one: float | None, other: float | None) -> float | None:
    return (one or 0.0) + (other or 0.0) if one is not None or other is not None else None


class LinkStream:
    """ASGI: a stream that ends with the link that opened it."""

    def __init__(self, walls: Walls, links: Links, link: StoredLink, *, opened: tuple[Subscriber, Opening]) -> None:
        self._subscriber, opening = opened
        self._stream = stream_app(walls.hub, self._subscriber, opening)
        self._walls = walls
        self._links = links
        self._link = link

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._links.watch(self._link, self._subscriber)
        try:
            await self._stream(scope, receive, send)
        finally:
            self._links.unwatch(self._subscriber)
            self._walls.left(self._subscriber)


class WallPage:
    """ASGI before the page: below /tv/ the address holds a token, which goes into no log.

    One that is not known any more answers 404, with the page all the same, which says so.
    """

    def __init__(self, links: Links, page: App) -> None:
        self._links = links
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if not path.startswith(BEFORE):
            await self._page(scope, receive, send)
            return
        record = record_of(scope)
        record.path, record.route = f"{BEFORE}{{token}}", f"{BEFORE}{{token}}"
        record.headers.pop(b"if-none-match", None)
        known = self._links.find(path[len(BEFORE) :].rstrip("/")) is not None

        async def send_known(event: Event) -> None:
            if event["type"] == "http.response.start":
                kept = [header for header in event["headers"] if header[0] not in (b"etag", b"cache-control")]
                event["headers"] = [*kept, (b"cache-control", b"no-store"), (b"x-robots-tag", b"noindex")]
                event["status"] = event["status"] if known else 404
            await send(event)

        await self._page(scope, receive, send_known)


def routes(walls: Walls, links: Links) -> list[Any]:
    told = ResponseSpec(Wall, generate_examples=False, media_type=_SSE, description="Events whose data is this")

    @get(
        "/api/wall/stream",
        opt=LINK,
        summary="The wall, as it changes",
        tags=["wall"],
        media_type=_SSE,
        responses={200: told},
    )
    async def stream(request: AnyRequest) -> Stream:
        """Server-sent events named `wall`, each the whole wall, first as it is now. Takes a link's token as bearer
        token and nothing else; ends when the link does."""
        scope = cast("Scope", request.scope)
        link = cast("StoredLink", link_of(scope))
        opened = await walls.open(link, record_of(scope).client)
        return Later(LinkStream(walls, links, link, opened=opened))

    return [stream]
