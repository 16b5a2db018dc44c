"""Every second: what is known, what is wrong, what changed."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from litestar import get

from chimney.core.facts import Facts
from chimney.core.finding_causes import Echoes, hides
from chimney.core.finding_life import Lives
from chimney.core.findings import PACES
from chimney.table.access import VIEWER
from chimney.table.rounds import Gathering, Rounds
from chimney.wire.base import stamp
from chimney.wire.finding import Alert, Change, Findings

Told = Callable[[Sequence[Alert]], None]  # never waits
EVERY_SECONDS = 1.0
LAG_SECONDS = 0.5  # worth telling
log = logging.getLogger(__name__)


class Watch:
    """The current findings; `check` is the verb of a loop. Whoever is in `on_change` is told what fired, changed or was
    resolved, in the order in which they stand there, after `current` was renewed. `took_seconds` is the last round."""

    def __init__(
        self,
        gathering: Gathering,
        *,
        changed: Callable[[Findings], None],
        on_change: Sequence[Told] = (),
    ) -> None:
        self._gathering = gathering
        self._rounds = Rounds(gathering)
        self._echoes = Echoes()
        self._changed = changed
        self._waits_since: float | None = None
        self.took_seconds = 0.0
        self.lives = Lives(PACES, good_since=stamp(time.time()))
        self.on_change: list[Told] = [_log, *on_change]

    @property
    def current(self) -> Findings:
        return self.lives.current

    def touch(self, origin: str) -> None:
        """Something may have changed of it."""
        self._rounds.touch(origin)

    def facts(self) -> Facts:
        return self._gathering.facts()

    async def check(self) -> float:
        self._note_lag()
        began = time.perf_counter()
        before, now = self.current, stamp(time.time())
        drawn = await self._rounds.draw(now)
        causes = [*drawn, *self.lives.alive()]
        hidden = hides(causes, self._echoes.lately(causes, now=now))
        alerts = self.lives.take(drawn, now=now, hidden=hidden)
        self.took_seconds = time.perf_counter() - began
        if alerts:
            for told in self.on_change:
                told(alerts)
        if self.current != before:
            self._changed(self.current)
        self._waits_since = time.monotonic()
        return EVERY_SECONDS

    def _note_lag(self) -> None:
        """This loop is called every second: by how much it is late, everything is."""
        if self._waits_since is None:
            return
        lag = time.monotonic() - self._waits_since - EVERY_SECONDS
        if lag > LAG_SECONDS:
            self._gathering.lag = (lag, time.time())


def _log(alerts: Sequence[Alert]) -> None:
    for alert in alerts:
        finding = alert.finding
        if alert.change is Change.RESOLVED:
            log.info("resolved: %s", finding.title, extra={"finding": finding.id})
        else:
            log.warning("finding: %s", finding.title, extra={"finding": finding.id, "severity": finding.severity})


def routes(watch: Watch) -> list[Any]:
    @get("/api/findings", opt=VIEWER, summary="What is wrong now", tags=["findings"])
    async def findings() -> Findings:
        """Worst first, with evidence and what to do."""
        return watch.current

    return [findings]
