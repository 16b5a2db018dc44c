"""The log ring: the last 1,000 records of this origin, across restarts, and their live stream.

A record gets its id when it is on disk, and is shown only then: an id seen by a reader is never given again.
"""

import asyncio
import logging
import re
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.params import Parameter

from chimney import __version__
from chimney.instrumentation import Line, LogPipe
from chimney.store.ring import RingFile
from chimney.web.hub import Entry, Hub
from chimney.web.problem import ProblemError
from chimney.web.record import current
from chimney.web.sse import EventStream, Opening, asked_id, stream_app
from chimney.wire.base import Page
from chimney.wire.event import Gap, Hello
from chimney.wire.health import LogsHealth
from chimney.wire.problem import Fault
from chimney.wire.telemetry import LEVELS

HELD = 1_000
log = logging.getLogger(__name__)
_TIMESTAMP = re.compile(rb'"ts":"([^"]{20,35})"')


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
    """Raises ProblemError for a level that does not exist."""
    if level is not None and level.lower() not in LEVELS:
        raise _bad("level", f"{level[:40]!r} is none of {', '.join(LEVELS)}")
    texts = [_needle(grep)] if grep else []
    texts += [b'"request_id":"%s"' % _needle(request_id)] if request_id else []
    texts += [b'"trace_id":"%s"' % _needle(trace_id)] if trace_id else []
    at = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if since else ""
    return Filter(LEVELS[level.lower()] if level else 0, tuple(texts), at)


class LogRing:
    """The ring in memory, on disk and as a stream."""

    def __init__(self, folder: Path, *, slot: str | None, boot: str, pipe: LogPipe) -> None:
        self._file = RingFile(folder / f"logs{'-' + slot if slot else ''}.sqlite", keep=HELD)
        self._boot = boot
        self._pipe = pipe
        self._held: deque[Entry] = deque(maxlen=HELD)
        self.hub = Hub()
        self.unkept = 0

    def load(self) -> None:
        """What the process before this one left, without the lines that a damaged disk garbled. Blocking."""
        for number, line in self._file.load():
            if _is_object(line):
                self._held.append(Entry(number, "log", line, _severity(line)))

    async def take(self, lines: Sequence[Line]) -> None:
        """Keeps the lines, then shows them."""
        first = await asyncio.to_thread(self._append, [line.json for line in lines])
        if not len(self.hub) and len(lines) > HELD:  # nobody reads, and the ring keeps no more
            first += len(lines) - HELD
            lines = lines[-HELD:]
        entries = [Entry(number, "log", line.json, line.level) for number, line in enumerate(lines, start=first)]
        self._held.extend(entries)
        self.hub.publish(entries)

    def _append(self, lines: list[bytes]) -> int:
        try:
            return self._file.append(lines)
        except OSError:
            self.unkept += len(lines)
            return self._file.newest - len(lines) + 1

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

    def opening(self, wanted: Filter, resume_after: int | None) -> Opening:
        """A new reader gets the greeting only; one that resumes gets what it missed, after a gap when that is gone."""
        oldest = self._held[0].id if self._held else None
        newest = self._held[-1].id if self._held else None
        hello = Hello(version=__version__, boot=self._boot, oldest_id=oldest, newest_id=newest)
        if resume_after is None or oldest is None:
            return Opening(hello, None, [])
        gap = None
        if resume_after + 1 < oldest:
            gap = Gap(missed=oldest - resume_after - 1, after_id=resume_after, before_id=oldest, reason="evicted")
        return Opening(hello, gap, [entry for entry in self._held if entry.id > resume_after and wanted(entry)])

    def stream(self, wanted: Filter, resume_after: int | None, address: str) -> EventStream:
        if self.hub.full(address):
            raise ProblemError(
                429,
                "too-many-streams",
                "Too many streams are open from this address.",
                headers=[(b"retry-after", b"30")],
            )
        opening = self.opening(wanted, resume_after)
        return stream_app(self.hub, self.hub.subscribe(address, wanted), opening)

    def health(self, errors: int) -> LogsHealth:
        return LogsHealth(
            records=len(self._held),
            oldest_id=self._held[0].id if self._held else None,
            newest_id=self._held[-1].id if self._held else None,
            dropped=self._pipe.dropped + self.hub.dropped + self.unkept,
            errors=errors,
        )

    def close(self) -> None:
        self._file.close()


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _severity(line: bytes) -> int:
    match = re.search(rb'"level":"([a-z]+)"', line)
    return LEVELS.get(match[1].decode(), 20) if match else 20


Limit = Annotated[int, Parameter(ge=1, le=500, description="At most so many, 1 to 500.")]
Level = Annotated[str | None, Parameter(description=f"At least this severe: {', '.join(LEVELS)}.")]
Grep = Annotated[str | None, Parameter(max_length=256, description="Text that the record holds, in any case.")]


def routes(ring: LogRing, *, read_scope: Callable[..., None]) -> list[Any]:
    @get("/api/logs", guards=[read_scope], summary="Recent log records", tags=["logs"])
    async def logs(
        level: Level = None,
        grep: Grep = None,
        since: datetime | None = None,
        request_id: str | None = None,
        trace_id: str | None = None,
        limit: Limit = 100,
        before: int | None = None,
    ) -> Page[msgspec.Raw]:
        """Newest first. `before` is the `next` of the page before."""
        return ring.select(make_filter(level, grep, since, request_id, trace_id), limit=limit, before=before)

    @get(
        "/api/logs/stream",
        guards=[read_scope],
        summary="Log records as they happen (server-sent events)",
        tags=["logs"],
        media_type="text/event-stream",
    )
    async def stream(
        level: Level = None,
        grep: Grep = None,
        request_id: str | None = None,
        trace_id: str | None = None,
        last_event_id: str | None = None,
    ) -> EventStream:
        """`Last-Event-ID` (header or query) resumes; what is gone by then is told in a `gap` event."""
        record = current.get()
        headers = record.headers if record else {}
        wanted = make_filter(level, grep, None, request_id, trace_id)
        return ring.stream(wanted, asked_id(headers, last_event_id), record.client if record else "unknown")

    return [logs, stream]
