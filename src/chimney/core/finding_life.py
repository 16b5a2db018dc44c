"""The life of findings over time: pending, firing, resolved. Pure: what the rules draw goes in, what changed comes out.

A finding fires when it was drawn for as long as its pace asks, and is resolved when it was not drawn for as long. One
that comes back soon after it was resolved is not believed so quickly the next time: each return within `AGAIN` doubles
the time for which it has to be gone, so that what flaps is told once. A pending finding that goes away was never told.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from chimney.wire.finding import Alert, Change, Finding, Findings, Severity, Silence

AGAIN = timedelta(minutes=10)
MOST_RETURNS = 6  # 2 s become 128 s
MOST_PAST = 5_000  # ~200 B each
_ORDER = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}


class Pace(NamedTuple):
    """For how long a finding has to be drawn before it fires, and to be gone before it is resolved."""

    pending: timedelta = timedelta(0)
    clear: timedelta = timedelta(seconds=2)


class _Life(msgspec.Struct):
    """One finding. `fired` says that it was told; `gone` is since when it is not drawn. Until `recalled` it is not
    known whether it still is: it was current when the process before this one ended."""

    finding: Finding
    began: datetime
    fired: bool = False
    gone: datetime | None = None
    returns: int = 0
    recalled: datetime | None = None
    hidden: bool = False


class Lives:
    """Of everything that is drawn. `current` is what fires, worst first and then oldest first. `silences` are by id."""

    def __init__(self, paces: Mapping[str, Pace] | None = None, *, good_since: datetime | None = None) -> None:
        self._paces = paces or {}
        self._lives: dict[str, _Life] = {}
        self._past: OrderedDict[str, tuple[datetime, int]] = OrderedDict()
        self.silences: dict[str, Silence] = {}
        self.current = Findings(items=[], good_since=good_since)

    def recall(self, findings: Iterable[Finding], *, until: datetime) -> None:
        """What was current before a restart. It is not told again when it still is, and resolved when it is not drawn
        by then; what it is based on has to be asked for first."""
        for finding in findings:
            self._lives[finding.id] = _Life(finding, finding.since, fired=True, recalled=until)

    def alive(self) -> list[Finding]:
        """Pending, firing, or gone and not resolved yet."""
        return [life.finding for life in self._lives.values() if not life.recalled]

    def take(
        self, drawn: Iterable[Finding], *, now: datetime, hidden: Callable[[Finding], bool] = lambda _finding: False
    ) -> list[Alert]:
        """What has changed by what is drawn now. Of what is hidden nothing is told: one that was told before stays as
        it is, and is not shown."""
        self.silences = {known: one for known, one in self.silences.items() if one.until > now}
        found = {finding.id: finding for finding in drawn if not hidden(finding)}
        alerts = [alert for finding in found.values() if (alert := self._drawn(finding, now))]
        missing = [life for known, life in self._lives.items() if known not in found]
        for life in missing:
            life.hidden = life.fired and hidden(life.finding)
            if not life.hidden and (alert := self._missing(life, now)):
                alerts.append(alert)
        self._tell(now)
        return alerts

    def _pace(self, finding: Finding) -> Pace:
        return self._paces.get(finding.code, Pace())

    def _drawn(self, finding: Finding, now: datetime) -> Alert | None:
        life = self._lives.get(finding.id)
        if life is None:
            since = min(finding.since, now)
            life = self._lives[finding.id] = _Life(finding, since, returns=self._returned(finding.id, now))
        silenced = self.silences.get(finding.id)
        before, life.finding = life.finding, msgspec.structs.replace(finding, since=life.began, silenced=silenced)
        life.gone = life.recalled = None
        life.hidden = False
        if life.fired:
            changed = (before.severity, before.silenced) != (finding.severity, silenced)
            return Alert(change=Change.UPDATED, at=now, finding=life.finding) if changed else None
        if now - life.began < self._pace(finding).pending:
            return None
        life.fired = True
        return Alert(change=Change.FIRING, at=now, finding=life.finding)

    def _missing(self, life: _Life, now: datetime) -> Alert | None:
        if life.recalled:
            if now < life.recalled:
                return None
        elif life.fired:
            life.gone = life.gone or now
            if now - life.gone < self._pace(life.finding).clear * 2**life.returns:
                return None
        del self._lives[life.finding.id]
        if not life.fired:
            return None
        self._past[life.finding.id] = now, life.returns
        self._past.move_to_end(life.finding.id)
        while len(self._past) > MOST_PAST:
            self._past.popitem(last=False)
        return Alert(change=Change.RESOLVED, at=now, finding=life.finding)

    def _returned(self, finding_id: str, now: datetime) -> int:
        """How often it has come back, each time soon after it was gone."""
        at, returns = self._past.pop(finding_id, (None, 0))
        if at is None or now - at > AGAIN:
            return 0
        return min(returns + 1, MOST_RETURNS)

    def _tell(self, now: datetime) -> None:
        items = [life.finding for life in self._lives.values() if life.fired and not (life.recalled or life.hidden)]
        items.sort(key=lambda finding: (_ORDER[finding.severity], finding.since, finding.id))
        self.current = Findings(items=items, good_since=None if items else self.current.good_since or now)
