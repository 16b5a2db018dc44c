"""For each act of the stand-in: what was stored, with what was told laid over it, is what GitHub says then."""

from typing import Any

import pytest
from tests.core.patch.conftest import Lived, laid

from chimney.core.delivery import Delivery
from chimney.core.patch.rules import forgets_all, rules_for

LISTINGS = (
    "",
    "pulls",
    "pulls?state=open&per_page=100",
    "pulls?state=closed",
    "pulls?direction=desc&per_page=50&sort=updated&state=closed",
    "pulls?direction=asc&sort=updated&state=all",
    "pulls?state=all&per_page=2",
    "pulls?base=main",
    "pulls?base=other",
    "issues?state=open&per_page=100&sort=updated",
    "issues?labels=type%3Abug&per_page=100&state=open",
    "issues?labels=type%3Abug&per_page=100&state=closed",
    "issues?assignee=none&labels=type%3Abug",
    "actions/runs",
    "actions/runs?per_page=2",
    "actions/runs?branch=main",
    "actions/runs?status=completed",
    "actions/runs?status=success",
    "actions/runs?status=queued&event=pull_request",
    "actions/workflows/ci.yml/runs",
    "actions/workflows/deploy.yml/runs",
    "releases?per_page=10",
    "deployments?environment=production&per_page=1",
    "deployments?environment=elsewhere",
    "branches",
)
ACTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("merge_pr", {}),
    ("close_pr", {}),
    ("push", {}),
    ("start_run", {}),
    ("finish_run", {}),
    ("fail_run", {}),
    ("open_bug", {}),
    ("open_issue", {}),
    ("close_bug", {}),
    ("release", {}),
    ("deployment", {"state": "failure"}),
)


async def prepared(lived: Lived) -> None:
    for _ in range(3):
        await lived.do("open_pr")
        await lived.do("open_bug")
        lived.now += 60
    lived.told()


@pytest.mark.parametrize(("act", "more"), ACTS, ids=[act for act, _ in ACTS])
async def test_what_is_laid_over_a_listing_is_what_github_then_says(
    lived: Lived, act: str, more: dict[str, Any]
) -> None:
    await prepared(lived)
    before = {below: await lived.get(below) for below in LISTINGS}
    await lived.do(act, **more)
    told = lived.told()
    for below in LISTINGS:
        result = laid(told, below, before[below])
        after, _ = await lived.get(below)
        if result.look:  # as far as it goes: the last ones of a page come from the next page
            assert result.body == after[: len(result.body)], below
        elif not result.unsure and not result.old:
            assert (before[below][0] if result.body is None else result.body) == after, below


MUST = (
    ("merge_pr", "pulls", "patched"),
    ("merge_pr", "pulls?direction=desc&per_page=50&sort=updated&state=closed", "patched"),
    ("merge_pr", "issues", "patched"),
    ("merge_pr", "", "patched"),
    ("merge_pr", "branches", "patched"),
    ("merge_pr", "commits", "old"),
    ("merge_pr", "commits/main", "old"),
    ("merge_pr", "branches/main", "old"),
    ("merge_pr", "compare/main...main", "unsure"),
    ("merge_pr", "issues?labels=type%3Abug", "kept"),
    ("open_pr", "pulls", "patched"),
    ("open_pr", "issues", "unsure"),
    ("open_pr", "issues?labels=type%3Abug", "kept"),
    ("open_pr", "branches", "old"),
    ("open_bug", "issues", "patched"),
    ("open_bug", "issues?page=2&per_page=5", "unsure"),
    ("open_bug", "pulls?base=elsewhere", "kept"),
    ("open_bug", "labels", "kept"),
    ("finish_run", "actions/runs?created=%3E2020-01-01", "unsure"),
    ("finish_run", "actions/artifacts", "unsure"),
    ("finish_run", "languages", "kept"),
    ("release", "releases/latest", "unsure"),
    ("release", "tags", "unsure"),
    ("deployment", "deployments", "patched"),
)


@pytest.mark.parametrize(("act", "below", "expected"), MUST)
async def test_what_can_be_patched_is_and_what_cannot_is_doubted(
    lived: Lived, act: str, below: str, expected: str
) -> None:
    await prepared(lived)
    before = await lived.get(below)
    await lived.do(act)
    result = laid(lived.told(), below, before)
    said = {"patched": result.body is not None, "old": result.old, "unsure": result.unsure}
    assert [name for name, is_so in said.items() if is_so] == ([] if expected == "kept" else [expected])


async def test_a_run_its_jobs_and_each_job_are_patched_by_themselves(lived: Lived) -> None:
    opened = await lived.do("open_pr")
    runs, _ = await lived.get("actions/runs?event=pull_request&per_page=1")
    run = runs["workflow_runs"][0]["id"]
    jobs, _ = await lived.get(f"actions/runs/{run}/jobs")
    paths = [
        f"actions/runs/{run}",
        f"actions/runs/{run}/jobs",
        f"actions/runs/{run}/jobs?filter=all",
        f"actions/runs/{run}/attempts/1/jobs",
        *(f"actions/jobs/{job['id']}" for job in jobs["jobs"]),
        f"pulls/{opened['numbers'][0]}",
    ]
    before = {below: await lived.get(below) for below in paths}
    checks = f"commits/{opened['pull_request']['head']['sha']}/check-runs"
    checks_before = await lived.get(checks)
    lived.told()
    await lived.do("fail_run", id=run)
    told = lived.told()
    for below in paths[:-1]:
        assert laid(told, below, before[below]).body == (await lived.get(below))[0], below
    assert laid(told, checks, checks_before).unsure
    assert laid(told, "commits/0123abc/check-runs", checks_before).unsure is False


