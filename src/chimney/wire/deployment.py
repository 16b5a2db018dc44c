"""Deployments: what is reported about them and what is told about them."""

from enum import StrEnum

from chimney.wire.base import Message, Timestamp


class Phase(StrEnum):
    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"


class DeployReport(Message, frozen=True, kw_only=True):
    """One report, in the form in which it is kept: aliases resolved, defaults filled in."""

    id: str
    phase: Phase
    revision: str
    environment: str
    at: Timestamp
    slot: str | None = None
    pr_number: int | None = None
    pr_title: str | None = None
    message: str | None = None
    actor: str | None = None
    run_url: str | None = None
    duration_seconds: float | None = None
    origin_ips: list[str] = []


class PullRequestRef(Message, frozen=True, kw_only=True):
    number: int
    title: str | None
    url: str | None


class Deployment(Message, frozen=True, kw_only=True):
    """All reports about one deployment folded together. `phase` is the latest; `ended_at` is None until it ended."""

    id: str
    revision: str
    environment: str
    slot: str | None
    phase: Phase
    started_at: Timestamp
    ended_at: Timestamp | None
    duration_seconds: float | None
    pr: PullRequestRef | None
    message: str | None
    actor: str | None
    run_url: str | None
    origin_ips: list[str] = []
    reports: int = 1


class LastDeployment(Deployment, frozen=True, kw_only=True):
    age_seconds: float
    compare_url: str | None


class SlotState(Message, frozen=True, kw_only=True):
    """What is known of a slot. None: not known (nothing was reported for it, or it was not asked)."""

    revision: str | None
    healthy: bool | None
    since: Timestamp | None


class DeployStatus(Message, frozen=True, kw_only=True):
    """`last_deploy` is None when no deployment was ever reported; `success_rate_pct` None when none ended."""

    active_slot: str | None
    slots: dict[str, SlotState]
    last_deploy: LastDeployment | None
    in_progress: Deployment | None
    recent_deploys: list[Deployment]
    total_deploys: int
    success_rate_pct: float | None
    origins: list[str]


class ReportAccepted(Message, frozen=True, kw_only=True):
    id: str
    deployment: Deployment
