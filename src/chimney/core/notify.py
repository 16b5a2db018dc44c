"""What a receiver of notifications is still to be told: pure, from what is so now and what it was told.

There is no queue of events. A receiver is told the difference, so that what flapped between two messages is not told,
what many things did at once is one message, and a receiver that could not be reached is told what is so then.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from chimney.wire.finding import Finding, Severity

MOST_TOLD = 2_000  # causes that a receiver was told of and that are not resolved, ~400 B each
MOST_OWED = 200
MAIN = frozenset(("pipeline_red",))
OF_DEPLOYMENTS = frozenset(("deploy_harmful",))  # its verdict tells the same


class Event(StrEnum):
    FINDINGS = "findings"
    MAIN = "main"  # is red, has recovered
    DEPLOYMENTS = "deployments"  # their verdicts


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be told once. `state` is told anew when it changes. `lasts`: it is resolved when it is gone, as a
    finding is; a verdict is told and that is all. `path` is its place on the table's page, `back` where to go back."""

    id: str
    event: Event
    severity: Severity
    origin: str | None
    since: datetime
    title: str
    detail: str
    evidence: tuple[str, ...] = ()
    remedy: str = ""
    state: str = ""
    path: str = "/"
    back: str | None = None
    lasts: bool = True
    code: str = ""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver wants to hear of. Empty `origins` are all, and what is the table's own."""

    severities: frozenset[Severity]
    origins: frozenset[str]
    events: frozenset[Event]

    def takes(self, cause: Cause) -> bool:
        fitting = not self.origins or cause.origin in self.origins
        grave = cause.event is Event.DEPLOYMENTS or cause.severity in self.severities
        twice = cause.code in OF_DEPLOYMENTS and Event.DEPLOYMENTS in self.events
        return fitting and grave and cause.event in self.events and not twice


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver was told of a cause last."""

    event: Event
    severity: Severity
    origin: str | None
    since: datetime
    title: str
    state: str
    at: datetime
    lasts: bool


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Of one receiver. `since` is when it was first known; `owed` are causes that it was to be told of and that could
    not be delivered; `dropped` counts those that there was no room to remember."""

    since: datetime
    told: dict[str, Told] = {}
    owed: dict[str, Cause] = {}
    dropped: int = 0


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `missed` were to be told, and were over before that could be done."""

    new: tuple[Cause, ...] = ()
    changed: tuple[Cause, ...] = ()
    resolved: tuple[Told, ...] = ()
    missed: tuple[Cause, ...] = ()
    gone: tuple[str, ...] = ()  # what is not remembered any longer

    @property
    def count(self) -> int:
        return len(self.new) + len(self.changed) + len(self.resolved) + len(self.missed)


def event_of(finding: Finding) -> Event:
    return Event.MAIN if finding.code in MAIN else Event.FINDINGS


def cause_of(finding: Finding) -> Cause:
    evidence = tuple(f"{one.what}: {one.value}" for one in finding.evidence)
    return Cause(
        id=finding.id,
        event=event_of(finding),
        severity=finding.severity,
        origin=finding.origin,
        since=finding.since,
        title=finding.title,
        detail=finding.detail,
        evidence=evidence,
        remedy=finding.remedy,
        state=finding.severity,
        code=finding.code,
    )


def digest(
    memory: Memory,
    causes: Iterable[Cause],
    *,
    wanted: Wanted,
    silent: frozenset[str] = frozenset(),
    hidden: frozenset[str] = frozenset(),
    resolving: bool,
) -> Digest:
    """What is to be told. `silent` are ids that are current and not to be told of, `hidden` those that are not over and
    not shown, `causes` all others that are. `resolving` is false just after a start, while what is not drawn may only
    not have been looked at yet. A cause that was told and is less grave now is told as such, whatever is wanted."""
    current = {cause.id: cause for cause in causes}
    new = tuple(cause for cause in current.values() if cause.id not in memory.told and _is_new(cause, memory, wanted))
    changed = tuple(
        cause for cause in current.values() if cause.id in memory.told and memory.told[cause.id].state != cause.state
    )
    away = [known for known in memory.told if known not in current and known not in hidden] if resolving else []
    resolved = [known for known in away if memory.told[known].lasts and known not in silent]
    over = [known for known in memory.owed if known not in current and known not in hidden] if resolving else []
    return Digest(
        new=new,
        changed=changed,
        resolved=tuple(memory.told[known] for known in resolved),
        missed=tuple(memory.owed[known] for known in over),
        gone=tuple(away),
    )


def _is_new(cause: Cause, memory: Memory, wanted: Wanted) -> bool:
    """A verdict from before the receiver was known is history."""
    return wanted.takes(cause) and (cause.lasts or cause.since > memory.since)


def after(memory: Memory, told: Digest, *, now: datetime) -> Memory:
    """What the receiver knows once the message was delivered, or when there was nothing in it."""
    known = {name: one for name, one in memory.told.items() if name not in told.gone}
    known |= {cause.id: _told(cause, now) for cause in (*told.new, *told.changed)}
    over = len(known) - MOST_TOLD
    for name in list(known)[: max(0, over)]:
        del known[name]
    delivered = {cause.id for cause in (*told.new, *told.changed, *told.missed)}
    owed = {name: cause for name, cause in memory.owed.items() if name not in delivered}
    return msgspec.structs.replace(memory, told=known, owed=owed)


def undelivered(memory: Memory, failed: Digest) -> Memory:
    """What is remembered of a message that could not be delivered: what of it is over later is told all the same."""
    owed: Mapping[str, Cause] = {cause.id: cause for cause in failed.new if cause.lasts}
    merged = {**memory.owed, **{name: cause for name, cause in owed.items() if name not in memory.owed}}
    over = max(0, len(merged) - MOST_OWED)
    kept = dict(list(merged.items())[over:])
    return msgspec.structs.replace(memory, owed=kept, dropped=memory.dropped + over)


def _told(cause: Cause, now: datetime) -> Told:
    return Told(
        event=cause.event,
        severity=cause.severity,
        origin=cause.origin,
        since=cause.since,
        title=cause.title,
        state=cause.state,
        at=now,
        lasts=cause.lasts,
    )
