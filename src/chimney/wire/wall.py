"""The wall: what hangs on a screen in a room, behind a link that shows it and nothing else."""

from typing import Annotated

import msgspec

from chimney.wire.base import Message, Timestamp
from chimney.wire.finding import Severity

LinkName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Days = Annotated[float, msgspec.Meta(gt=0, le=3_650)]
Names = Annotated[list[str], msgspec.Meta(max_length=100)]


class Link(Message, frozen=True, kw_only=True):
    """`origins` is what it shows, all of them when it is empty. `prefix` is the beginning of its token."""

    id: str
    name: str
    prefix: str
    origins: list[str]
    created_at: Timestamp
    created_by: str
    expires_at: Timestamp
    last_used_at: Timestamp | None
    watching: int


class NewLink(Message, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`origins` narrows what it shows; empty: all of them."""

    name: LinkName
    expires_in_days: Days = 365
    origins: Names = []


class MadeLink(Link, frozen=True, kw_only=True):
    """`token` is shown this once; `path` is where the wall is."""

    token: str
    path: str


class WallFinding(Message, frozen=True, kw_only=True):
    id: str
    severity: Severity
    title: str
    origin: str | None
    since: Timestamp


class WallSlot(Message, frozen=True, kw_only=True):
    """`healthy` is None while it is not known; `active`: visitors go there."""

    name: str
    revision: str | None
    healthy: bool | None
    active: bool


class WallDeployment(Message, frozen=True, kw_only=True):
    """`what` is its pull request's title or its message."""

    origin: str
    revision: str
    environment: str
    slot: str | None
    phase: str
    what: str | None
    pr_number: int | None
    actor: str | None
    started_at: Timestamp
    ended_at: Timestamp | None
    stuck: bool


class Traffic(Message, frozen=True, kw_only=True):
    """Requests and answers of class 5xx by second, in equal steps, oldest first; None where nothing was measured."""

    step_seconds: float
    requests: list[float | None]
    errors: list[float | None]


class WallOrigin(Message, frozen=True, kw_only=True):
    """`state` and `reason` as in GET /api/origins, without its address. `branch` is the default branch: green, red,
    running or unknown."""

    name: str
    state: str
    reason: str | None
    demonstration: bool
    repo: str | None
    branch: str | None
    branch_state: str | None
    branch_since: Timestamp | None
    slots: list[WallSlot]
    last: WallDeployment | None
    latency_ms: float | None
    hit_rate_pct: float | None
    uptime_24h_pct: float | None
    uptime_bars: list[float | None]
    traffic: Traffic | None


class WallChange(Message, frozen=True, kw_only=True):
    """`phase` is that of its newest deployment, None while it has none."""

    revision: str
    title: str
    pr_number: int | None
    actor: str | None
    at: Timestamp
    ci: str
    phase: str | None
    slot: str | None


class Wall(Message, frozen=True, kw_only=True):
    """All that the screen shows. `good_since` is None while there are findings."""

    at: Timestamp
    version: str
    findings: list[WallFinding]
    good_since: Timestamp | None
    origins: list[WallOrigin]
    changes: list[WallChange]
    errors_last_5_min: int
