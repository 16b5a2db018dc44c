from base64 import b64decode
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import httpx2
import pytest
from tests.standin.receiver import REPO

Do = Callable[..., Any]


async def get(github: httpx2.AsyncClient, path: str, *, status: int = 200) -> Any:
    answer = await github.get(REPO + path if path.startswith("/") else path)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_commits_are_a_chain_of_first_parents(github: httpx2.AsyncClient) -> None:
    commits = await get(github, "/commits?per_page=50")
    for newer, older in pairwise(commits):
        assert [parent["sha"] for parent in newer["parents"]] == [older["sha"]]


@pytest.mark.parametrize("form", ["main", "heads/main", "HEAD", "{sha}", "{short}", "feat/bell"])
async def test_a_commit_by_any_name(github: httpx2.AsyncClient, do: Do, form: str) -> None:
    sha = (await do("open_pr", branch="feat/bell"))["pull_request"]["head"]["sha"]
    main = (await get(github, "/branches/main"))["commit"]["sha"]
    found = await get(github, f"/commits/{form.format(sha=sha, short=sha[:7])}")
    assert found["sha"] == (main if form in {"main", "heads/main", "HEAD"} else sha)
    assert found["stats"]["total"] == sum(file["changes"] for file in found["files"])


async def test_unknown_refs(github: httpx2.AsyncClient) -> None:
    for path in ("/commits/nothing", "/commits?sha=nothing", "/compare/main...nothing", "/branches/nothing",
                 "/releases/tags/nothing", "/releases/1", "/commits/abc"):  # fmt: skip
        await get(github, path, status=404)


async def test_comparing_branch_and_main(github: httpx2.AsyncClient, do: Do) -> None:
    pull = (await do("open_pr", branch="feat/bell"))["pull_request"]
    ahead = await get(github, "/compare/main...feat/bell")
    assert (ahead["status"], ahead["ahead_by"], ahead["behind_by"]) == ("ahead", 1, 0)
    assert ahead["merge_base_commit"]["sha"] == pull["base"]["sha"]
    await do("push")
    diverged = await get(github, "/compare/main...saltmarsh:feat/bell")
    assert (diverged["status"], diverged["ahead_by"], diverged["behind_by"]) == ("diverged", 1, 1)
    behind = await get(github, f"/compare/main...{pull['base']['sha']}")
    assert (behind["status"], behind["commits"], behind["files"]) == ("behind", [], [])
    assert (await get(github, "/compare/main...main"))["status"] == "identical"


async def test_comparing_many_commits(github: httpx2.AsyncClient, do: Do) -> None:
    base = (await get(github, "/branches/main"))["commit"]["sha"]
    shas = (await do("push", count=300))["shas"]
    whole = await get(github, f"/compare/{base}...main")
    assert (whole["total_commits"], [one["sha"] for one in whole["commits"]]) == (300, shas[50:])
    page = await get(github, f"/compare/{base}...main?per_page=100&page=1")
    assert [one["sha"] for one in page["commits"]] == shas[:100]


async def test_branches(github: httpx2.AsyncClient) -> None:
    names = [one["name"] for one in await get(github, "/branches")]
    heads = [one["head"]["ref"] for one in await get(github, "/pulls")]
    assert sorted(names) == sorted(["main", *heads])
    for name in names:
        assert (await get(github, f"/branches/{name}"))["name"] == name


async def test_releases_and_tags(github: httpx2.AsyncClient) -> None:
    releases, tags = await get(github, "/releases"), await get(github, "/tags")
    assert [one["tag_name"] for one in releases] == [one["name"] for one in tags]
    [newest, *_] = releases
    for path in ("/releases/latest", f"/releases/{newest['id']}", f"/releases/tags/{newest['tag_name']}"):
        assert await get(github, path) == newest


async def test_figures(github: httpx2.AsyncClient) -> None:
    assert (await get(github, "/languages"))["Python"] > 0
    contributors = await get(github, "/contributors")
    contributions = [one["contributions"] for one in contributors]
    assert contributions == sorted(contributions, reverse=True)
    weeks = await get(github, "/stats/participation")
    assert len(weeks["all"]) == len(weeks["owner"]) == 52
    assert weeks["all"][-1] > 0


async def test_the_readme(github: httpx2.AsyncClient) -> None:
    readme = await get(github, "/readme")
    assert readme == await get(github, "/contents/README.md")
    assert b64decode(readme["content"]).startswith(b"# ferrytimes")


@pytest.mark.parametrize("path", ["/orgs/saltmarsh/repos", "/users/SaltMarsh/repos"])
async def test_repositories_of_the_owner(github: httpx2.AsyncClient, path: str) -> None:
    [repository] = (await github.get(path)).json()
    assert repository["full_name"] == "saltmarsh/ferrytimes"
    assert (await github.get(path.lower().replace("saltmarsh", "nobody"))).status_code == 404


async def test_who_is_asking(github: httpx2.AsyncClient) -> None:
    assert (await github.get("/user")).json()["login"] == "mirelavance"
    assert (await github.get("/users/tambeki")).json()["name"] == "Tam Beki"
    assert (await github.get("/orgs/saltmarsh")).json()["type"] == "Organization"


async def test_github_about_itself(github: httpx2.AsyncClient) -> None:
    meta = (await github.get("/meta")).json()
    assert {"hooks", "web", "api", "git", "actions"} <= meta.keys()
    assert (await github.get("/versions")).json() == ["2026-03-10", "2022-11-28"]
    assert (await github.get("/")).json()["rate_limit_url"] == "http://github.test/rate_limit"
