"""What is wrong, why, and what to do."""

from enum import StrEnum

from chimney.wire.act import Act
from chimney.wire.base import Message, Timestamp


class Severity(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Evidence(Message, frozen=True, kw_only=True):
    what: str
    value: str
    at: Timestamp | None = None


class FindingAct(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The body of `POST /api/acts/{act}` that mends it, with the name of the act; a reason may be added to it."""

    act: Act
    origin: str
    slot: str | None = None
    deployment: str | None = None
    run_id: int | None = None
    repo: str | None = None
    path: str | None = None
    all: bool | None = None
    level: str | None = None
    reason: str | None = None


class Silence(Message, frozen=True, kw_only=True):
    """Who wants no notifications of a finding, until when, and why."""

    until: Timestamp
    by: str
    reason: str | None
    at: Timestamp


class Finding(Message, frozen=True, kw_only=True):
    """`id` is stable while the finding is current; `act` mends it, where an act does. `silenced`: it is shown, and
    nobody is notified of it."""

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
    act: FindingAct | None = None
    silenced: Silence | None = None


class PastFinding(Finding, frozen=True, kw_only=True):
    """One that is over. `since` until `resolved_at` is what was seen; it was told at `fired_at`."""

    fired_at: Timestamp
    resolved_at: Timestamp
    duration_seconds: float


class SilenceRequest(Message, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`for_seconds` 0 ends a silence."""

    for_seconds: float
    reason: str | None = None


class Change(StrEnum):
    FIRING = "firing"
    UPDATED = "updated"  # its severity is another, or it was silenced, or is no longer
    RESOLVED = "resolved"


class Alert(Message, frozen=True, kw_only=True):
    """What became of a finding at a moment. `finding` is as it was told last; its id is the same until it is resolved,
    and again when the same comes back."""

    change: Change
    at: Timestamp
    finding: Finding


class Findings(Message, frozen=True, kw_only=True):
    """Current findings, worst first, always all of them. `good_since` is when the last one went away, None while
    there are any."""

    items: list[Finding]
    next: None = None
    good_since: Timestamp | None
