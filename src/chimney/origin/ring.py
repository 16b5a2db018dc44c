"""Rings: the last records of a stream in memory, on disk and live.

A record gets its id when it is on disk, and is shown only then: an id seen by a reader is never given again.
"""

import asyncio
import logging
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from chimney import __version__
from chimney.core.resume import resume
from chimney.instrumentation import Line
from chimney.store.ring import Kept, Numbered, RingFile
from chimney.web.hub import Entry, Hub, Room
from chimney.web.problem import ProblemError
from chimney.web.sse import EventStream, Later, Opening, Stream, turned_away
from chimney.wire.base import Page
from chimney.wire.event import Gap, Hello
from chimney.wire.problem import Fault
from chimney.wire.telemetry import LEVELS

HELD = 1_000
OTHERS_SECONDS = 0.2  # between two looks for what the other slot appended, once it was met
ALONE_SECONDS = 1.0  # before that
CALM_SECONDS = 300.0
log = logging.getLogger(__name__)
Made = Callable[[int, int], Entry]  # of an id and a place among the lines
_LEVEL = re.compile(rb'"level":"([a-z]+)"')
_TIMESTAMP = re.compile(rb'"ts":"([^"]{20,35})"')


class Ring:
    """The part that is the same for every stream. Subclasses say what an entry is made of."""

    def __init__(self, file: Path, *, boot: str, room: Room | None = None) -> None:
        self._file = RingFile(file, keep=HELD)
        self._boot = boot
        self._held: deque[Entry] = deque(maxlen=HELD)
        self._in_order = asyncio.Lock()
        self._met_others = -CALM_SECONDS
        self.hub = Hub(room=room)
        self.unkept = 0

    def entry(self, number: int, line: bytes) -> Entry:
        raise NotImplementedError

    def recall(self) -> None:
        """What the process before this one left, without the lines that a damaged disk garbled. Blocking."""
        self._held.extend(self.entry(number, line) for number, line in self._file.load() if is_object(line))
        self.hub.newest_id = self._file.newest

    async def keep(self, lines: Sequence[bytes], made: Made | None = None) -> None:
        """Keeps the lines, then shows them. `made` makes the entry of an id and a place among the lines."""
        async with self._in_order:
            first, others = await asyncio.to_thread(self._append, list(lines))
            self._show(self._entries(others) + self._made(first, lines, made))

    def _made(self, first: int, lines: Sequence[bytes], made: Made | None) -> list[Entry]:
        """When nobody reads, only what the ring itself keeps is made into entries."""
        skipped = max(0, len(lines) - HELD) if not len(self.hub) else 0
        make = made or (lambda number, place: self.entry(number, lines[place]))
        return [make(first + place, place) for place in range(skipped, len(lines))]

    def _append(self, lines: list[bytes]) -> Kept:
        try:
            return self._file.append(lines, least=self._least())
        except OSError:
            self.unkept += len(lines)
            return Kept(self._file.newest - len(lines) + 1, [])

    def _least(self) -> int:
        """The least id that lines may get; 0 when they just go on."""
        return 0

    def _entries(self, others: Sequence[Numbered]) -> list[Entry]:
        if others:
            self._met_others = time.monotonic()
        return [self.entry(number, line) for number, line in others if is_object(line)]

    def _show(self, entries: Sequence[Entry]) -> None:
        self._held.extend(entries)
        self.hub.publish(entries)

    async def look(self) -> float:
        """A loop's verb: shows what the other slot appended to the same file."""
        async with self._in_order:
            try:
                others = await asyncio.to_thread(self._file.news)
            except OSError as error:
                log.warning("what the other slot says cannot be read: %s", error)
                return CALM_SECONDS
            self._show(self._entries(others))
        return OTHERS_SECONDS if time.monotonic() - self._met_others < CALM_SECONDS else ALONE_SECONDS

    async def catch_up(self) -> None:
        """Looks now."""
        await self.look()

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        """The oldest and the newest id held; both None while nothing is."""
        return (self._held[0].id, self._held[-1].id) if self._held else (None, None)

    def opening(self, wanted: Callable[[Entry], bool], asked: int | None) -> Opening:
        """A new reader gets the greeting only; one that resumes gets what it missed, after a gap when that is gone."""
        oldest, newest = self.bounds
        hello = Hello(version=__version__, boot=self._boot, oldest_id=oldest, newest_id=newest)
        if asked is None:
            return Opening(hello, None, [])
        place = resume(asked, oldest, newest, self._file.holes)
        gap = None
        if place.reason:
            before = next((entry.id for entry in self._held if entry.id > place.after), (newest or 0) + 1)
            gap = Gap(missed=place.missed, after_id=max(0, asked), before_id=before, reason=place.reason)
        return Opening(hello, gap, [entry for entry in self._held if entry.id > place.after and wanted(entry)])

    async def stream(
        self, wanted: Callable[[Entry], bool], asked: int | None, address: str, headers: dict[bytes, bytes]
    ) -> Stream:
        """Raises ProblemError when there are too many."""
        if away := turned_away(self.hub, address, headers):
            return away
        if asked is not None and asked > (self.bounds[1] or 0):
            await self.catch_up()  # it may come from another slot, with an id that was given a moment ago
        opening = self.opening(wanted, asked)
        return Later(EventStream(self.hub, self.hub.subscribe(address, wanted), opening))

    def close(self) -> None:
        self._file.close()


