"""Whether a deployment hurt, and the figures that say so."""

from enum import StrEnum

from chimney.wire.base import Message, Timestamp


class VerdictState(StrEnum):
    PENDING = "pending"  # the first window is not over
    HARMLESS = "harmless"
    HARMFUL = "harmful"
    TOO_LITTLE_TRAFFIC = "too_little_traffic"


class VerdictFigures(Message, frozen=True, kw_only=True):
    """What was seen in `over_seconds`. `requests` are those of visitors, `errors` those answered with 5xx; both
    percentages and times are None while there were none. `new_error_groups` were first seen in it, `new_errors` counts
    them all; `restarts` are starts of the process beside the deployment's own. `measured_at` is `edge` (its access log)
    or `origin` (its metrics)."""

    over_seconds: float
    requests: int = 0
    errors: int = 0
    error_rate_pct: float | None = None
    p95_ms: float | None = None
    new_error_groups: int = 0
    new_errors: int = 0
    restarts: int = 0
    measured_at: str = "origin"


class VerdictCheck(Message, frozen=True, kw_only=True):
    """One look, `after_seconds` after the deployment went live. `before` is the end of the deployment before it, None
    when there was none; `reasons` are sentences, none for what is harmless."""

    state: VerdictState
    at: Timestamp
    after_seconds: float
    reasons: list[str]
    before: VerdictFigures | None
    after: VerdictFigures


class Verdict(Message, frozen=True, kw_only=True):
    """The last of `checks` (oldest first) as a whole. `previous` is the deployment that it is held against, `next_at`
    when it is looked at again, None when that was the last time. Pending: there are no figures yet."""

    state: VerdictState
    at: Timestamp | None = None
    after_seconds: float | None = None
    reasons: list[str] = []
    before: VerdictFigures | None = None
    after: VerdictFigures | None = None
    previous: str | None = None
    next_at: Timestamp | None = None
    checks: list[VerdictCheck] = []
