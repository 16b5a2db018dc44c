"""Health history: the addresses in CHIMNEY_PROBES are asked again and again, and what they answered is kept and told.

Both slots may run this over one data folder: one of them probes at a time, and both tell.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any

from litestar import get
from litestar.params import FromQuery, QueryParameter

from chimney.core import uptime
from chimney.core.probe import SPANS, asked_url, is_change, streak
from chimney.origin.events import Says
from chimney.origin.lease import Lease
from chimney.origin.prober import Prober
from chimney.store.errors import StoreError
from chimney.store.probes import KEPT, ProbeLog
from chimney.web.problem import ProblemError
from chimney.wire.base import Page
from chimney.wire.probe import ProbedOrigin, ProbeResult

AT_ONCE = 32
WAITING = 1_000  # results held while the disk refuses, ~300 B each
log = logging.getLogger(__name__)


class Probes:
    """`dropped` counts results that the disk refused for so long that there was no room for them any more."""

    def __init__(
        self, kept: ProbeLog, prober: Prober, events: Says, *, addresses: Sequence[str], every: float, turn: Lease
    ) -> None:
        self._kept = kept
        self._prober = prober
        self._events = events
        self.addresses = list(dict.fromkeys(addresses))
        self._every = every
        self._turn = turn
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._was: dict[str, bool | None] = {}
        self._waiting: dict[str, list[ProbeResult]] = defaultdict(list)
        self.refused: str | None = None
        self.dropped = 0
        self.made = {"ok": 0, "failed": 0}

    async def load(self) -> None:
        """What is known from before is no news."""
        for address in self.addresses:
            latest = await self._kept.latest(address, 1)
            self._was[address] = latest[0].ok if latest else None

    async def look(self) -> float:
        """A loop's verb: one round. Rounds begin at even distances, however long the answers take."""
        began = time.monotonic()
        try:
            mine = self._turn.held()
            if mine:
                await self._round()
            await self._tell(aloud=mine)
            self.refused = None
        except StoreError as error:
            if self.refused is None:
                log.warning("health history is not written: %s", error)
            self.refused = str(error)
        return max(0.05, self._every - (time.monotonic() - began))

    async def _round(self) -> None:
        results = await asyncio.gather(*(self._probe(address) for address in self.addresses))
        for address, result in zip(self.addresses, results, strict=True):
            self.made["ok" if result.ok else "failed"] += 1
            waiting = self._waiting[address]
            waiting.append(result)
            self.dropped += max(0, len(waiting) - WAITING)
            del waiting[:-WAITING]
        await self._kept.keep(self._waiting)
        self._waiting.clear()

    async def _probe(self, address: str) -> ProbeResult:
        async with self._slots:
            return (await self._prober.ask(asked_url(address))).result

    async def _tell(self, *, aloud: bool) -> None:
        """Notes what has changed. The slots share their events, so one of them says it."""
        for address in self.addresses:
            latest = await self._kept.latest(address, 1)
            before = self._was.get(address)
            if not latest:
                continue
            now = self._was[address] = latest[0].ok
            if aloud and is_change(before, now):
                self._say(address, latest[0])

    def _say(self, address: str, result: ProbeResult) -> None:
        text = f"{address} is well again" if result.ok else f"{address} is not well: {result.stage}: {result.error}"
        self._events.say(
            "health_changed",
            text,
            level=logging.INFO if result.ok else logging.WARNING,
            origin=address,
            ok=result.ok,
            stage=result.stage,
            error=result.error,
            status=result.status,
        )

    async def history(self, address: str, *, limit: int) -> ProbedOrigin:
        """Raises ProblemError when what is kept cannot be read."""
        now = int(time.time() // 60)
        try:
            results = await self._kept.latest(address, KEPT)
            week = await self._kept.minutes(address, since=now - SPANS["7d"])
        except StoreError as error:
            raise ProblemError(503, "storage-full", f"The health history cannot be read: {error}.") from None
        minutes = {one.minute: (one.good, one.made) for one in week}
        return ProbedOrigin(
            origin=address,
            url=asked_url(address),
            results=results[:limit],
            uptime_pct={
                name: uptime.percentage(minutes, now_minute=now, window=window) for name, window in SPANS.items()
            },
            streak=streak(results),
        )

    async def close(self) -> None:
        """After the loop has ended: the other slot goes on at once."""
        self._turn.close()
        await self._prober.close()


Limit = Annotated[int, QueryParameter(ge=1, le=500, description="At most so many results of each, 1 to 500.")]


def routes(probes: Probes) -> list[Any]:
    @get("/api/health/history", summary="How other addresses have been", tags=["health"])
    async def history(origin: FromQuery[str | None] = None, limit: Limit = 60) -> Page[ProbedOrigin]:
        """The addresses in CHIMNEY_PROBES, or only `origin`: last results, uptime, the current streak."""
        asked = probes.addresses if origin is None else [one for one in probes.addresses if one == origin.rstrip("/")]
        if origin is not None and not asked:
            known = ", ".join(probes.addresses) or "none"
            raise ProblemError(404, "not-found", f"{origin[:200]!r} is not probed; CHIMNEY_PROBES has {known}.")
        return Page(items=[await probes.history(address, limit=limit) for address in asked])

    return [history]
