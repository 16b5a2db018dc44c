"""Between our deployments and GitHub's: what is told, and what its webhooks tell."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from chimney.core.delivery import Delivery
from chimney.core.deploy_report import parse_report
from chimney.core.deployment import fold
from chimney.core.github_deployment import (
    Told,
    creation,
    from_same_job,
    is_due,
    mark_of,
    next_state,
    reports_of,
    status_body,
    tells_the_same,
)
from chimney.wire.deployment import Deployment, Phase, Source
from chimney.wire.github_deployment import GitHubDeployment, State

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
A = "a" * 40


def deployment(*phases: str, minutes: float = -10, **said: Any) -> Deployment:
    raw = [
        {"phase": phase, "revision": A, "at": NOW + timedelta(minutes=minutes + number), "id": phase, **said}
        for number, phase in enumerate(phases)
    ]
    [one] = fold([parse_report(one, now=NOW, environment="production", new_id="") for one in raw], None)
    return one


STARTED = deployment("started")
SUCCEEDED = deployment("started", "succeeded")
FAILED = deployment("started", "failed")
UNDONE = deployment("started", "succeeded", "rolled_back", actor="ada", reason="errors doubled")


@pytest.mark.parametrize(
    ("one", "told", "state"),
    [
        (STARTED, None, State.IN_PROGRESS),
        (STARTED, State.IN_PROGRESS, None),
        (SUCCEEDED, None, State.IN_PROGRESS),
        (SUCCEEDED, State.IN_PROGRESS, State.SUCCESS),
        (SUCCEEDED, State.SUCCESS, None),
        (FAILED, State.IN_PROGRESS, State.FAILURE),
        (UNDONE, State.SUCCESS, State.INACTIVE),
        (UNDONE, None, State.INACTIVE),
        (UNDONE, State.INACTIVE, None),
    ],
)
def test_github_is_told_one_state_after_the_other(one: Deployment, told: State | None, state: State | None) -> None:
    assert next_state(one, Told(number=1, state=told)) is state
    assert is_due(one, Told(number=1, state=told), now=NOW) is (state is not None)


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (deployment("started", minutes=-61), Told()),
        (STARTED, Told(closed="GitHub will not have it")),
        (msgspec.structs.replace(STARTED, sources=[Source.GITHUB]), Told()),
    ],
    ids=["history", "closed", "told by GitHub itself"],
)
def test_what_is_not_told(one: Deployment, told: Told) -> None:
    assert not is_due(one, told, now=NOW)


def test_what_is_told_names_the_revision_the_log_and_the_place() -> None:
    one = deployment("started", "succeeded", run_url="https://ci/7", slot="green", message="Faster\n\nMuch")
    body = creation(one)
    assert body.items() >= {"ref": A, "auto_merge": False, "required_contexts": [], "description": "Faster"}.items()
    assert mark_of(body["payload"]) == mark_of(msgspec.json.encode(body["payload"]).decode()) == "started"
    assert status_body(one, State.SUCCESS, "https://rocket.example") == {
        "state": "success",
        "log_url": "https://ci/7",
        "environment_url": "https://rocket.example",
        "description": "To slot green",
    }
    assert status_body(UNDONE, State.INACTIVE, None) == {
        "state": "inactive",
        "description": "Rolled back: errors doubled",
    }


@pytest.mark.parametrize("payload", [None, "", "text", "[", "[" * 100_000, [1], {"chimney": 7}, "{}"])
def test_what_is_not_ours_has_no_mark(payload: object) -> None:
    assert mark_of(payload) is None


@pytest.mark.parametrize(
    ("minutes", "state", "same"),
    [(-12, "in_progress", True), (-12, "success", False), (-9.5, "success", True), (-50, "in_progress", False)],
)
def test_a_deployment_that_the_job_made_by_itself_is_not_made_again(minutes: float, state: str, same: bool) -> None:
    one = GitHubDeployment(id=1, created_at=NOW + timedelta(minutes=minutes))
    assert (from_same_job(one, SUCCEEDED) and tells_the_same(one, state, SUCCEEDED)) is same


def delivery(state: str, *, event: str = "deployment_status", **more: Any) -> Delivery:
    made = {
        "id": 7, "sha": A, "environment": "production", "created_at": "2026-11-23T11:50:00Z",
        "creator": {"login": "deploy-bot"}, "description": "by the bot", "payload": {}, **more,
    }  # fmt: skip
    status = {"state": state, "created_at": "2026-11-23T11:55:00Z", "log_url": "https://ci/7"}
    run = {"actor": {"login": "ada"}, "html_url": "https://ci/other"}
    return Delivery(event=event, payload={"deployment": made, "deployment_status": status, "workflow_run": run})


@pytest.mark.parametrize(
    ("state", "phases"),
    [
        ("in_progress", ["started"]),
        ("success", ["started", "succeeded"]),
        ("failure", ["started", "failed"]),
        ("error", ["started", "failed"]),
        ("queued", []),
        ("pending", []),
        ("inactive", []),
        ("nonsense", []),
    ],
)
def test_a_status_reports_its_phase_and_an_end_its_start_too(state: str, phases: list[str]) -> None:
    reports = reports_of(delivery(state), now=NOW)
    assert [one.id for one in reports] == [f"github-7-{phase}" for phase in phases]
    assert {one.source for one in reports} <= {Source.GITHUB}


def test_what_a_status_reports_folds_into_one_deployment() -> None:
    [one] = fold([*reports_of(delivery("in_progress"), now=NOW), *reports_of(delivery("success"), now=NOW)][1:], None)
    assert (one.phase, one.duration_seconds, one.actor) == (Phase.SUCCEEDED, 300, "ada")
    assert (one.run_url, one.message) == ("https://ci/7", "by the bot")


@pytest.mark.parametrize(
    "heard",
    [
        delivery("success", payload={"chimney": "run-1-started"}),
        delivery("success", payload='{"chimney": "run-1-started"}'),
        delivery("success", event="deployment"),
        delivery("success", sha="main"),
        delivery("success", sha=None),
        delivery("success", created_at="yesterday"),
        delivery("success", created_at="2999-01-01T00:00:00Z"),
        Delivery(event="deployment_status", payload={}),
        Delivery(event="deployment_status", payload={"deployment": [], "deployment_status": "x"}),
    ],
    ids=range(9),
)
def test_our_own_echo_and_what_makes_no_sense_report_nothing(heard: Delivery) -> None:
    assert reports_of(heard, now=NOW) == []


def test_a_clock_that_is_ahead_tells_of_now() -> None:
    early = NOW - timedelta(minutes=8)
    started, ended = reports_of(delivery("success"), now=early)
    assert (started.at, ended.at) == (datetime(2026, 11, 23, 11, 50, tzinfo=UTC), early)
