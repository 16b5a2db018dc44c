from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.standin.receiver import REPO, Body

Do = Callable[..., Any]
RUNS = f"{REPO}/actions/runs"


async def post(github: httpx2.AsyncClient, path: str, status: int, **body: object) -> Any:
    answer = await github.post(REPO + path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


@pytest.fixture
async def failed(do: Do) -> Body:
    await do("push")
    run: Body = (await do("fail_run"))["run"]
    return run


async def run_of(github: httpx2.AsyncClient, run: int) -> Body:
    return dict((await github.get(f"{RUNS}/{run}")).json())


async def test_rerun_all(github: httpx2.AsyncClient, failed: Body) -> None:
    await post(github, f"/actions/runs/{failed['id']}/rerun", 201)
    run = await run_of(github, failed["id"])
    assert (run["status"], run["conclusion"], run["run_attempt"]) == ("queued", None, 2)
    jobs = (await github.get(f"{RUNS}/{failed['id']}/jobs")).json()["jobs"]
    assert {job["status"] for job in jobs} == {"queued"}
    refused = await post(github, f"/actions/runs/{failed['id']}/rerun", 403)
    assert refused["message"] == "This workflow run is already running"


@pytest.mark.parametrize("by_job", [True, False])
async def test_rerun_what_failed(github: httpx2.AsyncClient, failed: Body, by_job: bool) -> None:
    jobs = (await github.get(f"{RUNS}/{failed['id']}/jobs")).json()["jobs"]
    [broken] = [job["id"] for job in jobs if job["conclusion"] == "failure"]
    path = f"/actions/jobs/{broken}/rerun" if by_job else f"/actions/runs/{failed['id']}/rerun-failed-jobs"
    await post(github, path, 201)
    jobs = (await github.get(f"{RUNS}/{failed['id']}/jobs")).json()["jobs"]
    assert sorted(job["status"] for job in jobs) == ["completed"] * 3 + ["queued"]
    assert broken not in {job["id"] for job in jobs}


async def test_nothing_failed_nothing_to_rerun(github: httpx2.AsyncClient, do: Do) -> None:
    await do("push")
    run = (await do("finish_run"))["run"]["id"]
    await post(github, f"/actions/runs/{run}/rerun-failed-jobs", 403)


async def test_cancel_once(github: httpx2.AsyncClient, do: Do) -> None:
    await do("push")
    run = (await do("start_run"))["run"]["id"]
    assert await post(github, f"/actions/runs/{run}/cancel", 202) == {}
    assert (await run_of(github, run))["conclusion"] == "cancelled"
    await post(github, f"/actions/runs/{run}/cancel", 409)


async def test_a_cancelled_deployment_is_an_error(github: httpx2.AsyncClient, do: Do) -> None:
    run = (await do("wait_run"))["run"]["id"]
    await post(github, f"/actions/runs/{run}/pending_deployments", 200, **approval("approved"))
    await do("start_run", id=run)
    await post(github, f"/actions/runs/{run}/cancel", 202)
    [deployment, *_] = (await github.get(f"{REPO}/deployments")).json()
    assert (await github.get(deployment["statuses_url"])).json()[0]["state"] == "error"


async def test_dispatch(github: httpx2.AsyncClient) -> None:
    before = (await github.get(RUNS)).json()["total_count"]
    assert await post(github, "/actions/workflows/deploy.yml/dispatches", 204, ref="main") is None
    runs = (await github.get(RUNS)).json()
    assert runs["total_count"] == before + 1
    assert runs["workflow_runs"][0]["event"] == "workflow_dispatch"


@pytest.mark.parametrize("newer", [True, False])
async def test_dispatch_tells_the_run_when_asked_or_in_the_new_version(github: httpx2.AsyncClient, newer: bool) -> None:
    headers = {"x-github-api-version": "2026-03-10"} if newer else {}
    asked = {"ref": "main"} if newer else {"ref": "main", "return_run_details": True}
    answer = await github.post(f"{REPO}/actions/workflows/ci.yml/dispatches", json=asked, headers=headers)
    assert answer.status_code == 200
    run = await run_of(github, answer.json()["workflow_run_id"])
    assert (run["url"], run["html_url"]) == (answer.json()["run_url"], answer.json()["html_url"])


def approval(state: str) -> dict[str, object]:
    return {"environment_ids": [3_110_447_120], "state": state, "comment": "ship it"}


async def test_approving(github: httpx2.AsyncClient, do: Do) -> None:
    run = (await do("wait_run"))["run"]["id"]
    pending = (await github.get(f"{RUNS}/{run}/pending_deployments")).json()
    assert [one["environment"]["id"] for one in pending] == approval("approved")["environment_ids"]
    await post(github, f"/actions/runs/{run}/pending_deployments", 200, **approval("approved"))
    assert (await run_of(github, run))["status"] == "queued"
    assert (await github.get(f"{RUNS}/{run}/pending_deployments")).json() == []
    await post(github, f"/actions/runs/{run}/pending_deployments", 422, **approval("approved"))


async def test_rejecting(github: httpx2.AsyncClient, do: Do) -> None:
    run = (await do("wait_run"))["run"]["id"]
    await post(github, f"/actions/runs/{run}/pending_deployments", 200, **approval("rejected"))
    assert (await run_of(github, run))["conclusion"] == "failure"


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("/actions/workflows/ci.yml/dispatches", b"{}", 422, "ref"),
        ("/actions/workflows/ci.yml/dispatches", b'{"ref": "nowhere"}', 422, "No ref found for: nowhere"),
        ("/actions/workflows/ci.yml/dispatches", b'{"ref": "main", "inputs": 1}', 422, "inputs"),
        ("/actions/workflows/no.yml/dispatches", b'{"ref": "main"}', 404, "Not Found"),
        ("/actions/workflows/ci.yml/dispatches", b"{", 400, "Problems parsing JSON"),
        ("/actions/workflows/ci.yml/dispatches", b"[]", 400, "Problems parsing JSON"),
        ("/deployments", b"{}", 422, "ref"),
        ("/deployments", b'{"ref": "nowhere"}', 422, "No ref found"),
        ("/deployments/1/statuses", b'{"state": "success"}', 404, "Not Found"),
        ("/actions/runs/1/rerun", b"", 404, "Not Found"),
        ("/pulls", b"{}", 404, "Not Found"),
    ],
)
async def test_bad_requests_are_told(
    github: httpx2.AsyncClient, path: str, body: bytes, status: int, says: str
) -> None:
    answer = await github.post(REPO + path, content=body)
    assert answer.status_code == status
    assert says in answer.json()["message"]


async def test_an_environment_that_does_not_wait_cannot_be_approved(github: httpx2.AsyncClient, do: Do) -> None:
    run = (await do("wait_run"))["run"]["id"]
    wrong = approval("approved") | {"environment_ids": [1]}
    await post(github, f"/actions/runs/{run}/pending_deployments", 422, **wrong)
    await post(github, f"/actions/runs/{run}/pending_deployments", 422, **(approval("maybe")))
