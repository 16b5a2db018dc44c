"""Did each deployment hurt: looked at some minutes after it, kept for good.

What is stored is looked at, so a table that was away judges when it is back. Deployments that were over for a day when
the table first heard of them are not judged: it did not see what came after them.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from chimney.core.verdict import Window, judge, judged, left_at, verdict_of, windows_of
from chimney.store.errors import StoreError
from chimney.store.verdicts import VerdictLog
from chimney.table.deployments import HELD, Deployments, Key
from chimney.table.measure import Measure
from chimney.wire.deployment import Phase
from chimney.wire.origin import PlacedDeployment
from chimney.wire.verdict import Verdict, VerdictCheck, VerdictState

EVERY_SECONDS = 1.0
AGAIN_SECONDS = 15.0  # after the store could not be read or written
LATE = timedelta(days=1)
log = logging.getLogger(__name__)
Told = Callable[[PlacedDeployment, Verdict], None]


class Verdicts:
    """`judge` is the verb of a loop. `settled` is how long after a moment all that was measured until then is stored;
    `told` hears of every new look."""

    def __init__(
        self,
        kept: VerdictLog,
        deployments: Deployments,
        measure: Measure,
        *,
        after: Sequence[float],
        least: int,
        settled: float,
    ) -> None:
        self._kept = kept
        self._deployments = deployments
        self._measure = measure
        self._after = sorted(after)
        self._least = least
        self._settled = timedelta(seconds=settled)
        self._checks: dict[Key, list[VerdictCheck]] = {}
        self.told: Told = lambda _deployment, _verdict: None

    async def load(self) -> None:
        self._checks = await self._kept.load(HELD)

    def of(self, one: PlacedDeployment) -> Verdict | None:
        """None for one that never went live, and for one that nobody looked at when it was time."""
        checks = self._checks.get((one.origin, one.id), [])
        if not checks and (one.phase is Phase.FAILED or self._missed(one)):
            return None
        previous = self._deployments.before(one)
        window = self._next(one, previous, len(checks)) if judged(one) else None
        return verdict_of(
            checks, previous=previous.id if previous else None, next_at=window.end + self._settled if window else None
        )

    def harmful(self) -> list[Key]:
        """Those that the last look found harmful."""
        return [key for key, checks in self._checks.items() if checks[-1].state is VerdictState.HARMFUL]

    def _missed(self, one: PlacedDeployment) -> bool:
        return _now() - (one.ended_at or one.started_at) > LATE + timedelta(seconds=self._after[-1])

    def _next(self, one: PlacedDeployment, previous: PlacedDeployment | None, looked: int) -> Window | None:
        """The window of the look after so many; None when there is none."""
        left = left_at(one, self._deployments.next_start(one))
        windows = windows_of(one, previous, after=self._after, left=left)
        return windows[looked] if looked < len(windows) else None

    async def judge(self) -> float:
        now = _now()
        for one in self._deployments.since(now - LATE - timedelta(seconds=self._after[-1])):
            try:
                await self._look(one, now)
            except StoreError as error:
                log.warning("a verdict waits: %s", error, extra={"origin": one.origin, "deployment": one.id})
                return AGAIN_SECONDS
        return EVERY_SECONDS

    async def _look(self, one: PlacedDeployment, now: datetime) -> None:
        key = (one.origin, one.id)
        checks = self._checks.get(key, [])
        if not judged(one) or len(checks) >= len(self._after):
            return
        previous = self._deployments.before(one)
        window = self._next(one, previous, len(checks))
        if window is None or now < window.end + self._settled:
            return
        before, after = await self._measure.both(one, window)
        state, reasons = judge(before, after, least=self._least)
        check = VerdictCheck(
            state=state, at=now, after_seconds=window.seconds, reasons=reasons, before=before, after=after
        )
        await self._kept.save(key, [*checks, check])
        self._checks[key] = [*checks, check]
        log.info("deployment %s of %s: %s", one.id, one.origin, state, extra={"reasons": reasons})
        verdict = self.of(one)
        if verdict:
            self.told(one, verdict)


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)
