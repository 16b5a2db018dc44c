"""The slots as they are: each is asked what it runs and whether it is ready, at its address in CHIMNEY_SLOTS."""

import asyncio
import time
from collections.abc import Mapping
from datetime import datetime

import msgspec

from chimney.core.deployment import same_revision
from chimney.origin.slot_check import Expected, SlotChecks
from chimney.wire.base import stamp
from chimney.wire.deployment import SlotState
from chimney.wire.edge import Slot

ROUND_SECONDS = 15.0
PATIENCE = 1.5  # of whoever asks for the status, with a slot that hangs
FRESH_SECONDS = 2.0  # younger than that, what was seen is told again without asking


class Seen(msgspec.Struct, frozen=True):
    """`revision` is None when the slot does not say; `since` is when it was first seen with it."""

    healthy: bool
    revision: str | None
    problem: str | None
    at: datetime
    since: datetime


class Slots:
    """`seen` is empty for a slot that has no address, and until it was asked."""

    def __init__(self, checks: SlotChecks, expected: Expected) -> None:
        self.addresses = checks.addresses
        self._checks = checks
        self._expected = expected
        self.seen: dict[str, Seen] = {}
        self._looked = 0.0
        self._looking: asyncio.Task[None] | None = None

    async def look(self) -> float:
        """A loop's verb."""
        await asyncio.shield(self._begun())
        return ROUND_SECONDS

    async def fresh(self, *, within: float = FRESH_SECONDS) -> None:
        """Asks the slots, unless they were asked just now; waits for a slow one only a moment.

        One round at a time, whoever waits for it.
        """
        if not self.addresses or time.monotonic() - self._looked < within:
            return
        await asyncio.wait({self._begun()}, timeout=PATIENCE)

    def _begun(self) -> asyncio.Task[None]:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._round())
        return self._looking

    async def _round(self) -> None:
        slots = list(self.addresses)
        seen = await asyncio.gather(*(self.ask(slot) for slot in slots))
        self.seen = {str(slot): one for slot, one in zip(slots, seen, strict=True)}
        self._looked = time.monotonic()

    async def ask(self, slot: Slot) -> Seen:
        """What this slot says now. KeyError when it has no address."""
        now = stamp(time.time())
        check = await self._checks.check(slot, self._expected)
        before = self.seen.get(slot)
        return Seen(
            healthy=check.ready,
            revision=check.revision,
            problem=check.fault,
            at=now,
            since=before.since if before and before.revision == check.revision else now,
        )

    def states(self, reported: Mapping[str, SlotState]) -> dict[str, SlotState]:
        """What was reported of each slot, with what the slot says of itself where it was asked."""
        return {
            slot: _observed(state, self.seen[slot]) if slot in self.seen else state for slot, state in reported.items()
        }

    async def close(self) -> None:
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self._checks.close()


def _observed(reported: SlotState, seen: Seen) -> SlotState:
    as_reported = reported.deployed and seen.revision and same_revision(reported.deployed, seen.revision)
    return msgspec.structs.replace(
        reported,
        revision=seen.revision,
        healthy=seen.healthy,
        since=reported.since if as_reported else seen.since if seen.revision else None,
        observed_at=seen.at,
        problem=seen.problem,
    )
