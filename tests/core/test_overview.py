from typing import Any

import pytest
from tests.core.origins import REVISION, ago, deployment, deploys, failure, github, health, origin, pipeline, run

from chimney.core.facts import Fault
from chimney.core.overview import CHANGES, changes, state_of
from chimney.wire.deployment import PullRequestRef
from chimney.wire.health import DragonflyHealth, LoopHealth
from chimney.wire.pipeline import MergedPullRequest

OTHER = "b" * 40


def merged(**more: Any) -> MergedPullRequest:
    fields = {"number": 324, "title": "Fix retry", "revision": REVISION, "merged_at": ago(minutes=31), "url": "u"}
    return MergedPullRequest(**{**fields, **more})


@pytest.mark.parametrize(
    ("spoilt", "state", "reason"),
    [
        ({}, "up", None),
        ({"probed_at": None, "health": None}, "unknown", "not asked yet"),
        ({"failure": failure(Fault.DNS, detail="no such name")}, "down", "DNS: no such name"),
        ({"health": health(status="degraded", github=github(problem="unreachable: x"))}, "degraded", "GitHub"),
        (
            {"health": health(status="degraded", dragonfly=DragonflyHealth(status="unavailable"))},
            "degraded",
            "Dragonfly",
        ),
        (
            {
                "health": health(
                    status="degraded",
                    loops={"warm": LoopHealth(last_success_at=None, failures=1, restarts=1, error="e")},
                )
            },
            "degraded",
            "warm: e",
        ),
        ({"health": health(status="down")}, "down", "says that it is down"),
    ],
)
def test_an_origin_has_a_state_and_a_reason(spoilt: dict[str, Any], state: str, reason: str | None) -> None:
    said, why = state_of(origin(**spoilt))
    assert said == state
    assert why is reason is None or (reason is not None and why is not None and reason in why)


def test_pull_request_ci_and_deployment_of_one_revision_are_one_line() -> None:
    pr = PullRequestRef(number=324, title="Fix retry", url=None)
    one = origin(pipeline=pipeline(run(), last_merged_pr=merged()), deploy=deploys(deployment(pr=pr)))
    (change,) = changes([one])
    assert (change.revision, change.title, change.pr_number, change.ci) == (REVISION, "Fix retry", 324, "success")
    assert change.ci_duration_seconds == 192.0
    assert [one.id for one in change.deployments] == ["d1"]
    assert change.actor == "ann"
    assert change.url == "u"


def test_a_short_revision_names_the_same_commit() -> None:
    one = origin(pipeline=pipeline(run()), deploy=deploys(deployment(revision=REVISION[:7])))
    assert [change.revision for change in changes([one])] == [REVISION]


def test_two_origins_that_tell_of_the_same_run_tell_it_once() -> None:
    both = [origin(), origin(name="nbg1", deploy=deploys(deployment(id="d2"), deployment()))]
    (change,) = changes(both)
    assert sorted(one.id for one in change.deployments) == ["d1", "d2"]


@pytest.mark.parametrize(
    ("runs", "ci"),
    [
        ([run()], "success"),
        ([run(conclusion="skipped")], "success"),
        ([run(conclusion="failure")], "failure"),
        ([run(conclusion="timed_out")], "failure"),
        ([run(status="in_progress", conclusion=None)], "running"),
        ([run(status="queued", conclusion=None)], "queued"),
        ([run(), run(id=2, workflow="lint", conclusion="failure")], "failure"),
        ([run(), run(id=2, workflow="lint", status="in_progress", conclusion=None)], "running"),
        ([run(conclusion="failure"), run(attempt=2)], "success"),
        ([run(conclusion="failure"), run(id=2, started_at=ago(minutes=1))], "success"),
    ],
)
def test_the_newest_attempt_of_every_workflow_counts(runs: list[Any], ci: str) -> None:
    assert changes([origin(pipeline=pipeline(*runs), deploy=None)])[0].ci == ci


def test_a_deployment_without_runs_has_unknown_ci() -> None:
    (change,) = changes([origin(pipeline=None)])
    assert (change.ci, change.title, change.ci_url) == ("unknown", "Fix retry", None)


def test_a_squashed_title_gives_the_number_of_its_pull_request() -> None:
    (change,) = changes([origin(pipeline=pipeline(run(title="Fix retry (#324)")), deploy=None)])
    assert (change.title, change.pr_number) == ("Fix retry", 324)


def test_a_branch_is_one_line_and_none_once_it_landed() -> None:
    waiting = [
        run(id=i, branch="topic", revision=c * 40, title="Topic", started_at=ago(hours=i))
        for i, c in ((1, "c"), (2, "d"))
    ]
    assert [change.revision[0] for change in changes([origin(pipeline=pipeline(*waiting), deploy=None)])] == ["c"]
    landed = run(id=9, revision=OTHER, title="Topic (#5)")
    assert [one.revision[0] for one in changes([origin(pipeline=pipeline(landed, *waiting), deploy=None)])] == ["b"]


def test_the_newest_changes_come_first_and_no_more_than_fit() -> None:
    runs = [run(id=i, revision=f"{i:040x}", title=f"t{i}", started_at=ago(hours=i)) for i in range(1, 30)]
    found = changes([origin(pipeline=pipeline(*runs), deploy=None)])
    assert [change.title for change in found] == [f"t{i}" for i in range(1, CHANGES + 1)]
