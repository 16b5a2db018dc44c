"""Webhook deliveries that were missed: GitHub is asked what it could not deliver, and to deliver it again.

It sends nothing again by itself. Where the token may not ask, everything stored is looked at anew instead.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from chimney.github.errors import GitHubError
from chimney.github.hooks import Hooks, NotPermittedError
from chimney.origin.events import Says
from chimney.store.deliveries import DeliveryLog
from chimney.wire.base import stamp
from chimney.wire.hooks import HookDelivery

KEPT = timedelta(days=3)  # by GitHub
MARGIN = timedelta(minutes=1)  # between its clock and ours
MOST = 100  # at one a second within the two minutes in which a gap should be filled
PAUSE_SECONDS = 1.0  # GitHub asks for a second between writing requests
PATIENCE_SECONDS = 30.0  # for those that it was asked for
SETTLE_SECONDS = 20.0  # until GitHub has noted how a delivery ended
IDLE_SECONDS, AGAIN_SECONDS = 3600.0, 60.0
log = logging.getLogger(__name__)


class CatchUp:
    """Does nothing until a gap is likely. `doubt` takes the freshness of everything that is stored."""

    def __init__(
        self,
        hooks: Sequence[Hooks],
        kept: DeliveryLog,
        events: Says,
        *,
        doubt: Callable[[], None],
        pause_seconds: float = PAUSE_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        self._hooks = hooks
        self._kept = kept
        self._events = events
        self._doubt = doubt
        self._pause = pause_seconds
        self._patience = patience_seconds
        self._settle = settle_seconds
        self._since: datetime | None = None
        self._due = 0.0
        self._taken = asyncio.Event()
        self.nudge: Callable[[], None] = lambda: None

    async def begin(self) -> None:
        """At the start: what came while nobody was here. Nothing, when no delivery ever came."""
        last = await self._kept.last_received()
        if last is not None:
            self._look_from(stamp(last))

    def gap(self, since: float | None = None) -> None:
        """Something may have been missed since then (Unix seconds), or just now."""
        self._look_from(datetime.now(UTC) if since is None else stamp(since), after=self._settle)

    def _look_from(self, at: datetime, *, after: float = 0.0) -> None:
        at = max(at - MARGIN, datetime.now(UTC) - KEPT)
        self._due = self._due if self._since else time.monotonic() + after
        self._since = min(at, self._since or at)
        self.nudge()

    def taken(self) -> None:
        """A delivery came."""
        self._taken.set()

    async def run(self) -> float:
        """A loop's verb."""
        since = self._since
        if since is None:
            return IDLE_SECONDS
        if time.monotonic() < self._due:
            return self._due - time.monotonic()
        try:
            missed = [guid for hooks in self._hooks for guid in await self._of(hooks, since)]
        except NotPermittedError:
            log.info("the token may not see webhook deliveries; everything stored is looked at anew")
            self._doubt()
            missed = []
        except GitHubError as error:
            log.info("GitHub cannot be asked for missed webhook deliveries yet: %s", error.said())
            return AGAIN_SECONDS
        self._since = None
        if missed:
            await self._tell(missed)
        return IDLE_SECONDS

    async def _of(self, hooks: Hooks, since: datetime) -> list[str]:
        """The ids of the deliveries of one repository that GitHub will send again."""
        asked: list[str] = []
        for hook in await hooks.ours():
            failed = _failed(await hooks.since(hook, since))
            known = await self._kept.known(list(failed))
            missing = [(guid, attempt) for guid, attempt in failed.items() if guid not in known]
            if len(missing) > MOST:
                log.warning("%d webhook deliveries were missed; the last %d are asked for", len(missing), MOST)
                self._doubt()
            for guid, attempt in missing[-MOST:]:
                asked += [guid] if await hooks.again(hook, attempt) else []
                await asyncio.sleep(self._pause)
        return asked

    async def _tell(self, missed: list[str]) -> None:
        """How many came after all; what did not come is made up for by a look at everything."""
        try:
            async with asyncio.timeout(self._patience):
                await self._all_came(missed)
        except TimeoutError:
            self._doubt()
        came = len(await self._kept.known(missed))
        late = len(missed) - came
        self._events.say(
            "webhooks_caught_up",
            f"caught up {came} missed deliveries" + (f"; {late} did not come" if late else ""),
            level=logging.WARNING if late else logging.INFO,
            caught_up=came,
            missing=late,
        )

    async def _all_came(self, missed: list[str]) -> None:
        while True:
            self._taken.clear()
            if len(await self._kept.known(missed)) == len(set(missed)):
                return
            await self._taken.wait()


def _failed(attempts: list[HookDelivery]) -> dict[str, int]:
    """The last attempt of each delivery of which none succeeded and none is under way, the oldest first."""
    settled = {one.guid for one in attempts if one.status in ("OK", "pending")}
    failed: dict[str, int] = {}
    for one in attempts:
        if one.guid not in settled and one.event != "ping":
            failed.setdefault(one.guid, one.id)
    return dict(reversed(failed.items()))
