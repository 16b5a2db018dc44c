"""Deployments: what is reported about them and what is told about them."""

from enum import StrEnum

from chimney.wire.base import Message, Timestamp
from chimney.wire.github_deployment import GitHubTelling


class Phase(StrEnum):
    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"


class Source(StrEnum):
    """Who told of a deployment: somebody's report, or GitHub's own deployment webhooks."""

    REPORT = "report"
    GITHUB = "github"


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
    environment_url: str | None = None
    reason: str | None = None
    source: Source = Source.REPORT


class PullRequestRef(Message, frozen=True, kw_only=True):
    number: int
    title: str | None
    url: str | None


class RolledBack(Message, frozen=True, kw_only=True):
    """Who took a deployment back, and why; None where nobody said."""

    by: str | None
    reason: str | None
    at: Timestamp


class BadRevision(Message, frozen=True, kw_only=True):
    """A revision that was rolled back: with which deployment, by whom, why."""

    revision: str
    deployment: str
    by: str | None
    reason: str | None
    at: Timestamp


class Way(StrEnum):
    SWITCH = "switch"  # a slot still runs it
    WORKFLOW = "workflow"  # a workflow deploys it again


class WayBack(Message, frozen=True, kw_only=True):
    """Whether one can go back to a deployment, how, and if not, why not."""

    possible: bool
    how: Way | None = None
    slot: str | None = None
    why: str | None = None


class Deployment(Message, frozen=True, kw_only=True):
    """All reports about one deployment folded together. `phase` is the latest; `ended_at` is None until it ended.

    `stuck`: it started, and no end was reported in the time allowed. `sources` says who told of it. `contains` is a
    revision that was rolled back before and that this one brings again, `way_back` whether one can return to it.
    """

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
    environment_url: str | None = None
    stuck: bool = False
    sources: list[Source] = []
    rolled_back: RolledBack | None = None
    contains: BadRevision | None = None
    way_back: WayBack | None = None


class LastDeployment(Deployment, frozen=True, kw_only=True):
    age_seconds: float
    compare_url: str | None


class SlotState(Message, frozen=True, kw_only=True):
    """What is known of a slot. None: not known.

    With an address in CHIMNEY_SLOTS, `revision` and `healthy` are what the slot itself answered at `observed_at`, and
    `problem` says what is wrong with it. Without one, `revision` is what was reported. `deployed` is always the latter.
    """

    revision: str | None
    healthy: bool | None
    since: Timestamp | None
    deployed: str | None = None
    observed_at: Timestamp | None = None
    problem: str | None = None


class DeployStatus(Message, frozen=True, kw_only=True):
    """`last_deploy` is None when no deployment was ever reported; `success_rate_pct` None when none ended.

    `active_source` says where `active_slot` comes from: `edge`, or `deployments` when the edge is not known.
    `github` says whether GitHub is told of deployments.
    """

    active_slot: str | None
    slots: dict[str, SlotState]
    last_deploy: LastDeployment | None
    in_progress: Deployment | None
    recent_deploys: list[Deployment]
    total_deploys: int
    success_rate_pct: float | None
    origins: list[str]
    active_source: str | None = None
    stuck_after_seconds: float | None = None
    github: GitHubTelling | None = None


class RollbackRequest(Message, frozen=True, kw_only=True):
    """`deployment` is the one to go back to, `reason` is kept with the one that is left."""

    deployment: str
    reason: str
    actor: str | None = None


class RollbackDone(Message, frozen=True, kw_only=True):
    """`left` is the deployment that was marked; None when none is known to run. `observed` is what was seen after."""

    deployment: Deployment
    left: Deployment | None
    how: Way
    observed: dict[str, object] | None = None


class ReportAccepted(Message, frozen=True, kw_only=True):
    id: str
    deployment: Deployment
