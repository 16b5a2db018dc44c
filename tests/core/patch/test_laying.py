"""Deliveries come twice, late and in any order; responses may be from after them. Nothing moves back."""

import itertools
from typing import Any

import pytest
from tests.core.patch.conftest import REPO, Lived, laid

from chimney.core.delivery import Delivery
from chimney.core.patch.laying import lay, rules_of


async def test_a_listing_from_after_the_delivery_stays_as_it_is(lived: Lived) -> None:
    number = (await lived.do("open_pr"))["numbers"][0]
    opened = [one for one in lived.told() if one.event == "pull_request"]
    lived.now += 60
    await lived.do("merge_pr", number=number)
    await lived.do("open_pr")
    after = await lived.get("pulls")
    late = laid(opened, "pulls", after)
    assert number not in [one["number"] for one in (late.body or after[0])]


async def test_deliveries_of_one_run_come_to_the_same_in_any_order(lived: Lived) -> None:
    await lived.do("open_pr")
    before = await lived.get("actions/runs")
    run = before[0]["workflow_runs"][0]["id"]
    single = await lived.get(f"actions/runs/{run}")
    lived.told()
    for act in ("start_run", "finish_run"):
        lived.now += 10
        await lived.do(act, id=run)
    told = [one for one in lived.told() if one.event == "workflow_run"]
    after, _ = await lived.get("actions/runs")
    for order in itertools.permutations(told + told[:1]):
        assert laid(list(order), "actions/runs", before).body == after
        assert laid(list(order), f"actions/runs/{run}", single).body["status"] == "completed"


async def test_a_run_that_began_anew_replaces_the_attempt_before_it(lived: Lived) -> None:
    await lived.do("open_pr")
    runs, _ = await lived.get("actions/runs")
    run = runs["workflow_runs"][0]["id"]
    await lived.do("fail_run", id=run)
    ended, jobs = await lived.get("actions/runs"), await lived.get(f"actions/runs/{run}/jobs")
    lived.told()
    lived.now += 10
    await lived.github.post(f"/repos/{REPO}/actions/runs/{run}/rerun")
    told = lived.told()
    after, _ = await lived.get("actions/runs")
    assert laid(told, "actions/runs", ended).body["workflow_runs"][0]["run_attempt"] == 2
    assert laid(told, "actions/runs", ended).body == after
    laid_jobs = laid(told, f"actions/runs/{run}/jobs", jobs)
    assert {job["run_attempt"] for job in laid_jobs.body["jobs"]} == {2}
    assert laid_jobs.look or laid_jobs.unsure


async def test_a_page_that_becomes_too_long_is_cut_and_github_is_asked_for_the_next(lived: Lived) -> None:
    while len((await lived.get("issues?labels=type%3Abug&per_page=5"))[0]) < 5:
        await lived.do("open_bug")
    before = await lived.get("issues?labels=type%3Abug&per_page=5")
    lived.told()
    lived.now += 5
    await lived.do("open_bug")
    result = laid(lived.told(), "issues?labels=type%3Abug&per_page=5", before)
    after, more = await lived.get("issues?labels=type%3Abug&per_page=5")
    assert (result.body, result.look) == (after, not before[1])
    assert more


async def test_a_page_that_loses_one_to_the_page_before_it_is_asked_for_again(lived: Lived) -> None:
    await lived.do("open_bug", count=6)
    before = await lived.get("issues?labels=type%3Abug&per_page=5")
    second = await lived.get("issues?labels=type%3Abug&page=2&per_page=5")
    lived.told()
    await lived.do("close_bug", number=before[0][0]["number"])
    told = lived.told()
    first = laid(told, "issues?labels=type%3Abug&per_page=5", before)
    assert (len(first.body), first.look) == (4, True)
    assert laid(told, "issues?labels=type%3Abug&page=2&per_page=5", second).unsure


def pull(number: int, at: str, state: str = "open", **more: Any) -> dict[str, Any]:
    stamp = f"2026-11-15T09:{at}:00Z"
    return {"id": number, "number": number, "state": state, "created_at": stamp, "updated_at": stamp, **more}


