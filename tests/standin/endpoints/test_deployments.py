from collections.abc import Callable
from typing import Any

import httpx2
from tests.standin.receiver import REPO, Body, Receiver

from chimney.standin.app import Standin

Do = Callable[..., Any]


async def created(github: httpx2.AsyncClient, **body: object) -> Body:
    answer = await github.post(f"{REPO}/deployments", json={"ref": "main", **body})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_creating_one_and_its_statuses(started: Standin, receiver: Receiver, github: httpx2.AsyncClient) -> None:
    made = await created(github, environment="staging", payload={"slot": "green"}, description="by hand")
    assert (made["environment"], made["payload"], made["production_environment"]) == (
        "staging", {"slot": "green"}, False,
    )  # fmt: skip
    for state in ("queued", "in_progress", "success"):
        asked = {"state": state, "log_url": "https://ci.example/1", "environment_url": "https://staging.example"}
        answer = await github.post(f"{REPO}/deployments/{made['id']}/statuses", json=asked)
        assert answer.status_code == 201
    statuses = (await github.get(f"{REPO}/deployments/{made['id']}/statuses")).json()
    assert [one["state"] for one in statuses] == ["success", "in_progress", "queued"]
    assert statuses[0]["target_url"] == statuses[0]["log_url"] == "https://ci.example/1"
    one = await github.get(f"{REPO}/deployments/{made['id']}/statuses/{statuses[1]['id']}")
    assert one.json() == statuses[1]
    await receiver.until(lambda: len(receiver.of("deployment_status created")) == 3)
    [event] = receiver.of("deployment created")
    assert (event.body["deployment"]["id"], event.body["workflow_run"]) == (made["id"], None)


async def test_inactive_is_kept_but_not_told(started: Standin, receiver: Receiver, github: httpx2.AsyncClient) -> None:
    made = await created(github)
    await github.post(f"{REPO}/deployments/{made['id']}/statuses", json={"state": "inactive"})
    await github.post(f"{REPO}/deployments/{made['id']}/statuses", json={"state": "failure"})
    await receiver.until(lambda: receiver.of("deployment_status created"))
    assert receiver.of("deployment_status created")[0].body["deployment_status"]["state"] == "failure"
    statuses = (await github.get(f"{REPO}/deployments/{made['id']}/statuses")).json()
    assert [one["state"] for one in statuses] == ["failure", "inactive"]


async def test_auto_inactive_can_be_turned_off(github: httpx2.AsyncClient) -> None:
    first, second = await created(github, environment="staging"), await created(github, environment="staging")
    for one in (first, second):
        asked = {"state": "success", "auto_inactive": False}
        await github.post(f"{REPO}/deployments/{one['id']}/statuses", json=asked)
    states = (await github.get(f"{REPO}/deployments/{first['id']}/statuses")).json()
    assert [one["state"] for one in states] == ["success"]


async def test_deployments_are_filtered(github: httpx2.AsyncClient) -> None:
    made = await created(github, environment="staging", task="deploy:migrations")
    for query in (
        "environment=staging",
        "task=deploy:migrations",
        f"sha={made['sha']}&environment=staging",
        "ref=main",
    ):
        found = (await github.get(f"{REPO}/deployments?{query}")).json()
        assert [one["id"] for one in found] == [made["id"]], query
    assert (await github.get(f"{REPO}/deployments?environment=nowhere")).json() == []


async def test_a_state_that_is_none_is_refused(github: httpx2.AsyncClient) -> None:
    made = await created(github)
    for body in ({"state": "great"}, {}, {"state": 1}):
        answer = await github.post(f"{REPO}/deployments/{made['id']}/statuses", json=body)
        assert answer.status_code == 422
        assert "state" in answer.json()["message"]
