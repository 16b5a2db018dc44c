"""The four delivery figures, from deployments and merged pull requests."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.core.origins import NOW, ago, deployment

from chimney.core.delivery_figures import figures
from chimney.wire.delivery_figures import DeliveryFigures
from chimney.wire.deployment import Phase, PullRequestRef, RolledBack
from chimney.wire.origin import PlacedDeployment
from chimney.wire.pipeline import MergedPullRequest


def placed(name: str, hours_ago: float, *, origin: str = "hel1", **more: Any) -> PlacedDeployment:
    """Started so long ago, and took two minutes."""
    usual = {
        "id": name,
        "revision": name[-1] * 40,
        "started_at": ago(hours=hours_ago),
        "ended_at": ago(hours=hours_ago, minutes=-2),
    }
    fields = msgspec.structs.asdict(msgspec.structs.replace(deployment(), **{**usual, **more}))
    return PlacedDeployment(origin=origin, **fields)


def pull(number: int, merged_at: datetime, revision: str | None = None) -> MergedPullRequest:
    return MergedPullRequest(
        number=number, title=f"Change {number}", revision=revision, merged_at=merged_at, url=f"https://x/{number}"
    )


def counted(
    *deployments: PlacedDeployment, merged: list[MergedPullRequest] | None = None, **more: Any
) -> DeliveryFigures:
    usual: dict[str, Any] = {"environment": "production", "days": 10, "now": NOW}
    return figures(deployments, merged or [], **{**usual, **more})


def test_nothing_known_is_no_figure() -> None:
    told = counted()
    values = (told.deployment_frequency.per_day, told.lead_time.median_seconds, told.change_failure_rate.pct)
    assert (*values, told.recovery_time.median_seconds) == (None, None, None, None)


def test_the_frequency_counts_successes_of_one_environment_in_the_time_asked_for() -> None:
    told = counted(
        placed("a", 300),
        placed("b", 50),
        placed("c", 20, phase=Phase.FAILED),
        placed("d", 10, environment="staging"),
        placed("e", 1),
        placed("f", 0, phase=Phase.STARTED, ended_at=None),
    ).deployment_frequency
    assert (told.per_day, told.deployments, [one.deployment for one in told.counted_from]) == (0.2, 2, ["e", "b"])


def test_no_success_lately_is_a_frequency_of_zero() -> None:
    assert counted(placed("a", 300)).deployment_frequency.per_day == 0


@pytest.mark.parametrize(("first", "per_day", "over"), [(2, 2.0, 1.0), (48, 1.0, 2.0), (2400, 0.1, 10.0)])
def test_the_frequency_is_over_the_time_that_is_known(first: float, per_day: float, over: float) -> None:
    told = counted(placed("a", first, ended_at=ago(hours=first)), placed("b", 1)).deployment_frequency
    assert (told.per_day, told.over_days) == (per_day, over)


def test_a_deployment_that_two_origins_tell_of_counts_once() -> None:
    told = counted(placed("a", 5), placed("a", 5, origin="nbg1"))
    assert told.deployment_frequency.deployments == 1


def test_failures_and_rollbacks_are_change_failures() -> None:
    told = counted(
        placed("a", 9),
        placed("b", 7, phase=Phase.FAILED),
        placed("c", 5, phase=Phase.ROLLED_BACK),
        placed("d", 3),
    ).change_failure_rate
    assert (told.pct, told.failed, told.ended) == (50.0, 2, 4)
    assert [(one.deployment, one.outcome) for one in told.counted_from] == [("c", "rolled_back"), ("b", "failed")]


def test_a_failure_lasts_until_the_next_success_or_its_rollback() -> None:
    back = RolledBack(by="op", reason="p95", at=ago(hours=5, minutes=-30))
    told = counted(
        placed("a", 9, phase=Phase.FAILED),
        placed("b", 7),
        placed("c", 5, phase=Phase.ROLLED_BACK, rolled_back=back),
        placed("d", 1, phase=Phase.FAILED),
    ).recovery_time
    assert [(one.deployment, one.seconds, one.recovered_by) for one in told.counted_from] == [
        ("d", None, None),
        ("c", 1800.0, None),
        ("a", 7200.0, "b"),
    ]
    assert (told.median_seconds, told.recovered, told.open) == (4500.0, 2, 1)


@pytest.mark.parametrize(
    ("change", "deployed", "by"),
    [
        (pull(1, ago(hours=4), revision="c" * 40), "c", "revision"),
        (pull(1, ago(hours=4), revision="c" * 8), "c", "revision"),
        (pull(7, ago(hours=4)), "c", "pull_request"),
        (pull(1, ago(hours=4)), "b", "order"),
    ],
)
def test_a_change_is_deployed_by_the_deployment_that_names_it_or_the_next(
    change: MergedPullRequest, deployed: str, by: str
) -> None:
    named = PullRequestRef(number=7, title=None, url=None)
    told = counted(placed("a", 5), placed("b", 3), placed("c", 1, pr=named), merged=[change]).lead_time
    assert [(one.deployment, one.by) for one in told.counted_from] == [(deployed, by)]


def test_the_lead_time_is_from_the_merge_to_the_end_of_the_deployment() -> None:
    told = counted(
        placed("a", 9), placed("b", 5), placed("c", 1), merged=[pull(1, ago(hours=6)), pull(2, ago(hours=4))]
    ).lead_time
    assert [one.seconds for one in told.counted_from] == [3 * 3600 + 120, 3600 + 120]
    assert told.median_seconds == 2 * 3600 + 120
    assert told.p90_seconds == pytest.approx(3600 + 120 + 0.9 * 7200)


def test_changes_that_wait_and_changes_of_which_nothing_can_be_said_are_not_counted() -> None:
    told = counted(placed("a", 5), placed("b", 3), merged=[pull(1, ago(hours=1)), pull(2, ago(hours=8))]).lead_time
    assert (told.changes, told.waiting, told.unmatched) == (0, 1, 1)
    alone = counted(merged=[pull(1, ago(hours=1))]).lead_time
    assert (alone.changes, alone.waiting, alone.unmatched) == (0, 0, 1)


def test_long_lists_are_cut_and_the_counts_are_whole() -> None:
    told = counted(*(placed(f"d{n}", n / 10) for n in range(1, 231)), merged=[pull(1, NOW - timedelta(days=40))])
    assert (told.deployment_frequency.deployments, len(told.deployment_frequency.counted_from)) == (230, 200)
    assert told.lead_time.unmatched == 0  # merged before the time asked for
