"""Acting on workflow runs through the origin, at the stand-in and at a GitHub that refuses."""

from typing import Any

import httpx2
import pytest
from tests.conftest import Ask, MakeOrigin
from tests.fakes.github import GitHub, says

from chimney.origin.app import Origin
from chimney.standin.app import Standin


async def runs(visitor: httpx2.AsyncClient) -> list[dict[str, Any]]:
    answer = await visitor.get("/api/github/actions/runs?per_page=100")
    found: list[dict[str, Any]] = answer.json()["workflow_runs"]
    return found


async def test_a_finished_run_is_run_again(visitor: httpx2.AsyncClient) -> None:
    done = next(run for run in await runs(visitor) if run["status"] == "completed")
    answer = await visitor.post("/api/pipeline/rerun", json={"run_id": done["id"], "reason": "flaky"})
    assert answer.status_code == 200, answer.text
    acted = answer.json()
    assert acted["run"]["id"] == done["id"]
    assert acted["run"]["attempt"] == done["run_attempt"] + 1
    assert acted["run"]["status"] != "completed"


async def test_after_an_act_the_run_is_told_as_it_is_now(visitor: httpx2.AsyncClient) -> None:
    done = next(run for run in await runs(visitor) if run["status"] == "completed")
    path = f"/api/github/actions/runs/{done['id']}"
    assert (await visitor.get(path)).json()["run_attempt"] == done["run_attempt"]
    await visitor.post("/api/pipeline/rerun", json={"run_id": done["id"]})
    assert (await visitor.get(path)).json()["run_attempt"] == done["run_attempt"] + 1
    listed = next(run for run in await runs(visitor) if run["id"] == done["id"])
    assert listed["run_attempt"] == done["run_attempt"] + 1


async def test_failed_jobs_are_run_again_and_the_run_is_cancelled(visitor: httpx2.AsyncClient) -> None:
    failed = next(run for run in await runs(visitor) if run["conclusion"] == "failure")
    again = await visitor.post("/api/pipeline/rerun_failed", json={"run_id": failed["id"]})
    assert again.status_code == 200, again.text
    cancelled = await visitor.post("/api/pipeline/cancel", json={"run_id": failed["id"]})
    assert cancelled.json()["run"]["conclusion"] == "cancelled"
    twice = await visitor.post("/api/pipeline/cancel", json={"run_id": failed["id"]})
    assert (twice.status_code, twice.json()["type"].rpartition("#")[2]) == (409, "github-refused")


async def test_a_workflow_is_dispatched_on_the_default_branch(visitor: httpx2.AsyncClient) -> None:
    file = (await runs(visitor))[0]["path"].rpartition("/")[2]
    answer = await visitor.post("/api/pipeline/dispatch", json={"workflow": file})
    assert answer.status_code == 200, answer.text
    assert answer.json()["run"]["status"] in ("queued", "in_progress")


async def test_a_waiting_deployment_is_approved_by_its_environment(make_origin: MakeOrigin, asking: Ask) -> None:
    pending = [{"environment": {"id": 5, "name": "production"}}, {"environment": {"id": 6, "name": "staging"}}]

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("pending_deployments"):
            return says(pending if request.method == "GET" else [])(request)
        return says({"message": "Not Found"}, status=404)(request)

    github = GitHub(answer)
    visitor = asking(await make_origin(transport=github, repo=None, repos=["acme/rocket"]))
    acted = await visitor.post("/api/pipeline/approve", json={"run_id": 7, "environment": "production"})
    assert acted.status_code == 200, acted.text
    assert acted.json()["environments"] == ["production"]
    assert acted.json()["run"] is None
    asked = [request for request in github.asked if "/runs/7/pending_deployments" in request.url.path]
    assert [request.method for request in asked] == ["GET", "POST"]
    assert asked[1].content == b'{"environment_ids":[5],"state":"approved","comment":"Approved in chimney"}'


async def test_what_waits_for_nothing_cannot_be_approved(visitor: httpx2.AsyncClient) -> None:
    done = next(run for run in await runs(visitor) if run["status"] == "completed")
    answer = await visitor.post("/api/pipeline/approve", json={"run_id": done["id"]})
    assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (409, "nothing-to-approve")


async def test_the_refusal_is_githubs_own_words_made_safe(make_origin: MakeOrigin, asking: Ask) -> None:
    github = GitHub(says({"message": "Must have admin rights\x1b[31m"}, status=403))
    visitor = asking(await make_origin(transport=github, repo=None, repos=["acme/rocket"]))
    answer = await visitor.post("/api/pipeline/rerun", json={"run_id": 7})
    assert answer.status_code == 409
    assert answer.json()["detail"] == "GitHub answered 403: Must have admin rights\\u001b[31m"


@pytest.mark.parametrize(
    ("act", "body", "status", "path"),
    [
        ("rerun", {}, 400, "$.run_id"),
        ("rerun", {"run_id": 7, "repo": "evil/repo"}, 400, "$.repo"),
        ("dispatch", {}, 400, "$.workflow"),
        ("dispatch", {"workflow": "../../keys"}, 400, "$.workflow"),
        ("dispatch", {"workflow": "deploy.yml", "ref": "x" * 300}, 400, "$.ref"),
        ("dispatch", {"workflow": "deploy.yml", "inputs": {str(n): "x" for n in range(26)}}, 400, "$.inputs"),
        ("rerun", {"run_id": "seven"}, 400, "$.run_id"),
        ("rerun", {"run_id": 7, "and": "more"}, 400, "$"),
    ],
)
async def test_a_request_that_makes_no_sense_says_where(
    visitor: httpx2.AsyncClient, act: str, body: dict[str, Any], status: int, path: str
) -> None:
    answer = await visitor.post(f"/api/pipeline/{act}", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (status, path)


async def test_acts_need_the_scope_operate_and_there_are_no_others(origin: Origin, asking: Ask) -> None:
    assert (await asking(origin, peer="192.0.2.7").post("/api/pipeline/rerun", json={"run_id": 7})).status_code == 401
    assert (await asking(origin).post("/api/pipeline/destroy", json={})).status_code in (400, 404)


async def test_without_a_token_nothing_is_asked(make_origin: MakeOrigin, asking: Ask, still: Standin) -> None:
    visitor = asking(await make_origin(github_token=None))
    answer = await visitor.post("/api/pipeline/rerun", json={"run_id": 7})
    assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (503, "not-configured")
