from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.standin.receiver import REPO, Make, Receiver, Wall

from chimney.standin.app import Standin

Asking = Callable[..., httpx2.AsyncClient]
URL = "http://origin/api/deploy/events"


@pytest.fixture
def reporting(make: Make) -> Standin:
    return make(deploy_report=URL, deploy_token="ci")


async def test_the_last_deployments_of_the_history_are_reported_first(reporting: Standin, receiver: Receiver) -> None:
    expected = [
        (one.sha, status.state == "in_progress")
        for one in list(reporting.repo.deployments.values())[-12:]
        for status in one.statuses
        if status.state != "inactive"
    ]
    await reporting.start()
    await receiver.until(lambda: len(receiver.posted) == len(expected))
    await reporting.stop()
    reports = [one.body for one in receiver.posted]
    assert [(one["revision"], one["phase"] == "started") for one in reports] == expected
    assert len({one["id"] for one in reports}) == len(reports)
    assert {one["slot"] for one in reports} == {"blue", "green"}
    assert all(one.headers["authorization"] == "Bearer ci" for one in receiver.posted)


async def test_a_deployment_is_reported_as_ci_would(
    reporting: Standin, receiver: Receiver, asking: Asking, wall: Wall
) -> None:
    github = asking(reporting)

    async def do(act: str, **arguments: Any) -> Any:
        return (await github.post("/_standin/do", json={"do": act, **arguments})).json()

    number = (await do("open_pr", title="Ring the bell"))["pull_request"]["number"]
    sha = (await do("merge_pr", number=number))["pull_request"]["merge_commit_sha"]
    run = (await github.get(f"{REPO}/actions/runs?head_sha={sha}")).json()["workflow_runs"][0]
    await do("finish_run", id=run["id"])
    deploy = (await github.get(f"{REPO}/actions/runs?head_sha={sha}&event=workflow_run")).json()["workflow_runs"][0]
    await do("start_run", id=deploy["id"])
    wall.move(33)
    await do("finish_run", id=deploy["id"])
    deployment = (await github.get(f"{REPO}/deployments")).json()[0]
    await reporting.start()
    await receiver.until(lambda: receiver.posted and receiver.posted[0].body["revision"] == sha)
    await receiver.until(lambda: len(receiver.posted) >= 2)
    await reporting.stop()
    started, succeeded = (one.body for one in receiver.posted[:2])
    assert started == {
        "id": f"standin-{deployment['id']}-started", "phase": "started", "revision": sha, "environment": "production",
        "slot": started["slot"], "pr_number": number, "pr_title": "Ring the bell",
        "message": f"Ring the bell (#{number})", "actor": started["actor"], "run_url": deploy["html_url"],
        "at": "2026-11-15T09:46:40Z",
    }  # fmt: skip
    assert (succeeded["phase"], succeeded["duration_seconds"], succeeded["slot"]) == (
        "succeeded", 33, started["slot"],
    )  # fmt: skip


async def test_a_report_is_tried_until_the_origin_answers_and_dropped_when_it_refuses(
    make: Make, receiver: Receiver, asking: Asking
) -> None:
    standin = make(deploy_report=URL, history_days=0.5)
    standin.repo.deployments.clear()
    receiver.answers = [503, 400]
    await asking(standin).post("/_standin/do", json={"do": "deployment"})
    standin.reporter.backfill = lambda: None  # type: ignore[method-assign]
    await standin.start()
    await receiver.until(lambda: len(receiver.posted) == 3)
    await standin.stop()
    assert [one.body["phase"] for one in receiver.posted] == ["started", "started", "succeeded"]


async def test_a_fast_clock_reports_nothing_from_the_future(
    make: Make, receiver: Receiver, asking: Asking, wall: Wall
) -> None:
    standin = make(speed=1000, deploy_report=URL)
    wall.move(60)
    standin.advance()
    latest = [one for one in standin.reporter._queue if one["phase"] == "succeeded"][-1]
    assert latest["at"] == "2026-11-15T09:46:40Z"[:14] + "47:40Z"


async def test_what_came_through_the_api_is_the_callers_to_report(
    reporting: Standin, receiver: Receiver, asking: Asking
) -> None:
    github = asking(reporting)
    made = await github.post(f"{REPO}/deployments", json={"ref": "main"})
    await github.post(f"{REPO}/deployments/{made.json()['id']}/statuses", json={"state": "in_progress"})
    assert not reporting.reporter._queue
