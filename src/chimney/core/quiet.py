"""Quiet windows: while an origin is being deployed, what a restart brings with it is not told.

A window is its own origin's only. It closes when the deployment ended and the origin is well. One that does not close
in time ends all the same, and what was held back is told as what did not go away.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from chimney.wire.deployment import Phase
from chimney.wire.finding import Finding
from chimney.wire.origin import PlacedDeployment

RESTART = frozenset((
    "origin_unreachable",
    "origin_erroring",
    "origin_slow",
    "origin_stream_lost",
    "slot_mismatch",
    "edge_no_healthy_upstream",
    "edge_wrong_upstream",
    "error_rate_high",
    "latency_regressed",
    "cache_cold",
))  # fmt: skip
WELL_FOR = timedelta(seconds=15)  # after the end: the origin was probed since
KEPT = timedelta(hours=6)


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """`closed` when the origin was well after it; `overdue` when it ended because that took too long."""

    origin: str
    deployment: str
    revision: str
    began: datetime
    ended: datetime | None
    closed: bool = False
    overdue: bool = False

    @property
    def open(self) -> bool:
        return not self.closed and not self.overdue


class Quiet:
    """`most` is how long a window may be open; None or 0: there are none."""

    def __init__(self, most: timedelta) -> None:
        self._most = most
        self.windows: dict[str, Window] = {}

    def take(self, deployments: Iterable[PlacedDeployment], findings: Iterable[Finding], *, now: datetime) -> None:
        """What is known now: the deployments that began lately, and what is current."""
        troubled = {finding.origin for finding in findings if finding.code in RESTART}
        for one in deployments:
            known = self.windows.get(one.origin)
            if now - one.started_at < self._most and (known is None or one.started_at > known.began):
                self.windows[one.origin] = _opened(one)
            elif known and known.deployment == one.id:
                self.windows[one.origin] = msgspec.structs.replace(known, ended=one.ended_at)
        for window in list(self.windows.values()):
            self._step(window, troubled, now)

    def _step(self, window: Window, troubled: set[str | None], now: datetime) -> None:
        if now - window.began > KEPT:
            del self.windows[window.origin]
        elif window.open and now - window.began >= self._most:
            self.windows[window.origin] = msgspec.structs.replace(window, overdue=True)
        elif window.open and window.ended and window.origin not in troubled and now - window.ended >= WELL_FOR:
            self.windows[window.origin] = msgspec.structs.replace(window, closed=True)

    def holds(self, finding: Finding) -> bool:
        """Whether it began in an open window of its origin, and is one of what a restart brings."""
        window = self.windows.get(finding.origin or "")
        return bool(window and window.open and finding.code in RESTART and finding.since >= window.began)

    def overdue(self, finding: Finding) -> Window | None:
        """The window in which it began and that did not close for it."""
        window = self.windows.get(finding.origin or "")
        late = window and window.overdue and finding.code in RESTART and finding.since >= window.began
        return window if late else None


def _opened(one: PlacedDeployment) -> Window:
    ended = one.ended_at if one.phase is not Phase.STARTED else None
    return Window(origin=one.origin, deployment=one.id, revision=one.revision, began=one.started_at, ended=ended)
