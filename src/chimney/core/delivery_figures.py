"""The four delivery figures (https://dora.dev/guides/dora-metrics-four-keys/), counted from deployments and merged
pull requests. Pure.

A deployment that several origins tell of counts once. Lead time begins at the merge, because GitHub's lists do not name
the first commit of a pull request.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median, quantiles

import msgspec

from chimney.wire.delivery_figures import (
    ChangeFailureRate,
    CountedChange,
    CountedDeployment,
    DeliveryFigures,
    DeploymentFrequency,
    LeadTime,
    RecoveryTime,
)
from chimney.wire.deployment import Phase
from chimney.wire.origin import PlacedDeployment
from chimney.wire.pipeline import MergedPullRequest, Part

MOST_COUNTED = 200
ENDINGS = (Phase.SUCCEEDED, Phase.FAILED, Phase.ROLLED_BACK)
SHORTEST_REVISION = 7


class _Ended(msgspec.Struct, frozen=True):
    """A deployment that has an outcome, and when it had it."""

    one: PlacedDeployment
    at: datetime

    @property
    def failed(self) -> bool:
        return self.one.phase is not Phase.SUCCEEDED

    def counted(self, seconds: float | None = None, *, recovered_by: str | None = None) -> CountedDeployment:
        return CountedDeployment(
            origin=self.one.origin,
            deployment=self.one.id,
            revision=self.one.revision,
            outcome=self.one.phase,
            at=self.at,
            seconds=seconds,
            recovered_by=recovered_by,
        )


def figures(
    deployments: Iterable[PlacedDeployment],
    merged: Iterable[MergedPullRequest],
    *,
    environment: str,
    days: int,
    now: datetime,
    partial: Sequence[Part] = (),
) -> DeliveryFigures:
    """Of the last `days` until `now`. Older deployments are looked at only to match what is in that time."""
    since = now - timedelta(days=days)
    ended = _ended(one for one in deployments if one.environment == environment)
    inside = [one for one in ended if since <= one.at <= now]
    return DeliveryFigures(
        since=since,
        until=now,
        days=days,
        environment=environment,
        deployment_frequency=_frequency(inside, _over_days(ended, days, now)),
        lead_time=_lead_time(ended, [one for one in merged if since <= one.merged_at <= now], now),
        change_failure_rate=_failure_rate(inside),
        recovery_time=_recovery_time(ended, inside, now),
        partial=list(partial),
    )


def _ended(deployments: Iterable[PlacedDeployment]) -> list[_Ended]:
    """Oldest first, each id once."""
    seen: dict[str, _Ended] = {}
    for one in deployments:
        if one.phase in ENDINGS:
            seen.setdefault(one.id, _Ended(one, one.ended_at or one.started_at))
    return sorted(seen.values(), key=lambda ended: ended.at)


def _over_days(ended: list[_Ended], days: int, now: datetime) -> float | None:
    """How long of the time asked for is known; None when no deployment is."""
    if not ended:
        return None
    return min(float(days), max(1.0, (now - ended[0].at) / timedelta(days=1)))


def _frequency(inside: list[_Ended], over_days: float | None) -> DeploymentFrequency:
    good = [one for one in reversed(inside) if not one.failed]
    return DeploymentFrequency(
        per_day=round(len(good) / over_days, 3) if over_days else None,
        over_days=round(over_days or 0.0, 2),
        deployments=len(good),
        counted_from=[one.counted() for one in good[:MOST_COUNTED]],
    )


def _failure_rate(inside: list[_Ended]) -> ChangeFailureRate:
    bad = [one for one in reversed(inside) if one.failed]
    return ChangeFailureRate(
        pct=round(100 * len(bad) / len(inside), 1) if inside else None,
        failed=len(bad),
        ended=len(inside),
        counted_from=[one.counted() for one in bad[:MOST_COUNTED]],
    )


def _recovery_time(ended: list[_Ended], inside: list[_Ended], now: datetime) -> RecoveryTime:
    counted = [_recovered(one, ended, now) for one in reversed(inside) if one.failed]
    known = [one.seconds for one in counted if one.seconds is not None]
    return RecoveryTime(
        median_seconds=round(median(known), 1) if known else None,
        recovered=len(known),
        open=len(counted) - len(known),
        counted_from=counted[:MOST_COUNTED],
    )


def _recovered(bad: _Ended, ended: list[_Ended], now: datetime) -> CountedDeployment:
    """A rollback ends the failure at once; else the next success of the same place does."""
    taken_back = bad.one.rolled_back
    if taken_back is not None and taken_back.at <= now:
        return bad.counted(_seconds(bad.one.started_at, taken_back.at))
    after = next((one for one in ended if not one.failed and bad.at < one.at <= now), None)
    if after is None:
        return bad.counted()
    return bad.counted(_seconds(bad.at, after.at), recovered_by=after.one.id)


def _lead_time(ended: list[_Ended], merged: list[MergedPullRequest], now: datetime) -> LeadTime:
    good = [one for one in ended if not one.failed or one.one.rolled_back]
    changes = [_change(one, good) for one in merged]
    counted = sorted(filter(None, changes), key=lambda one: one.deployed_at, reverse=True)
    times = [one.seconds for one in counted]
    first = good[0].one.started_at if good else now
    missing = [pull for pull, change in zip(merged, changes, strict=True) if change is None]
    unmatched = sum(pull.merged_at < first for pull in missing)
    return LeadTime(
        median_seconds=round(median(times), 1) if times else None,
        p90_seconds=round(_p90(times), 1) if times else None,
        changes=len(counted),
        waiting=len(missing) - unmatched if good else 0,
        unmatched=unmatched if good else len(missing),
        counted_from=counted[:MOST_COUNTED],
    )


def _change(pull: MergedPullRequest, good: list[_Ended]) -> CountedChange | None:
    found = _bringing(pull, good)
    if found is None:
        return None
    ended, by = found
    return CountedChange(
        number=pull.number,
        title=pull.title,
        url=pull.url,
        merged_at=pull.merged_at,
        deployed_at=ended.at,
        origin=ended.one.origin,
        deployment=ended.one.id,
        revision=ended.one.revision,
        seconds=_seconds(pull.merged_at, ended.at),
        by=by,
    )


def _bringing(pull: MergedPullRequest, good: list[_Ended]) -> tuple[_Ended, str] | None:
    """The deployment that brought it: the one that names it, else the first that began after the merge, when one from
    before the merge is known too: otherwise it may have come with one that nobody told of."""
    for ended in good:
        if pull.revision and _same(ended.one.revision, pull.revision):
            return ended, "revision"
    for ended in good:
        if ended.one.pr and ended.one.pr.number == pull.number and ended.at >= pull.merged_at:
            return ended, "pull_request"
    starts = sorted(good, key=lambda one: one.one.started_at)
    place = bisect_right(starts, pull.merged_at, key=lambda one: one.one.started_at)
    return (starts[place], "order") if 0 < place < len(starts) else None


def _same(one: str, other: str) -> bool:
    """Revisions may be reported short."""
    return min(len(one), len(other)) >= SHORTEST_REVISION and (one.startswith(other) or other.startswith(one))


def _seconds(start: datetime, end: datetime) -> float:
    return round(max(0.0, (end - start).total_seconds()), 1)


def _p90(times: list[float]) -> float:
    return quantiles(times, n=10, method="inclusive")[-1] if len(times) > 1 else times[0]
