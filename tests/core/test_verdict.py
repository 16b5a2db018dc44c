"""Did a deployment hurt: the rule, and what it looks at."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.core.origins import NOW, ago, deployment

from chimney.core.verdict import judge, left_at, verdict_of, windows_of
from chimney.wire.deployment import Deployment, Phase, RolledBack
from chimney.wire.verdict import VerdictCheck, VerdictFigures, VerdictState

HARMLESS, HARMFUL, TOO_LITTLE = VerdictState.HARMLESS, VerdictState.HARMFUL, VerdictState.TOO_LITTLE_TRAFFIC


def seen(requests: int = 1000, errors: int = 0, **more: Any) -> VerdictFigures:
    rate = round(100 * errors / requests, 2) if requests else None
    return VerdictFigures(
        **{"over_seconds": 300, "error_rate_pct": rate, "p95_ms": 80, **more}, requests=requests, errors=errors
    )


@pytest.mark.parametrize(
    ("before", "after", "state", "reason"),
    [
        (seen(errors=1), seen(errors=1), HARMLESS, ""),
        (
            seen(errors=1),
            seen(errors=60),
            HARMFUL,
            "60 of 1000 requests were answered with an error (6 %; 0.1 % before)",
        ),
        (seen(errors=300), seen(errors=310), HARMLESS, ""),  # as bad as before is not its doing
        (seen(errors=10), seen(errors=19), HARMLESS, ""),  # less than twice
        (seen(100, 1), seen(100, 4), HARMLESS, ""),  # chance makes as much of a hundred
        (seen(), seen(20, 2), HARMLESS, ""),  # two errors happen
        (seen(), seen(12, 12), HARMFUL, "12 of 12"),  # so few requests say that it is bad
        (None, seen(errors=49), HARMLESS, ""),
        (None, seen(errors=50), HARMFUL, "50 of 1000 requests were answered with an error (5 %)"),
        (seen(5, 5), seen(errors=50), HARMFUL, "(5 %)"),  # five requests before are nothing to hold it against
        (seen(p95_ms=80), seen(p95_ms=140), HARMFUL, "95 % of requests took up to 140 ms; 80 ms before"),
        (seen(p95_ms=80), seen(p95_ms=119), HARMLESS, ""),
        (seen(p95_ms=2), seen(p95_ms=40), HARMLESS, ""),  # nobody feels it
        (seen(), seen(new_error_groups=1, new_errors=2), HARMLESS, ""),
        (seen(), seen(new_error_groups=1, new_errors=7), HARMFUL, "a new kind of error, 7 times"),
        (seen(new_error_groups=2), seen(new_error_groups=3, new_errors=9), HARMFUL, "3 new kinds of errors, 9 times"),
        (seen(new_error_groups=3), seen(new_error_groups=3, new_errors=9), HARMLESS, ""),
        (seen(), seen(0, restarts=4), HARMFUL, "it started 4 times more in 5 min"),
        (seen(), seen(restarts=1), HARMLESS, ""),
        (seen(restarts=5), seen(restarts=4), HARMLESS, ""),
        (seen(), seen(19), TOO_LITTLE, "19 requests in 5 min; it takes 20 to tell"),
        (None, seen(0), TOO_LITTLE, "0 requests"),
        (None, seen(20), HARMLESS, ""),
    ],
)
def test_a_deployment_is_held_against_the_one_before(
    before: VerdictFigures | None, after: VerdictFigures, state: VerdictState, reason: str
) -> None:
    found, reasons = judge(before, after, least=20)
    assert (found, len(reasons)) == (state, bool(reason)), reasons
    assert reason in "".join(reasons)


def test_everything_that_is_worse_is_said() -> None:
    bad = seen(errors=100, p95_ms=900, new_error_groups=1, new_errors=100, restarts=3)
    assert len(judge(seen(), bad, least=20)[1]) == 4


def placed(start: float, end: float | None, **more: Any) -> Deployment:
    """Minutes ago."""
    ended = None if end is None else ago(minutes=end)
    usual = {"started_at": ago(minutes=start), "ended_at": ended, "phase": Phase.SUCCEEDED}
    return msgspec.structs.replace(deployment(), **{**usual, **more})


def test_it_is_looked_at_from_its_end_and_before_it_from_the_end_of_the_one_before() -> None:
    first, second = windows_of(placed(10, 8), placed(25, 20), after=[1800, 300], left=None)
    assert (first.start, first.live, first.end) == (ago(minutes=10), ago(minutes=8), ago(minutes=3))
    assert second.end == NOW + timedelta(minutes=22)
    assert first.before_start == second.before_start == ago(minutes=20)
    assert windows_of(placed(10, 8), placed(900, 890), after=[300, 1800], left=None)[0].before_start == ago(minutes=40)
    assert windows_of(placed(10, 8), None, after=[300], left=None)[0].before_start is None


def test_what_was_over_early_has_its_last_window_cut() -> None:
    back = RolledBack(by="op", reason="it broke", at=ago(minutes=6))
    rolled = placed(10, 8, phase=Phase.ROLLED_BACK, rolled_back=back)
    (only,) = windows_of(rolled, None, after=[300, 1800], left=left_at(rolled, None))
    assert (only.live, only.end, only.seconds) == (ago(minutes=8), ago(minutes=6), 120)
    first, second = windows_of(placed(10, 8), None, after=[300, 1800], left=left_at(placed(10, 8), ago(minutes=2)))
    assert (first.end, second.end) == (ago(minutes=3), ago(minutes=2))
    assert windows_of(placed(10, 8), None, after=[300], left=ago(minutes=9))[0].seconds == 0


def test_the_verdict_is_the_last_look() -> None:
    looks = [
        VerdictCheck(state=state, at=NOW, after_seconds=300, reasons=[], before=None, after=seen())
        for state in (HARMFUL, HARMLESS)
    ]
    assert verdict_of([], previous="d1", next_at=NOW).state is VerdictState.PENDING
    verdict = verdict_of(looks, previous="d1", next_at=None)
    assert (verdict.state, verdict.previous, verdict.checks) == (HARMLESS, "d1", looks)
