"""What is wrong, why, and what to do."""

from enum import StrEnum

from chimney.wire.base import Message, Timestamp


class Severity(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Evidence(Message, frozen=True, kw_only=True):
    what: str
    value: str
    at: Timestamp | None = None


class Finding(Message, frozen=True, kw_only=True):
    """`id` is stable while the finding is current; `act` names the act that fixes it, when one does."""

    id: str
    code: str
    severity: Severity
    component: str
    origin: str | None
    since: Timestamp
    title: str
    detail: str
    evidence: list[Evidence]
    remedy: str
    act: str | None = None


class Change(StrEnum):
    FIRING = "firing"
    UPDATED = "updated"  # its severity is another
    RESOLVED = "resolved"


class Alert(Message, frozen=True, kw_only=True):
    """What became of a finding at a moment. `finding` is as it was told last; its id is the same until it is resolved,
    and again when the same comes back."""

    change: Change
    at: Timestamp
    finding: Finding


class Findings(Message, frozen=True, kw_only=True):
    """Current findings, worst first. `good_since` is when the last one went away, None while there are any."""

    items: list[Finding]
    good_since: Timestamp | None
