"""Rings that replicas share through Dragonfly: what one of them says, the readers of all of them get, in one order.

While Dragonfly answers, lines get their ids there. They are shown at once when all that lies before them there was, and
else when they come back from there with that. While it is away, lines
get their ids from this machine's file, and begin by the clock, so that no two machines give the same id; and what is
appended when it is back begins by the clock once more, above all that was given meanwhile. What others appended and
this replica can no longer show in order is told as a gap. Nothing is shown twice: a batch of which it is not known
whether it arrived is known again by its mark.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from chimney.origin.ring import HELD, Made, Ring, is_object
from chimney.store.ring import by_clock
from chimney.store.trail import Batch, Trail
from chimney.web.hub import Entry, Mark
from chimney.wire.event import Gap

FIRST_WAIT = 1.0  # for a Dragonfly that is still being connected, before lines get their ids here
AWAY_WAIT = 0.25
DOUBTFUL = 1_000  # marks of batches that may have arrived
_encode = msgspec.json.Encoder().encode


class SharedRing(Ring):
    """A Ring, shared once `share` was called."""

    _trail: Trail | None = None
    _joined = False
    _away = False
    _read_to = 0
    _batches = 0

    def share(self, trail: Trail) -> None:
        self._trail = trail
        self._doubtful: deque[str] = deque(maxlen=DOUBTFUL)

    async def part(self) -> None:
        """From now on only the file: Dragonfly is about to be closed."""
        trail, self._trail = self._trail, None
        if trail is not None:
            await trail.close()

    async def keep(self, lines: Sequence[bytes], made: Made | None = None) -> None:
        if self._trail is None or not await self._append_shared(self._trail, lines, made):
            await super().keep(lines, made)

    def _least(self) -> int:
        """The first lines after Dragonfly went get ids by the clock."""
        if self._trail is None or self._away:
            return 0
        self._away = True
        return by_clock()

    async def _append_shared(self, trail: Trail, lines: Sequence[bytes], made: Made | None) -> bool:
        async with self._in_order:
            if not self._joined and not await self._join(trail):
                return False
            self._batches += 1
            mark = f"{self._boot}:{self._batches}"
            least = by_clock() if self._away else self._file.newest + 1
            appended = await trail.append(lines, least=least, mark=mark)
            if appended is None:
                self._doubtful.append(mark)
                self._joined = False
                return False
            self._away = False
            batch = appended[0]
            if len(appended) == 1 and batch.before <= self._read_to:
                self._read_to = batch.last
                entries = partial(self._made, batch.first, batch.lines, made)
                await self._take_new(batch, entries, read_to=batch.before)
            return True

    async def _join(self, trail: Trail) -> bool:
        """Reads what others said before anything is said here; False while Dragonfly is away."""
        deadline = time.monotonic() + FIRST_WAIT
        while not self._away and trail.connecting and time.monotonic() < deadline:  # noqa: ASYNC110 — no event for it
            await asyncio.sleep(0.01)
        self._read_to = self._read_to or self._file.newest
        while (batches := await trail.read(self._read_to)) is not None:
            if not batches:
                self._joined = True
                return True
            await self._take(batches)
        return False

    async def hear(self) -> float:
        """A loop's verb: shows what comes through Dragonfly, one's own lines too."""
        trail = self._trail
        if trail is None or not await self._is_joined(trail):
            return AWAY_WAIT
        newest = await trail.wait(self._read_to)
        async with self._in_order:
            if newest and newest <= self._read_to:
                return 0.0  # what was said here itself
            batches = None if newest is None else await trail.read(self._read_to)
            await self._take(batches or [])
        return 0.0 if batches is not None else AWAY_WAIT

    async def _is_joined(self, trail: Trail) -> bool:
        async with self._in_order:
            return self._joined or await self._join(trail)

    async def catch_up(self) -> None:
        await super().catch_up()
        trail = self._trail
        if trail is None or not self._joined:
            return
        async with self._in_order:
            await self._take(await trail.read(self._read_to) or [])

    async def _take(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            read_to, self._read_to = self._read_to, max(batch.first, batch.last)
            if not batch.lines or batch.mark in self._doubtful:
                continue  # garbage; or it was given up as lost, kept and shown here
            newest = self._file.newest
            if batch.first > newest:
                await self._take_new(batch, partial(self._heard, batch), read_to=read_to)
            elif not any(entry.id == self._read_to for entry in self._held):
                self._tell_gap(len(batch.lines), newest, newest + 1, "dragonfly_lost")

    def _heard(self, batch: Batch) -> list[Entry]:
        """What others said, without what is garbled."""
        numbered = enumerate(batch.lines, start=batch.first)
        return [self.entry(number, line) for number, line in numbered if is_object(line)]

    async def _take_new(self, batch: Batch, entries: Callable[[], list[Entry]], *, read_to: int) -> None:
        """What was read there up to `read_to` is not missed, also where it was shown under other ids."""
        newest = self._file.newest
        known = max(newest, read_to)
        missed = batch.before - known if newest and batch.before > known else 0
        lines = batch.lines[-HELD:]
        first = batch.first + len(batch.lines) - len(lines)
        try:
            if missed:
                await asyncio.to_thread(self._file.insert, first, lines, before=first - 1, alone=True)
            else:
                await asyncio.to_thread(self._file.insert, first, lines, before=newest)
        except OSError:
            self.unkept += len(batch.lines)
        if missed:
            self._held.clear()  # what is held must not look whole where it is not
            self._tell_gap(missed, newest, batch.first, "evicted")
        self._show(entries())

    def _tell_gap(self, missed: int, after_id: int, before_id: int, reason: str) -> None:
        gap = Gap(missed=missed, after_id=after_id, before_id=before_id, reason=reason)
        self.hub.publish([Mark(self.hub.newest_id, "gap", _encode(gap))])
