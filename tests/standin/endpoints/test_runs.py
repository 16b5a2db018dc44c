from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.standin.receiver import REPO, Body, Make

from chimney.standin.threads import push
from chimney.standin.vocabulary import PEOPLE

Do = Callable[..., Any]
RUNS = f"{REPO}/actions/runs"


async def listed(github: httpx2.AsyncClient, query: str) -> list[Body]:
    answer = await github.get(f"{RUNS}?per_page=100&{query}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["workflow_runs"])


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [("branch=main", "head_branch", "main"), ("event=schedule", "event", "schedule"), ("status=completed", "status",
     "completed"), ("status=failure", "conclusion", "failure"), ("status=success", "conclusion", "success")],
)  # fmt: skip
async def test_runs_are_filtered(github: httpx2.AsyncClient, query: str, field: str, value: str) -> None:
    runs = await listed(github, query)
    assert runs
    assert {run[field] for run in runs} == {value}


async def test_runs_are_filtered_by_actor_and_revision(github: httpx2.AsyncClient) -> None:
    [first, *_] = await listed(github, "event=pull_request")
    mine = await listed(github, f"actor={first['actor']['login']}")
    assert first["id"] in {run["id"] for run in mine}
    assert {run["head_sha"] for run in await listed(github, f"head_sha={first['head_sha']}")} == {first["head_sha"]}
    assert await listed(github, "actor=nobody") == []


@pytest.mark.parametrize(
    ("created", "some"),
    [(">=2026-11-10", True), ("<2026-11-10", True), ("2026-11-10..2026-11-12", True), ("2026-11-11", True),
     (">2027-01-01", False), ("*..2026-01-01", False), ("2026-11-10T00:00:00Z..*", True)],
)  # fmt: skip
async def test_runs_are_filtered_by_the_time_of_creation(github: httpx2.AsyncClient, created: str, some: bool) -> None:
    everything, chosen = await listed(github, ""), await listed(github, f"created={created}")
    assert bool(chosen) is some
    assert len(chosen) < len(everything) or some


async def test_nonsense_for_a_time_is_refused(github: httpx2.AsyncClient) -> None:
    answer = await github.get(f"{RUNS}?created=yesterday")
    assert answer.status_code == 422
    assert "created" in answer.json()["message"]


async def test_newest_runs_come_first(github: httpx2.AsyncClient) -> None:
    created = [run["created_at"] for run in await listed(github, "")]
    assert created == sorted(created, reverse=True)


async def test_a_run_its_jobs_and_their_steps(github: httpx2.AsyncClient) -> None:
    [run, *_] = await listed(github, "event=push&status=success")
    assert (await github.get(f"{RUNS}/{run['id']}")).json() == run
    jobs = (await github.get(f"{RUNS}/{run['id']}/jobs")).json()
    assert jobs["total_count"] == 4
    for job in jobs["jobs"]:
        assert (await github.get(f"{REPO}/actions/jobs/{job['id']}")).json() == job
        assert job["run_id"] == run["id"]
        assert [step["number"] for step in job["steps"]] == list(range(1, len(job["steps"]) + 1))
        assert job["steps"][0]["started_at"] == job["started_at"]
        assert job["steps"][-1]["completed_at"] == job["completed_at"]


async def test_attempts_keep_their_jobs(github: httpx2.AsyncClient, do: Do) -> None:
    await do("push")
    run = (await do("fail_run"))["run"]["id"]
    await github.post(f"{RUNS}/{run}/rerun-failed-jobs")
    await do("finish_run", id=run)
    body = (await github.get(f"{RUNS}/{run}")).json()
    assert (body["run_attempt"], body["conclusion"]) == (2, "success")
    assert body["previous_attempt_url"].endswith(f"/actions/runs/{run}/attempts/1")
    first = (await github.get(f"{RUNS}/{run}/attempts/1")).json()
    assert (first["run_attempt"], first["conclusion"]) == (1, "failure")
    before, after, every = [
        (await github.get(f"{RUNS}/{run}/{path}")).json()["jobs"]
        for path in ("attempts/1/jobs", "jobs", "jobs?filter=all")
    ]
    assert (len(before), len(after), len(every)) == (4, 4, 5)
    assert {job["conclusion"] for job in before} == {"success", "failure"}
    assert {job["conclusion"] for job in after} == {"success"}
    assert (await github.get(f"{RUNS}/{run}/attempts/3/jobs")).status_code == 404


@pytest.mark.parametrize("workflow", ["61204118", "ci.yml"])
async def test_a_workflow_is_known_by_id_and_by_file(github: httpx2.AsyncClient, workflow: str) -> None:
    assert (await github.get(f"{REPO}/actions/workflows/{workflow}")).json()["name"] == "CI"
    runs = (await github.get(f"{REPO}/actions/workflows/{workflow}/runs")).json()["workflow_runs"]
    assert {run["path"] for run in runs} == {".github/workflows/ci.yml"}


async def test_workflows_and_artifacts(github: httpx2.AsyncClient) -> None:
    workflows = (await github.get(f"{REPO}/actions/workflows")).json()
    assert [one["name"] for one in workflows["workflows"]] == ["CI", "Deploy", "Nightly"]
    [artifact, *_] = (await github.get(f"{REPO}/actions/artifacts")).json()["artifacts"]
    run = artifact["workflow_run"]["id"]
    assert (await github.get(f"{RUNS}/{run}/artifacts")).json()["artifacts"] == [artifact]
    assert (await github.get(f"{REPO}/actions/artifacts?name=other")).json()["total_count"] == 0


async def test_check_runs_are_the_jobs_of_the_revision(github: httpx2.AsyncClient, do: Do) -> None:
    sha = (await do("push"))["commit"]["sha"]
    checks = (await github.get(f"{REPO}/commits/{sha}/check-runs")).json()
    assert sorted(one["name"] for one in checks["check_runs"]) == ["browser", "build", "lint", "test"]
    assert {one["status"] for one in checks["check_runs"]} == {"queued"}
    assert (await github.get(f"{REPO}/commits/main/status")).json()["sha"] == sha


async def test_a_filtered_list_ends_at_a_thousand(make: Make, asking: Callable[..., httpx2.AsyncClient]) -> None:
    standin = make()
    for _ in range(1001):
        push(standin.repo, branch="main", messages=["again"], author=PEOPLE[0], at=standin.clock.now())
    github = asking(standin)
    assert (await github.get(f"{RUNS}?event=push&per_page=1")).json()["total_count"] == 1000
    assert (await github.get(f"{RUNS}?per_page=1")).json()["total_count"] > 1001
