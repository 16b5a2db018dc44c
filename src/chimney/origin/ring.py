"""Rings: the last records of a stream in memory, on disk and live.

A record gets its id when it is on disk, and is shown only then: an id seen by a reader is never given again.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from chimney import __version__
from chimney.instrumentation import Line, LogPipe
from chimney.store.ring import RingFile
from chimney.web.hub import Entry, Hub
from chimney.web.problem import ProblemError
from chimney.web.sse import EventStream, Opening, stream_app
from chimney.wire.base import Page
from chimney.wire.event import Gap, Hello
from chimney.wire.health import LogsHealth
from chimney.wire.problem import Fault
from chimney.wire.telemetry import LEVELS

HELD = 1_000
_TIMESTAMP = re.compile(rb'"ts":"([^"]{20,35})"')


class Ring:
    """The part that is the same for every stream."""

    def __init__(self, file: Path, *, boot: str) -> None:
        self._file = RingFile(file, keep=HELD)
        self._boot = boot
        self._held: deque[Entry] = deque(maxlen=HELD)
        self.hub = Hub()
        self.unkept = 0

    def recall(self, as_entry: Callable[[int, bytes], Entry]) -> None:
        """What the process before this one left, without the lines that a damaged disk garbled. Blocking."""
        self._held.extend(as_entry(number, line) for number, line in self._file.load() if _is_object(line))

    async def keep(self, lines: Sequence[bytes], as_entry: Callable[[int, int], Entry]) -> None:
        """Keeps the lines, then shows them. `as_entry` makes the entry of an id and a place among the lines."""
        first = await asyncio.to_thread(self._append, list(lines))
        # when nobody reads, only what the ring itself keeps is made into entries
        skipped = max(0, len(lines) - HELD) if not len(self.hub) else 0
        entries = [as_entry(first + place, place) for place in range(skipped, len(lines))]
        self._held.extend(entries)
        self.hub.publish(entries)

    def _append(self, lines: list[bytes]) -> int:
        try:
            return self._file.append(lines)
        except OSError:
            self.unkept += len(lines)
            return self._file.newest - len(lines) + 1

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        """The oldest and the newest id held; both None while nothing is."""
        return (self._held[0].id, self._held[-1].id) if self._held else (None, None)

    def opening(self, wanted: Callable[[Entry], bool], resume_after: int | None) -> Opening:
        """A new reader gets the greeting only; one that resumes gets what it missed, after a gap when that is gone."""
        oldest, newest = self.bounds
        hello = Hello(version=__version__, boot=self._boot, oldest_id=oldest, newest_id=newest)
        if resume_after is None or oldest is None:
            return Opening(hello, None, [])
        gap = None
        if resume_after + 1 < oldest:
            gap = Gap(missed=oldest - resume_after - 1, after_id=resume_after, before_id=oldest, reason="evicted")
        return Opening(hello, gap, [entry for entry in self._held if entry.id > resume_after and wanted(entry)])

    def stream(self, wanted: Callable[[Entry], bool], resume_after: int | None, address: str) -> EventStream:
        if self.hub.full(address):
            detail = "Too many streams are open from this address."
            raise ProblemError(429, "too-many-streams", detail, headers=[(b"retry-after", b"30")])
        opening = self.opening(wanted, resume_after)
        return stream_app(self.hub, self.hub.subscribe(address, wanted), opening)

    def close(self) -> None:
        self._file.close()


def _is_object(line: bytes) -> bool:
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


class LogRing(Ring):
    """The last 1,000 log records of this origin."""

    def __init__(self, folder: Path, *, slot: str | None, boot: str, pipe: LogPipe) -> None:
        super().__init__(folder / f"logs{'-' + slot if slot else ''}.sqlite", boot=boot)
        self._pipe = pipe

    def load(self) -> None:
        """What the process before this one left. Blocking."""
        self.recall(lambda number, line: Entry(number, "log", line, _severity(line)))

    async def take(self, lines: Sequence[Line]) -> None:
        """Keeps the lines, then shows them."""
        await self.keep(
            [line.json for line in lines],
            lambda number, place: Entry(number, "log", lines[place].json, lines[place].level),
        )

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

    def health(self, errors: int) -> LogsHealth:
        oldest, newest = self.bounds
        return LogsHealth(
            records=len(self._held),
            oldest_id=oldest,
            newest_id=newest,
            dropped=self._pipe.dropped + self.hub.dropped + self.unkept,
            errors=errors,
        )


def _severity(line: bytes) -> int:
    match = re.search(rb'"level":"([a-z]+)"', line)
    return LEVELS.get(match[1].decode(), 20) if match else 20
