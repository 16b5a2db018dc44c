"""Each act: what it answers, what the API shows afterwards, and the signed webhooks that it sends."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.standin.receiver import REPO, Body, Receiver

from chimney.standin.app import Standin

Do = Callable[..., Any]


@pytest.fixture
def told(started: Standin, receiver: Receiver) -> Callable[..., Any]:
    """Waits for the deliveries with these names, and checks that every one that came is signed."""

    async def told(*names: str) -> Body:
        await receiver.until(lambda: all(receiver.of(name) for name in names))
        assert all(one.is_signed for one in receiver.posted)
        return receiver.of(names[0])[-1].body

    return told


async def get(github: httpx2.AsyncClient, path: str) -> Any:
    answer = await github.get(REPO + path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_open_pr(github: httpx2.AsyncClient, do: Do, told: Do) -> None:
    made = (await do("open_pr", title="Ring the bell", branch="feat/bell", author="tambeki"))["pull_request"]
    assert (made["title"], made["head"]["ref"], made["user"]["login"]) == ("Ring the bell", "feat/bell", "tambeki")
    assert (await get(github, "/pulls"))[0]["number"] == made["number"]
    event = await told("pull_request opened", "push", "workflow_run requested", "workflow_job queued")
    assert event["pull_request"] == await get(github, f"/pulls/{made['number']}")
    assert event["sender"]["login"] == "tambeki"
    [run] = (await get(github, f"/actions/runs?head_sha={made['head']['sha']}"))["workflow_runs"]
    assert (run["status"], run["event"], run["pull_requests"][0]["number"]) == (
        "queued", "pull_request", made["number"],
    )  # fmt: skip


async def test_merge_pr(github: httpx2.AsyncClient, do: Do, told: Do) -> None:
    bug = (await do("open_bug"))["issue"]
    made = (await do("open_pr", closes=bug["number"]))["pull_request"]
    merged = (await do("merge_pr", number=made["number"]))["pull_request"]
    assert merged["merged"] is True
    assert merged["merged_by"]["type"] == "User"
    event = await told("pull_request closed", "push", "issues closed")
    assert event["pull_request"]["merge_commit_sha"] == merged["merge_commit_sha"]
    [head, *_] = await get(github, "/commits")
    assert head["sha"] == merged["merge_commit_sha"]
    assert (await get(github, f"/issues/{bug['number']}"))["state"] == "closed"
    [run, *_] = (await get(github, "/actions/runs?branch=main&event=push"))["workflow_runs"]
    assert (run["head_sha"], run["status"]) == (head["sha"], "queued")
    assert [one["number"] for one in await get(github, f"/commits/{head['sha']}/pulls")] == [made["number"]]
    again = await github.post("/_standin/do", json={"do": "merge_pr", "number": made["number"]})
    assert again.status_code == 404


async def test_close_pr(do: Do, told: Do) -> None:
    made = (await do("open_pr"))["pull_request"]
    closed = (await do("close_pr", number=made["number"]))["pull_request"]
    assert (closed["state"], closed["merged"]) == ("closed", False)
    assert (await told("pull_request closed"))["pull_request"]["merged_at"] is None


async def test_push(github: httpx2.AsyncClient, do: Do, told: Do, receiver: Receiver) -> None:
    pushed = await do("push", message="Say it twice", count=2)
    event = await told("push", "workflow_run requested")
    assert event["ref"] == "refs/heads/main"
    assert event["after"] == event["head_commit"]["id"] == pushed["commit"]["sha"]
    assert [one["id"] for one in event["commits"]] == pushed["shas"]
    compared = await get(github, f"/compare/{event['before']}...main")
    assert (compared["status"], compared["ahead_by"]) == ("ahead", 2)


async def test_push_to_a_pull_request(github: httpx2.AsyncClient, do: Do, told: Do) -> None:
    made = (await do("open_pr"))["pull_request"]
    pushed = await do("push", branch=made["head"]["ref"])
    event = await told("pull_request synchronize")
    assert (event["before"], event["after"]) == (made["head"]["sha"], pushed["commit"]["sha"])
    assert len(await get(github, f"/pulls/{made['number']}/commits")) == 2


async def test_finish_run_and_what_follows(github: httpx2.AsyncClient, do: Do, told: Do) -> None:
    await do("push")
    checked = (await do("finish_run"))["run"]
    assert (checked["name"], checked["status"], checked["conclusion"]) == ("CI", "completed", "success")
    deployed = (await do("finish_run"))["run"]
    assert (deployed["name"], deployed["event"], deployed["head_sha"]) == (
        "Deploy", "workflow_run", checked["head_sha"],
    )  # fmt: skip
    [deployment, *_] = await get(github, "/deployments")
    statuses = await get(github, f"/deployments/{deployment['id']}/statuses")
    assert [one["state"] for one in statuses] == ["success", "in_progress"]
    event = await told("deployment_status created", "deployment created", "workflow_run completed")
    assert event["deployment_status"]["state"] == "success"
    assert event["workflow_run"]["id"] == deployed["id"]


async def test_a_newer_success_makes_the_one_before_inactive_without_a_webhook(
    github: httpx2.AsyncClient, do: Do, told: Do, receiver: Receiver
) -> None:
    await do("deployment")
    await do("deployment")
    _, before, *_ = await get(github, "/deployments")
    assert (await get(github, f"/deployments/{before['id']}/statuses"))[0]["state"] == "inactive"
    await receiver.until(lambda: len(receiver.of("deployment_status created")) == 4)
    states = [one.body["deployment_status"]["state"] for one in receiver.of("deployment_status created")]
    assert states == ["in_progress", "success"] * 2


async def test_fail_run(github: httpx2.AsyncClient, do: Do, told: Do) -> None:
    await do("push")
    failed = (await do("fail_run"))["run"]
    assert failed["conclusion"] == "failure"
    jobs = (await get(github, f"/actions/runs/{failed['id']}/jobs"))["jobs"]
    assert sorted(job["conclusion"] for job in jobs) == ["failure", "success", "success", "success"]
    [broken] = [job for job in jobs if job["conclusion"] == "failure"]
    assert [step["conclusion"] for step in broken["steps"]] == ["success"] * 4 + ["failure", "skipped", "success"]
    assert (await told("workflow_run completed"))["workflow_run"]["conclusion"] == "failure"
    assert (await get(github, "/actions/runs?status=queued"))["total_count"] == 0


async def test_start_run(github: httpx2.AsyncClient, do: Do, told: Do) -> None:
    await do("push")
    assert (await do("start_run"))["run"]["status"] == "in_progress"
    event = await told("workflow_job in_progress", "workflow_run in_progress")
    assert event["workflow_job"]["runner_name"].startswith("GitHub Actions")


async def test_wait_run(github: httpx2.AsyncClient, do: Do, told: Do) -> None:
    waiting = (await do("wait_run"))["run"]
    assert waiting["status"] == "waiting"
    await told("workflow_job waiting")
    [pending] = await get(github, f"/actions/runs/{waiting['id']}/pending_deployments")
    assert pending["environment"]["name"] == "production"


async def test_bugs(github: httpx2.AsyncClient, do: Do, told: Do) -> None:
    opened = await do("open_bug", title="It leaks", labels=["area:ui"])
    number = opened["issue"]["number"]
    assert opened["numbers"] == [number]
    [newest, *_] = await get(github, "/issues?labels=type:bug")
    assert (newest["title"], newest["number"]) == ("It leaks", number)
    event = await told("issues labeled", "issues opened")
    assert event["label"]["name"] == "area:ui"
    assert (await do("close_bug", number=number))["issue"]["state"] == "closed"
    assert (await told("issues closed"))["issue"]["number"] == number


async def test_open_issue(github: httpx2.AsyncClient, do: Do) -> None:
    made = (await do("open_issue"))["issue"]
    assert [label["name"] for label in made["labels"]] == ["type:feature"]


async def test_release(github: httpx2.AsyncClient, do: Do, told: Do) -> None:
    made = (await do("release", tag="v9.0.0", name="Nine"))["release"]
    assert (await get(github, "/releases/latest"))["id"] == made["id"]
    assert (await get(github, "/releases/tags/v9.0.0"))["name"] == "Nine"
    assert (await get(github, "/tags"))[0]["name"] == "v9.0.0"
    assert (await told("release published"))["release"]["tag_name"] == "v9.0.0"
    await do("release", tag="v9.1.0-rc.1", prerelease=True)
    assert (await get(github, "/releases/latest"))["tag_name"] == "v9.0.0"
    assert (await do("release"))["release"]["tag_name"].startswith("v9.")


@pytest.mark.parametrize("state", ["queued", "in_progress", "success", "failure"])
async def test_deployment(github: httpx2.AsyncClient, do: Do, told: Do, state: str) -> None:
    made = await do("deployment", state=state, environment="staging")
    assert made["statuses"][0]["state"] == state
    assert (await get(github, "/deployments?environment=staging"))[0]["id"] == made["deployment"]["id"]
    assert (await told("deployment_status created", "deployment created"))["deployment_status"]["state"] == state
    names = [one["name"] for one in (await get(github, "/environments"))["environments"]]
    assert names == ["production", "staging"]


async def test_rename_tells(do: Do, told: Do) -> None:
    await do("rename", name="tidetables")
    event = await told("repository renamed")
    assert event["changes"] == {"repository": {"name": {"from": "ferrytimes"}}}
    assert event["repository"]["full_name"] == "saltmarsh/tidetables"


@pytest.mark.parametrize(
    ("act", "status", "says"),
    [
        ({"do": "explode"}, 400, "explode"),
        ({}, 400, "do"),
        ({"do": "open_pr", "tite": "x"}, 400, "unknown field `tite`"),
        ({"do": "open_bug", "count": 0}, 400, "$.count"),
        ({"do": "open_bug", "labels": ["no"]}, 400, "labels: 'no' is not one of type:bug"),
        ({"do": "open_pr", "author": "nobody"}, 400, "'nobody' is not one of mirelavance"),
        ({"do": "merge_pr", "number": 99999}, 404, "there is no open pull request 99999"),
        ({"do": "finish_run"}, 404, "there is no unfinished run"),
        ({"do": "push", "branch": "nowhere"}, 400, "'nowhere' does not exist"),
        ({"do": "deployment", "ref": "nowhere"}, 400, "No ref found for: nowhere"),
        ({"do": "release", "tag": "v1.0.0"}, 400, "already_exists"),
        ({"do": "rename", "name": "a/b"}, 400, "$.name"),
    ],
)
async def test_what_cannot_be_done_is_told(
    github: httpx2.AsyncClient, act: dict[str, object], status: int, says: str
) -> None:
    answer = await github.post("/_standin/do", json=act)
    assert answer.status_code == status
    assert says in answer.json()["message"]
