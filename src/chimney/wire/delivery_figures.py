"""Delivery figures as DORA defines them, each with what it was counted from."""

from chimney.wire.base import Message, Timestamp
from chimney.wire.pipeline import Part


class CountedDeployment(Message, frozen=True, kw_only=True):
    """A deployment that a figure counts. `outcome` is succeeded, failed or rolled_back; `at` is when it had it.

    `seconds` is what this one adds to a figure of durations; None in other figures, and while it has not recovered.
    `recovered_by` is the deployment that ended the failure, None when it was rolled back or still lasts.
    """

    origin: str
    deployment: str
    revision: str
    outcome: str
    at: Timestamp
    seconds: float | None = None
    recovered_by: str | None = None


class CountedChange(Message, frozen=True, kw_only=True):
    """A merged pull request and the deployment that brought it to the environment.

    `by` says how the two were matched: revision, pull_request, or order (the first deployment after the merge).
    """

    number: int
    title: str
    url: str
    merged_at: Timestamp
    deployed_at: Timestamp
    origin: str
    deployment: str
    revision: str
    seconds: float
    by: str


class DeploymentFrequency(Message, frozen=True, kw_only=True):
    """Successful deployments by day; None when no deployment is known at all. `over_days` is the time asked for, or
    since the first deployment that is known, where that is shorter, but at least a day."""

    per_day: float | None
    over_days: float
    deployments: int
    counted_from: list[CountedDeployment]


class LeadTime(Message, frozen=True, kw_only=True):
    """From the merge to the end of the deployment. `waiting` are merged and not deployed yet, `unmatched` were merged
    before the first deployment that is known, so nothing can be said of them."""

    median_seconds: float | None
    p90_seconds: float | None
    changes: int
    waiting: int
    unmatched: int
    counted_from: list[CountedChange]


class ChangeFailureRate(Message, frozen=True, kw_only=True):
    """Deployments that failed or were rolled back, of all that ended; None when none ended."""

    pct: float | None
    failed: int
    ended: int
    counted_from: list[CountedDeployment]


class RecoveryTime(Message, frozen=True, kw_only=True):
    """From a deployment that failed to the next that succeeded, or to its rollback. `open` have not recovered yet."""

    median_seconds: float | None
    recovered: int
    open: int
    counted_from: list[CountedDeployment]


class DeliveryFigures(Message, frozen=True, kw_only=True):
    """Lists of what was counted are newest first and at most 200 long; the counts are whole."""

    since: Timestamp
    until: Timestamp
    days: int
    environment: str
    deployment_frequency: DeploymentFrequency
    lead_time: LeadTime
    change_failure_rate: ChangeFailureRate
    recovery_time: RecoveryTime
    partial: list[Part]
