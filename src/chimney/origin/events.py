"""Events: what happened here beside requests, kept, told live on /api/events, and said once in the log."""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from chimney.origin.sharing import SharedRing
from chimney.web.hub import Entry, Room
from chimney.wire.base import stamp
from chimney.wire.event import Event

log = logging.getLogger(__name__)
WAITING = 1_000  # events between two rounds of the loop that keeps them, ~500 B each
_encode = msgspec.json.Encoder(enc_hook=str).encode


class Says(Protocol):
    """What the parts need of the event log."""

    def say(self, kind: str, message: str, *, level: int = logging.INFO, **data: Any) -> None: ...


class Silence:
    """Where nobody listens."""

    def say(self, kind: str, message: str, *, level: int = logging.INFO, **data: Any) -> None:
        """Nothing."""


class EventLog(SharedRing):
    """The last 1,000 events, of both slots and of all replicas that share them.

    Saying one never waits: a loop keeps and shows it within the second.
    """

    def __init__(self, folder: Path, *, slot: str | None, boot: str, room: Room | None = None) -> None:
        super().__init__(folder / "events.sqlite", boot=boot, room=room)
        self._slot = slot
        self._waiting: deque[Event] = deque(maxlen=WAITING)
        self._nudge: Callable[[], None] = lambda: None
        self.counts: Counter[str] = Counter()

    def entry(self, number: int, line: bytes) -> Entry:
        kind = str(msgspec.json.decode(line).get("kind"))
        return _entry(number, kind if kind.isidentifier() else "unknown", line)

    def on_said(self, nudge: Callable[[], None]) -> None:
        """What to call when there is something to keep."""
        self._nudge = nudge

    def say(self, kind: str, message: str, *, level: int = logging.INFO, **data: Any) -> None:
        """One event of a kind that docs/events.md names. On the event loop only."""
        self.counts[kind] += 1
        self._waiting.append(Event(kind=kind, at=stamp(time.time()), message=message, slot=self._slot, data=data))
        log.log(level, "%s", message, extra={"event": kind})
        self._nudge()

    def panic(self, where: str, error: str, request_id: str | None) -> None:
        """Something that nobody expected was raised; the log has it already, with its stack."""
        if where != "loop events":  # which would be nudged by that, and fail again at once
            message = f"Panic in {where}: {error}"
            self.say("panic", message, level=logging.DEBUG, where=where, error=error, request_id=request_id)

    async def keep_said(self) -> float:
        """A loop's verb: keeps what was said since the last round."""
        events = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if events:
            lines = [_encode(event) for event in events]
            await self.keep(lines)
        return 60.0

    def recent(self, limit: int) -> list[Event]:
        """The newest first."""
        newest = list(self._held)[: -limit - 1 : -1]
        return [msgspec.json.decode(entry.data, type=Event) for entry in newest]


def _entry(number: int, event: str, line: bytes) -> Entry:
    return Entry(number, event, line)
