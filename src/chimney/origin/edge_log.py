"""Caddy's logs, followed: the access log becomes records of ours, its own log tells of refused configurations."""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from chimney.core.access_log import Access, Dialect, Own, parse
from chimney.core.records import milliseconds
from chimney.core.reloads import Refusals
from chimney.instrumentation import Line
from chimney.origin.lease import Lease
from chimney.origin.ring import RecordRing
from chimney.origin.tail import Tail
from chimney.web.hub import Room
from chimney.web.loops import Verb
from chimney.wire.base import stamp
from chimney.wire.edge import AccessLog, TailState

ROUND_SECONDS = 0.25
QUIET_SECONDS = 0.5  # between two looks for a file that is not there
log = logging.getLogger(__name__)


class Round(NamedTuple):
    """What one reading of a file brought."""

    accesses: list[Access]
    own: list[Own]
    malformed: int
    more: bool


class Files(NamedTuple):
    """What Caddy writes. None: not configured."""

    access: Path | None
    own: Path | None


class EdgeLog(RecordRing):
    """`lines`, `malformed` count what was read; `refusals` is what Caddy refused. Nothing waits for a reader.

    Two slots with one folder share the records: the holder of the lease reads the access log, and the other shows what
    it keeps.
    """

    def __init__(self, folder: Path, files: Files, *, slot: str | None, boot: str, lease: Lease, room: Room) -> None:
        super().__init__(folder / "caddy.sqlite", boot=boot, room=room)
        self.refusals = Refusals()
        self.lines = 0
        self.malformed = 0
        self._lease = lease
        self._holds = False
        own = files.own if files.own != files.access else None
        self._access = Tail(files.access, folder / "caddy-access.place") if files.access else None
        self._own = Tail(own, folder / f"caddy-own{'-' + slot if slot else ''}.place") if own else None
        self._dialect = Dialect()
        self._told = TailState.READING
        self._told_malformed = False
        self.on_refused: Callable[[str], None] = lambda _why: None

    @property
    def watched(self) -> list[str]:
        return [str(tail.path) for tail in (self._own, self._access) if tail]

    def loops(self) -> dict[str, Verb]:
        """The verbs to run, by name."""
        named = {
            "edge_log": self._access and self._follow_access,
            "edge_own_log": self._own and partial(self._follow, self._own),
        }
        return {name: verb for name, verb in named.items() if verb}

    async def _follow_access(self) -> float:
        """A loop's verb."""
        tail = self._access
        self._holds = self._lease.held()
        if tail is None or not self._holds:
            return await self.look()
        wait = await self._follow(tail)
        self._tell(tail)
        return wait

    async def _follow(self, tail: Tail) -> float:
        """A loop's verb: what came since goes into the ring."""
        found = await asyncio.to_thread(self._round, tail)
        self.malformed += found.malformed
        for line in found.own:
            if self.refusals.feed(line):
                self.on_refused(line.error or line.message)
        if found.accesses and tail is self._access:
            self.lines += len(found.accesses)
            await self.take([Line(one.level, one.json) for one in found.accesses])
        if found.accesses or found.own or found.malformed:
            await asyncio.to_thread(tail.keep_place)
        if found.more:
            return 0.0
        return ROUND_SECONDS if tail.state is TailState.READING else QUIET_SECONDS

    def _round(self, tail: Tail) -> Round:
        lines, more = tail.read()
        now_ms = int(time.time() * 1000)
        parsed = [parse(line, self._dialect, now_ms=now_ms) for line in lines]
        accesses = [one for one in parsed if isinstance(one, Access)]
        own = [one for one in parsed if isinstance(one, Own)]
        return Round(accesses, own, len(parsed) - len(accesses) - len(own), more)

    def _tell(self, tail: Tail) -> None:
        """One warning for each change for the worse, none for each line."""
        if tail.state is not self._told and tail.state is not TailState.READING:
            log.warning("Caddy's access log is not read: %s", tail.detail)
        self._told = tail.state
        if self.malformed and not self._told_malformed:
            self._told_malformed = True
            log.warning("%s has lines that are not JSON; they are counted and left out. %s", tail.path, FORMAT)

    def status(self) -> AccessLog:
        tail = self._access
        last_ms = milliseconds(self.newest_at)
        age = max(0.0, time.time() - last_ms / 1000) if last_ms else None
        return AccessLog(
            path=str(tail.path) if tail else None,
            state=self._state(),
            detail=self._detail(),
            last_line_at=stamp(last_ms / 1000) if last_ms else None,
            last_line_age_seconds=round(age, 1) if age is not None else None,
            lines=self.lines,
            malformed=self.malformed,
            too_long=tail.too_long if tail else 0,
            rotations=tail.rotations if tail else 0,
        )

    def _state(self) -> TailState:
        if self._access is None:
            return TailState.NOT_CONFIGURED
        return self._access.state if self._holds else TailState.READING

    def _detail(self) -> str | None:
        if self._access is None:
            return "CHIMNEY_CADDY_ACCESS_LOG is not set"
        if not self._holds:
            return "the other slot reads it; its records are shown here too"
        return self._access.detail or (f"{self.malformed} lines were not JSON. {FORMAT}" if self.malformed else None)

    def close(self) -> None:
        for tail in (self._access, self._own):
            if tail:
                tail.close()
        super().close()


FORMAT = "Set `format json` in the `log` option of the Caddyfile."
