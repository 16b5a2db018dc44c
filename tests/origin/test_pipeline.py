"""The pipeline summary, asked of a GitHub through the cache."""

import asyncio
from typing import Any

import httpx2
import pytest
from tests.conftest import REPO, Ask, MakeOrigin
from tests.fakes.github import GitHub, raw, says

from chimney.standin.app import Standin


async def do(standin: Standin, act: str, **arguments: object) -> Any:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=standin.asgi), base_url="http://x") as client:
        answer = await client.post("/_standin/do", json={"do": act, **arguments})
        assert answer.status_code == 200, answer.text
        return answer.json()


async def stood_in(standin: Standin, path: str) -> Any:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=standin.asgi), base_url="http://x") as client:
        return (await client.get(f"/repos/{REPO}{path}", headers={"user-agent": "t"})).json()


def through(standin: Standin) -> httpx2.ASGITransport:
    return httpx2.ASGITransport(app=standin.asgi)


async def summary(visitor: httpx2.AsyncClient, **query: str) -> Any:
    answer = await visitor.get("/api/pipeline/summary", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_summary_has_the_fields_of_the_contract(visitor: httpx2.AsyncClient) -> None:
    told = await summary(visitor)
    assert told.keys() >= {
        "repo", "open_issues", "open_prs", "open_bugs", "bugs", "last_merged_pr", "runs", "success_rate_pct",
        "default_branch", "release", "rate_limit_remaining", "fetched_at", "age_seconds", "partial", "wgmesh_version",
        "recent_workflow_runs", "goose_success_rate_pct",
    }  # fmt: skip
    assert told["repo"] == REPO
    assert told["partial"] == []
    assert told["last_merged_pr"].keys() == {"number", "title", "revision", "merged_at", "url"}
    assert told["runs"][0].keys() >= {
        "id", "workflow", "status", "conclusion", "branch", "event", "revision", "started_at", "duration_seconds",
        "url",
    }  # fmt: skip
    assert told["bugs"][0].keys() == {"number", "title", "url", "created_at"}
    assert told["default_branch"]["state"] in {"green", "red", "running"}
    assert told["fetched_at"].endswith("Z")
    assert told["rate_limit_remaining"] < 5000
    assert told["wgmesh_version"] == told["release"]["tag"]
    assert told["recent_workflow_runs"] == told["runs"]


async def test_counts_are_right_beyond_a_hundred(standin: Standin, make_origin: MakeOrigin, asking: Ask) -> None:
    before = await stood_in(standin, "/issues?state=open&labels=type:bug&per_page=100")
    await do(standin, "open_bug", count=250)
    await do(standin, "open_pr", count=137)
    pulls = len(await stood_in(standin, "/pulls?state=open&per_page=100"))
    assert pulls == 100
    repository = await stood_in(standin, "")
    told = await summary(asking(await make_origin(transport=through(standin))))
    assert told["open_bugs"] == 250 + len([bug for bug in before if "pull_request" not in bug])
    assert len(told["bugs"]) == 100
    assert told["open_prs"] >= 137
    assert told["open_issues"] + told["open_prs"] == repository["open_issues_count"]


async def test_the_summary_costs_its_paths_once(still: Standin, make_origin: MakeOrigin, asking: Ask) -> None:
    origin = await make_origin(github_token="its-own")
    visitor = asking(origin)
    await asyncio.gather(*(summary(visitor) for _ in range(50)))
    assert origin.github.client.results["2xx"] <= 8


async def test_what_could_not_be_had_is_null_and_named_with_its_reason(
    standin: Standin, make_origin: MakeOrigin, asking: Ask
) -> None:
    transport = through(standin)
    async with httpx2.AsyncClient(transport=transport, base_url="http://x") as control:
        for path in (f"/repos/{REPO}/actions/runs", f"/repos/{REPO}/releases"):
            await control.post("/_standin/faults", json={"status": 500, "path": path})
    told = await summary(asking(await make_origin(transport=through(standin))))
    assert {part["part"] for part in told["partial"]} == {"runs", "releases"}
    assert all("500" in part["reason"] for part in told["partial"])
    assert (told["runs"], told["release"], told["success_rate_pct"], told["default_branch"]) == ([], None, None, None)
    assert told["open_prs"] is not None


ODD = [raw(b"[]"), raw(b"{}"), raw(b"5"), raw(b"null"), raw(b'"x"'), raw(b'[{"number": "one"}]'), raw(b"[[[[]]]]")]


@pytest.mark.parametrize("odd", range(len(ODD)))
async def test_answers_of_another_shape_make_the_summary_partial_and_never_fail(
    make_origin: MakeOrigin, asking: Ask, odd: int
) -> None:
    origin = await make_origin(transport=GitHub(ODD[odd]), github_token=None)
    told = await summary(asking(origin))
    assert told["partial"]
    assert origin.shell.recover.panics == 0


async def test_without_github_the_summary_is_all_reasons(make_origin: MakeOrigin, asking: Ask) -> None:
    told = await summary(asking(await make_origin(transport=GitHub(says(status=500)), github_token=None)))
    assert len(told["partial"]) == 6
    assert (told["fetched_at"], told["age_seconds"], told["open_issues"]) == (None, None, None)


@pytest.mark.parametrize("label", ["type:bug", "P1 & urgent", "a+b", "100%", "größe", "a=b#c?d"])
async def test_a_label_is_sent_as_it_is_whatever_is_in_it(make_origin: MakeOrigin, asking: Ask, label: str) -> None:
    github = GitHub(says([]))
    origin = await make_origin(transport=github, bug_label=label, github_token=None)
    await summary(asking(origin))
    labels = [request.url.params["labels"] for request in github.asked if "labels" in request.url.params]
    assert labels == [label]


async def test_only_watched_repositories_have_a_summary(origin: object, visitor: httpx2.AsyncClient) -> None:
    assert (await summary(visitor, repo="ACME/rocket"))["repo"] == REPO
    for repo in ("acme/rocket-evil", "acme", "../x", "acme/rocket/", "x" * 1000):
        assert (await visitor.get("/api/pipeline/summary", params={"repo": repo})).status_code == 404


async def test_without_a_repository_it_is_said_what_to_set(make_origin: MakeOrigin, asking: Ask) -> None:
    answer = await asking(await make_origin(repo=None)).get("/api/pipeline/summary")
    assert answer.status_code == 503
    assert "CHIMNEY_REPO" in answer.json()["detail"]


async def test_the_success_rate_is_of_the_workflow_that_was_chosen(make_origin: MakeOrigin, asking: Ask) -> None:
    every = await summary(asking(await make_origin()))
    none = await summary(asking(await make_origin(workflow="nightly-nothing.yml")))
    assert every["success_rate_pct"] is not None
    assert none["success_rate_pct"] is None
    assert none["runs"] == every["runs"]


async def test_the_watched_repositories_are_listed_with_their_counts(visitor: httpx2.AsyncClient) -> None:
    listed = (await visitor.get("/api/repos")).json()
    [one] = listed["items"]
    told = await summary(visitor)
    assert (one["repo"], one["open_prs"], one["open_issues"]) == (REPO, told["open_prs"], told["open_issues"])
    assert listed["next"] is None


async def test_a_renamed_repository_is_still_found(standin: Standin, make_origin: MakeOrigin, asking: Ask) -> None:
    await do(standin, "rename", name="comet")
    origin = await make_origin(transport=through(standin), github_api_url="http://github.test")
    told = await summary(asking(origin))
    assert told["partial"] == []
    assert told["open_prs"] is not None