def is_object(line: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


class Filter(msgspec.Struct, frozen=True):
    """Which records are meant: at least this severe, holding every given text (without regard to case)."""

    level: int = 0
    texts: tuple[bytes, ...] = ()
    since: str = ""

    def __call__(self, entry: Entry) -> bool:
        if entry.level < self.level:
            return False
        if self.texts:
            data = entry.data.lower()
            if not all(text in data for text in self.texts):
                return False
        return not self.since or _timestamp(entry) >= self.since


def _timestamp(entry: Entry) -> str:
    match = _TIMESTAMP.search(entry.data)
    return match[1].decode() if match else ""


def _bad(name: str, detail: str) -> ProblemError:
    return ProblemError(
        400, "malformed", f"query.{name}: {detail}", errors=[Fault(path=f"query.{name}", detail=detail)]
    )


def _needle(text: str) -> bytes:
    """The text as it stands inside JSON."""
    return msgspec.json.encode(text)[1:-1].lower()


def make_filter(
    level: str | None, grep: str | None, since: datetime | None, request_id: str | None, trace_id: str | None
) -> Filter:
    """Raises ProblemError for what cannot be meant."""
    if level is not None and level.lower() not in LEVELS:
        raise _bad("level", f"{level[:40]!r} is none of {', '.join(LEVELS)}")
    texts = [_needle(grep)] if grep else []
    texts += [b'"request_id":"%s"' % _needle(request_id)] if request_id else []
    texts += [b'"trace_id":"%s"' % _needle(trace_id)] if trace_id else []
    return Filter(LEVELS[level.lower()] if level else 0, tuple(texts), _utc(since) if since else "")


def _utc(since: datetime) -> str:
    """As records say it. A time without offset is taken as UTC."""
    try:
        at = since.astimezone(UTC) if since.tzinfo else since.replace(tzinfo=UTC)
    except OverflowError:
        raise _bad("since", "lies outside of the calendar") from None
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class RecordRing(Ring):
    """The last 1,000 records of a log."""

    end = b"}"

    def entry(self, number: int, line: bytes) -> Entry:
        return Entry(number, "log", line, _severity(line))

    async def take(self, lines: Sequence[Line]) -> None:
        """Keeps the lines, then shows them."""
        told = [line.json for line in lines] if self.end == b"}" else [line.json[:-1] + self.end for line in lines]
        await self.keep(told, lambda number, place: Entry(number, "log", told[place], lines[place].level))

    def select(self, wanted: Filter, *, limit: int, before: int | None) -> Page[msgspec.Raw]:
        """Newest first, each record with its id."""
        found: list[Entry] = []
        for entry in reversed(self._held):
            if before is not None and entry.id >= before:
                continue
            if wanted(entry):
                found.append(entry)
            if len(found) > limit:
                break
        items = [msgspec.Raw(b'{"id":%d,' % entry.id + entry.data[1:]) for entry in found[:limit]]
        return Page(items=items, next=str(found[limit - 1].id) if len(found) > limit else None)

    @property
    def newest_at(self) -> str:
        """When the newest record was, as it says it; empty while there is none."""
        return _timestamp(self._held[-1]) if self._held else ""


def _severity(line: bytes) -> int:
    match = _LEVEL.search(line)
    return LEVELS.get(match[1].decode(), 20) if match else 20
