"""Did a deployment hurt? Pure rules over what was seen after it and at the end of the deployment before it.

A figure counts as worse when it is worse by much, and by more than chance makes of so few requests. What is as bad as
before is not the deployment's doing.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from chimney.wire.deployment import Deployment, Phase
from chimney.wire.verdict import Verdict, VerdictCheck, VerdictFigures, VerdictState

LEAST_ERRORS = 3  # one or two happen
WORSE_BY_PCT = 1.0  # error rate, in points of a hundred
WORSE_TIMES = 2.0
ALONE_PCT = 5.0  # error rate when there is nothing to hold it against
SURE = 3.0  # standard deviations: by chance once in 700 deployments
SLOWER_TIMES = 1.5
SLOWER_BY_MS = 50.0
MOST_RESTARTS = 1  # beside the deployment's own; one more may be the other slot's


class Window(msgspec.Struct, frozen=True):
    """What is looked at: from the going live until `end`; before it from `before_start` until `start`, when the
    deployment began. `before_start` is None when there was no deployment before it."""

    start: datetime
    live: datetime
    end: datetime
    before_start: datetime | None

    @property
    def seconds(self) -> float:
        return (self.end - self.live).total_seconds()


def live_at(deployment: Deployment) -> datetime:
    """From when on visitors may have met it."""
    return deployment.ended_at or deployment.started_at


def judged(deployment: Deployment) -> bool:
    """Whether it is looked at: one that failed never went live."""
    return deployment.phase in (Phase.SUCCEEDED, Phase.ROLLED_BACK)


def left_at(deployment: Deployment, next_start: datetime | None) -> datetime | None:
    """When it was over: it was rolled back, or the next one began; None while it goes on."""
    back = deployment.rolled_back.at if deployment.rolled_back else None
    return min(filter(None, (back, next_start)), default=None)


def windows_of(
    deployment: Deployment, previous: Deployment | None, *, after: Sequence[float], left: datetime | None
) -> list[Window]:
    """The windows to look at, shortest first; a deployment that was over earlier has its last one cut."""
    live = live_at(deployment)
    until = max(live, left) if left else None
    base = timedelta(seconds=max(after, default=0))
    start = deployment.started_at
    before = max(live_at(previous), start - base) if previous else None
    windows = []
    for seconds in sorted(after):
        end = live + timedelta(seconds=seconds)
        cut = until is not None and until < end
        windows.append(Window(start=start, live=live, end=until if cut and until else end, before_start=before))
        if cut:
            break
    return windows


def judge(before: VerdictFigures | None, after: VerdictFigures, *, least: int) -> tuple[VerdictState, list[str]]:
    """What to think of it, and why. Fewer than `least` requests say that it is bad, never that it is good."""
    known = before if before and before.requests >= least else None
    reasons = [*_errors(known, after), *_slower(known, after, least), *_new_errors(before, after)]
    reasons += _restarts(before, after)
    if reasons:
        return VerdictState.HARMFUL, reasons
    if after.requests < least:
        said = f"{after.requests} requests in {_minutes(after.over_seconds)}; it takes {least} to tell"
        return VerdictState.TOO_LITTLE_TRAFFIC, [said]
    return VerdictState.HARMLESS, []


def _errors(before: VerdictFigures | None, after: VerdictFigures) -> Iterator[str]:
    now = after.error_rate_pct
    if now is None or after.errors < LEAST_ERRORS:
        return
    said = f"{after.errors} of {after.requests} requests were answered with an error ({now:g} %"
    if before is None or before.error_rate_pct is None:
        if now >= ALONE_PCT:
            yield f"{said})"
        return
    was = before.error_rate_pct
    if now - was >= WORSE_BY_PCT and now >= was * WORSE_TIMES and _deviations(before, after) >= SURE:
        yield f"{said}; {was:g} % before)"


def _deviations(before: VerdictFigures, after: VerdictFigures) -> float:
    """By how many standard deviations the two shares differ (the pooled test of two proportions)."""
    pooled = (before.errors + after.errors) / (before.requests + after.requests)
    variance = pooled * (1 - pooled) * (1 / before.requests + 1 / after.requests)
    difference = after.errors / after.requests - before.errors / before.requests
    return difference / math.sqrt(variance) if variance > 0 else math.inf


def _slower(before: VerdictFigures | None, after: VerdictFigures, least: int) -> Iterator[str]:
    if before is None or before.p95_ms is None or after.p95_ms is None or after.requests < least:
        return
    if after.p95_ms >= before.p95_ms * SLOWER_TIMES and after.p95_ms - before.p95_ms >= SLOWER_BY_MS:
        yield f"95 % of requests took up to {after.p95_ms:.0f} ms; {before.p95_ms:.0f} ms before"


def _new_errors(before: VerdictFigures | None, after: VerdictFigures) -> Iterator[str]:
    """More kinds of errors began than usually do: told when they go on."""
    usual = before.new_error_groups if before else 0
    if after.new_error_groups > usual and after.new_errors >= LEAST_ERRORS:
        kinds = (
            "a new kind of error" if after.new_error_groups == 1 else f"{after.new_error_groups} new kinds of errors"
        )
        yield f"{kinds}, {after.new_errors} times"


def _restarts(before: VerdictFigures | None, after: VerdictFigures) -> Iterator[str]:
    usual = before.restarts if before else 0
    if after.restarts > max(MOST_RESTARTS, usual):
        yield f"it started {after.restarts} times more in {_minutes(after.over_seconds)}"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def verdict_of(checks: Sequence[VerdictCheck], *, previous: str | None, next_at: datetime | None) -> Verdict:
    """The last look as the verdict; pending before the first."""
    if not checks:
        return Verdict(state=VerdictState.PENDING, previous=previous, next_at=next_at)
    last = checks[-1]
    return Verdict(
        **msgspec.structs.asdict(last),
        previous=previous,
        next_at=next_at,
        checks=list(checks),
    )
