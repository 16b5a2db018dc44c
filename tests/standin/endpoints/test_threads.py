from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.standin.receiver import REPO, Wall

Do = Callable[..., Any]


async def get(github: httpx2.AsyncClient, path: str) -> Any:
    answer = await github.get(REPO + path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_pull_requests_by_state(github: httpx2.AsyncClient) -> None:
    opened, closed, everything = [
        {one["number"] for one in await get(github, f"/pulls?per_page=100&state={state}")}
        for state in ("open", "closed", "all")
    ]
    assert opened | closed == everything
    assert not opened & closed


async def test_pull_requests_are_sorted_as_asked(github: httpx2.AsyncClient) -> None:
    newest = [one["created_at"] for one in await get(github, "/pulls?state=all")]
    oldest = [one["created_at"] for one in await get(github, "/pulls?state=all&direction=asc")]
    updated = [one["updated_at"] for one in await get(github, "/pulls?state=all&sort=updated&direction=desc")]
    assert newest == sorted(newest, reverse=True)
    assert oldest == sorted(oldest)
    assert updated == sorted(updated, reverse=True)


async def test_pull_requests_by_head_and_base(github: httpx2.AsyncClient, do: Do) -> None:
    made = (await do("open_pr", branch="feat/bell"))["pull_request"]
    found = await get(github, "/pulls?head=saltmarsh:feat/bell")
    assert [one["number"] for one in found] == [made["number"]]
    assert await get(github, "/pulls?base=elsewhere") == []
    assert made["number"] in [one["number"] for one in await get(github, "/pulls?base=main")]


async def test_files_and_commits_of_a_pull_request_agree_with_its_figures(github: httpx2.AsyncClient, do: Do) -> None:
    made = (await do("open_pr"))["pull_request"]
    await do("push", branch=made["head"]["ref"])
    pull = await get(github, f"/pulls/{made['number']}")
    files = await get(github, f"/pulls/{made['number']}/files")
    assert (pull["commits"], pull["changed_files"]) == (2, len(files))
    assert (pull["additions"], pull["deletions"]) == tuple(
        sum(one[kind] for one in files) for kind in ("additions", "deletions")
    )


async def test_the_new_version_leaves_out_what_it_took_away(github: httpx2.AsyncClient) -> None:
    for version, there in (("2022-11-28", True), ("2026-03-10", False)):
        answer = await github.get(f"{REPO}/pulls?state=all", headers={"x-github-api-version": version})
        for name in ("merge_commit_sha", "assignee"):
            assert (name in answer.json()[0]) is there


async def test_issues_by_label(github: httpx2.AsyncClient, do: Do) -> None:
    number = (await do("open_bug", labels=["priority:high", "area:ui"]))["issue"]["number"]
    found = await get(github, "/issues?labels=type:bug,AREA:UI")
    assert number in [one["number"] for one in found]
    assert all({"type:bug", "area:ui"} <= {label["name"] for label in one["labels"]} for one in found)
    assert await get(github, "/issues?labels=nothing") == []


async def test_issues_since(github: httpx2.AsyncClient, do: Do, wall: Wall) -> None:
    wall.move(10)
    number = (await do("open_bug"))["issue"]["number"]
    assert [one["number"] for one in await get(github, "/issues?state=all&since=2026-11-15T09:46:50Z")] == [number]
    answer = await github.get(f"{REPO}/issues?since=lately")
    assert answer.status_code == 422


async def test_issues_by_creator_and_milestone(github: httpx2.AsyncClient, do: Do) -> None:
    await do("open_bug", author="tambeki")
    by = await get(github, "/issues?creator=tambeki&state=all")
    assert {one["user"]["login"] for one in by} == {"tambeki"}
    milestone = await get(github, "/milestones/2")
    in_it = await get(github, "/issues?milestone=2")
    assert (milestone["open_issues"], milestone["title"]) == (len(in_it), "Winter timetable")
    outside = await get(github, "/issues?milestone=none&per_page=100")
    assert len(outside) + len(in_it) == len(await get(github, "/issues?per_page=100"))


@pytest.mark.parametrize(("query", "numbers"), [("", [2]), ("?state=closed", [1]), ("?state=all", [1, 2])])
async def test_milestones(github: httpx2.AsyncClient, query: str, numbers: list[int]) -> None:
    assert [one["number"] for one in await get(github, f"/milestones{query}")] == numbers


async def test_labels(github: httpx2.AsyncClient, do: Do) -> None:
    assert (await get(github, "/labels/type:bug"))["color"] == "d73a4a"
    number = (await do("open_bug", labels=["area:ui"]))["issue"]["number"]
    assert [one["name"] for one in await get(github, f"/issues/{number}/labels")] == ["type:bug", "area:ui"]
    assert (await github.get(f"{REPO}/labels/nothing")).status_code == 404