def about(action: str, body: dict[str, Any], event: str = "pull_request") -> Delivery:
    return Delivery(event=event, action=action, repo=REPO, payload={event: body})


ORDERS = (
    ("opened", "open", "kept"),  # within the second in which it was closed
    ("labeled", "open", "kept"),
    ("closed", "closed", "patched"),
    ("reopened", "open", "patched"),
)


@pytest.mark.parametrize(("action", "state", "expected"), ORDERS)
def test_within_one_second_what_is_closed_came_last_unless_it_was_reopened(
    action: str, state: str, expected: str
) -> None:
    held = pull(5, "10", "closed", title="before")
    delivery = about(action, pull(5, "10", state, title="after"))
    result = laid([delivery], "pulls/5", (held, False))
    assert ("kept" if result.body is None else "patched") == expected


def test_a_newer_listing_knew_of_what_is_told_late_and_an_equally_old_one_did_not() -> None:
    newer, same = [pull(9, "30")], [pull(9, "20")]
    delivery = about("opened", pull(8, "20"))
    assert laid([delivery], "pulls", (newer, False)).body is None
    assert [one["number"] for one in laid([delivery], "pulls", (same, False)).body] == [9, 8]


def test_what_was_laid_over_a_listing_does_not_make_it_know_more_than_github_said() -> None:
    first = laid([about("opened", pull(9, "30"))], "pulls", ([pull(7, "10")], False))
    path = f"/repos/{REPO}/pulls"
    second = lay([about("opened", pull(8, "20"))], path, first.body, more=False, as_of=first.as_of)
    assert [one["number"] for one in second.body] == [9, 8, 7]


def test_the_merge_revision_of_a_trial_merge_is_not_taken_for_the_real_one() -> None:
    held = pull(5, "10", merge_commit_sha="trial")
    merged = about("closed", pull(5, "20", "closed", merged_at="2026-11-15T09:20:00Z"))
    assert "merge_commit_sha" not in laid([merged], "pulls/5", (held, False)).body


def test_counts_of_an_older_delivery_are_not_believed() -> None:
    repository = {"id": 1, "open_issues_count": 7, "updated_at": "2026-11-15T09:00:00Z"}
    news = {"repository": {**repository, "open_issues_count": 6}}
    late = Delivery(event="star", repo=REPO, payload=news, is_latest=False)
    assert laid([late], "", (repository, False)).body is None
    assert (
        laid([Delivery(event="star", repo=REPO, payload=news)], "", (repository, False)).body["open_issues_count"] == 6
    )


HOSTILE = ([1, 2], {"workflow_runs": [None]}, {"workflow_runs": 3}, None, "text", [None], {"total_count": "x"})


@pytest.mark.parametrize("body", HOSTILE)
@pytest.mark.parametrize(
    "below", ["pulls", "issues", "actions/runs", "commits", "branches", "deployments", "", "pulls/1"]
)
def test_a_body_of_another_shape_is_doubted_or_left_alone_and_nothing_is_raised(below: str, body: Any) -> None:
    events = ("pull_request", "issues", "workflow_run", "push", "deployment", "release", "workflow_job")
    payloads: list[dict[str, Any]] = [
        {},
        {"pull_request": 1, "issue": "x", "workflow_run": [], "ref": 4, "repository": 5},
    ]
    for event in events:
        for payload in payloads:
            assert laid([Delivery(event=event, repo=REPO, payload=payload)], below, (body, False)).look is False


def test_a_delivery_touches_its_own_repository_in_any_spelling_and_no_other() -> None:
    delivery = about("opened", pull(1, "10"))
    assert rules_of(delivery, "/repos/Acme/Rocket/pulls")
    assert rules_of(delivery, f"/repos/{REPO}")
    assert not rules_of(delivery, "/repos/acme/rocket-two/pulls")
    assert not rules_of(delivery, "/rate_limit")
    assert not rules_of(Delivery(event="push", payload={}), f"/repos/{REPO}/commits")