async def test_a_pull_request_by_itself_is_whole_after_it_was_merged(lived: Lived) -> None:
    number = (await lived.do("open_pr"))["numbers"][0]
    before = {below: await lived.get(f"{below}/{number}") for below in ("pulls", "issues")}
    lived.told()
    lived.now += 5
    await lived.do("merge_pr", number=number)
    told = lived.told()
    pull = laid(told, f"pulls/{number}", before["pulls"]).body
    assert pull == (await lived.get(f"pulls/{number}"))[0]
    issue = laid(told, f"issues/{number}", before["issues"]).body
    assert (issue["state"], issue["pull_request"]["merged_at"]) == ("closed", pull["merged_at"])


async def test_a_pull_request_that_is_pushed_to_puts_its_commits_and_files_in_doubt(lived: Lived) -> None:
    opened = await lived.do("open_pr")
    number, branch = opened["numbers"][0], opened["pull_request"]["head"]["ref"]
    before = {part: await lived.get(f"pulls/{number}/{part}") for part in ("commits", "files")}
    lived.told()
    await lived.do("push", branch=branch)
    told = lived.told()
    assert all(laid(told, f"pulls/{number}/{part}", answer).unsure for part, answer in before.items())
    assert not laid(told, "pulls/1/commits", before["commits"]).unsure


async def test_an_issue_its_labels_and_its_comments(lived: Lived) -> None:
    number = (await lived.do("open_bug"))["numbers"][0]
    before = await lived.get(f"issues/{number}")
    told = lived.told()
    lived.now += 5
    await lived.do("close_bug", number=number)
    closed = lived.told()
    assert laid(closed, f"issues/{number}", before).body == (await lived.get(f"issues/{number}"))[0]
    assert laid(told, f"issues/{number}/labels", ([], False)).body == before[0]["labels"]
    issue = closed[0].payload["issue"]
    comment = Delivery(event="issue_comment", action="created", repo=closed[0].repo, payload={"issue": issue})
    assert laid([comment], f"issues/{number}/comments", ([], False)).unsure
    assert laid([comment], f"issues/{number}", before).body["state"] == "closed"
    gone = Delivery(event="issues", action="deleted", repo=closed[0].repo, payload={"issue": issue})
    assert laid([gone], "issues?state=all", ([before[0]], False)).body == []
    assert laid([gone], f"issues/{number}", before).unsure


async def test_the_statuses_of_a_deployment_and_of_the_one_that_it_replaces(lived: Lived) -> None:
    first = (await lived.do("deployment", state="success"))["deployment"]["id"]
    second = (await lived.do("deployment", state="queued"))["deployment"]["id"]
    before = {one: await lived.get(f"deployments/{one}/statuses") for one in (first, second)}
    itself = await lived.get(f"deployments/{second}")
    lived.told()
    lived.now += 5
    body = {"state": "success", "description": "there"}
    await lived.github.post(f"/repos/acme/rocket/deployments/{second}/statuses", json=body)
    told = lived.told()
    statuses = laid(told, f"deployments/{second}/statuses", before[second]).body
    assert statuses == (await lived.get(f"deployments/{second}/statuses"))[0]
    assert laid(told, f"deployments/{second}", itself).body == (await lived.get(f"deployments/{second}"))[0]
    assert laid(told, f"deployments/{first}/statuses", before[first]).unsure


async def test_releases_by_number_by_tag_and_gone(lived: Lived) -> None:
    tag = (await lived.do("release"))["release"]["tag_name"]
    release, _ = await lived.get(f"releases/tags/{tag}")
    (told,) = lived.told()
    edited = {**told.payload, "release": {**release, "body": "more"}}
    edit = Delivery(event="release", action="edited", repo=told.repo, payload=edited)
    for below in (f"releases/{release['id']}", f"releases/tags/{tag}", "releases/latest"):
        assert laid([edit], below, (release, False)).body["body"] == "more"
    gone = Delivery(event="release", action="deleted", repo=told.repo, payload=told.payload)
    assert laid([gone], "releases", ([release], False)).body == []
    assert laid([gone], "releases/latest", (release, False)).unsure


async def test_the_listing_of_an_organisation_counts_with(lived: Lived) -> None:
    repository, _ = await lived.get("")
    await lived.do("open_bug")
    told = lived.told()
    listed = lay_org(told, [{"id": 1, "open_issues_count": 3}, repository])
    assert [one["open_issues_count"] for one in listed] == [3, repository["open_issues_count"] + 1]


def lay_org(told: list[Delivery], body: Any) -> Any:
    from chimney.core.patch.laying import lay  # noqa: PLC0415

    return lay(told, "/orgs/acme/repos", body, more=False, as_of=None).body


@pytest.mark.parametrize(
    ("event", "below"),
    [
        ("label", "labels"),
        ("milestone", "milestones"),
        ("create", "tags"),
        ("delete", "branches"),
        ("status", "commits/0123abcd/status"),
        ("check_run", "commits/0123abcd/check-runs"),
        ("check_suite", "commits/0123abcd/check-suites"),
        ("check_run", "check-runs/7"),
        ("pull_request_review", "pulls/3/reviews"),
    ],
)
def test_what_the_smaller_events_touch(event: str, below: str) -> None:
    assert rules_for(event, below)
    assert not rules_for(event, "languages")


@pytest.mark.parametrize("action", ["privatized", "renamed", "deleted", "transferred"])
def test_a_repository_that_is_not_for_all_any_more_is_forgotten(action: str) -> None:
    assert forgets_all(Delivery(event="repository", action=action, repo="acme/rocket", payload={}))
    assert not forgets_all(Delivery(event="repository", action="edited", repo="acme/rocket", payload={}))
