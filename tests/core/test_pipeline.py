"""The pipeline summary, from GitHub's answers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from chimney.core.pipeline import (
    Gathered,
    branch_state,
    last_merged,
    last_page,
    newest_release,
    run,
    success_rate,
    summarise,
)
from chimney.wire.github import Issue, PullRequest, Release, Repository, WorkflowRun
from chimney.wire.pipeline import Part

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOTHING = Gathered(None, None, None, None, None, None, [], None)


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def a_run(conclusion: str | None, minutes: float, **said: Any) -> WorkflowRun:
    fields = {
        "id": 1,
        "name": "CI",
        "path": ".github/workflows/ci.yml",
        "status": "completed" if conclusion else "in_progress",
        "conclusion": conclusion,
        "head_branch": "main",
        "head_sha": "abc",
        "event": "push",
        "html_url": "https://github.com/x",
        "created_at": at(minutes),
        "updated_at": at(minutes + 2),
        **said,
    }
    return WorkflowRun(**fields)


def a_repository(open_issues: int) -> Repository:
    return Repository(
        full_name="acme/rocket",
        name="rocket",
        html_url="https://github.com/acme/rocket",
        default_branch="main",
        open_issues_count=open_issues,
    )


def issue(number: int, *, pull: bool = False) -> Issue:
    return Issue(
        number=number,
        title=f"bug {number}",
        html_url="https://github.com/x",
        state="open",
        created_at=NOW,
        pull_request={} if pull else None,
    )


@pytest.mark.parametrize(
    ("link", "last"),
    [
        (None, None),
        ("", None),
        ('<https://api.github.com/repositories/1/pulls?per_page=1&page=2>; rel="next"', None),
        ('<https://x/y?page=2>; rel="next", <https://x/y?per_page=1&page=137>; rel="last"', 137),
        ('<https://x/y?page=137&per_page=1>; rel="last", <https://x/y?page=2>; rel="next"', 137),
        ('<https://x/y?per_page=137>; rel="last"', None),
    ],
)
def test_the_last_page_is_read_from_the_link_header(link: str | None, last: int | None) -> None:
    assert last_page(link) == last


def test_only_runs_that_were_judged_count_for_the_success_rate() -> None:
    said = ["success", "success", "failure", "cancelled", "skipped", "timed_out", None]
    assert success_rate([a_run(conclusion, -i) for i, conclusion in enumerate(said)], None) == 50.0
    assert success_rate([a_run("cancelled", 0)], None) is None
    assert success_rate([], None) is None


@pytest.mark.parametrize("workflow", ["Deploy", "deploy.yml"])
def test_the_success_rate_may_be_of_one_workflow_by_name_or_file(workflow: str) -> None:
    deploy = a_run("failure", 0, name="Deploy", path=".github/workflows/deploy.yml")
    assert success_rate([a_run("success", 0), deploy], workflow) == 0.0


@pytest.mark.parametrize(
    ("runs", "state", "since"),
    [
        ([], "unknown", None),
        ([a_run(None, -1)], "running", at(-1)),
        ([a_run("success", -10)], "green", at(-8)),
        ([a_run("success", -30), a_run("failure", -20), a_run("failure", -10)], "red", at(-18)),
        ([a_run("failure", -10), a_run("failure", -20), a_run("success", -30)], "red", at(-18)),
        ([a_run("failure", -30), a_run("success", -20), a_run("success", -10)], "green", at(-18)),
        ([a_run("failure", -30), a_run(None, -1)], "red", at(-28)),
        ([a_run("failure", -30), a_run("cancelled", -10)], "red", at(-28)),
        ([a_run("failure", -30, head_branch="feature"), a_run("success", -40)], "green", at(-38)),
    ],
)
def test_a_branch_is_red_while_the_newest_judged_run_of_a_workflow_failed(
    runs: list[WorkflowRun], state: str, since: datetime | None
) -> None:
    told = branch_state("main", runs)
    assert (told.name, told.state, told.since) == ("main", state, since)


def test_another_workflow_that_is_green_does_not_hide_a_red_one() -> None:
    lint = a_run("success", -5, path=".github/workflows/lint.yml")
    assert branch_state("main", [a_run("failure", -10), lint]).state == "red"


def test_a_run_lasts_from_its_start_to_its_end_and_has_no_duration_before() -> None:
    ended = run(a_run("success", -10, run_started_at=at(-9)))
    assert ended.duration_seconds == 60
    assert run(a_run(None, -10)).duration_seconds is None
    assert run(a_run("success", -10, run_started_at=at(99))).duration_seconds == 0
    assert run(a_run("success", 0, name=None)).workflow == "ci.yml"


def test_the_last_merged_pull_request_is_the_one_merged_last_not_the_one_updated_last() -> None:
    def pull(number: int, merged: datetime | None) -> PullRequest:
        ref = {"ref": "main", "sha": "abc"}
        raw = {"number": number, "title": "t", "html_url": "u", "state": "closed", "head": ref, "base": ref}
        times = {"created_at": NOW, "updated_at": NOW, "merged_at": merged, "merge_commit_sha": "def"}
        return msgspec.convert({**raw, **times}, PullRequest)

    merged = last_merged([pull(3, None), pull(1, at(-5)), pull(2, at(-1))])
    assert merged is not None
    assert (merged.number, merged.revision) == (2, "def")
    assert last_merged([pull(3, None)]) is None


def test_the_newest_release_is_neither_draft_nor_prerelease() -> None:
    def release(tag: str, minutes: float, **said: Any) -> Release:
        return Release(tag_name=tag, html_url="u", published_at=at(minutes), **said)

    newest = newest_release(
        [release("v1", -9), release("v2", -5), release("v3", -1, prerelease=True), release("v4", 0, draft=True)]
    )
    assert newest is not None
    assert newest.tag == "v2"
    assert newest_release([]) is None


def test_pull_requests_are_taken_off_the_open_issues() -> None:
    gathered = NOTHING._replace(repository=a_repository(137), open_prs=37)
    assert summarise("acme/rocket", gathered, workflow=None, remaining=1, now=NOW).open_issues == 100


def test_more_bugs_than_are_listed_are_counted_and_pull_requests_are_none_of_them() -> None:
    gathered = NOTHING._replace(bugs=[issue(n) for n in range(250)] + [issue(999, pull=True)])
    told = summarise("acme/rocket", gathered, workflow=None, remaining=None, now=NOW)
    assert (told.open_bugs, len(told.bugs)) == (250, 100)


def test_what_could_not_be_had_is_null_and_named() -> None:
    gathered = NOTHING._replace(partial=[Part(part="runs", reason="GitHub answered 500")], repository=a_repository(5))
    told = summarise("acme/rocket", gathered, workflow=None, remaining=None, now=NOW)
    assert [part.part for part in told.partial] == ["runs"]
    assert (told.open_issues, told.open_prs, told.open_bugs, told.default_branch) == (None, None, None, None)
    assert (told.fetched_at, told.age_seconds, told.success_rate_pct) == (None, None, None)


def test_the_names_of_the_predecessor_repeat_the_new_ones() -> None:
    release = Release(tag_name="v9", html_url="u", published_at=NOW)
    gathered = NOTHING._replace(runs=[a_run("success", -1), a_run("failure", -2)], releases=[release])
    told = summarise("acme/rocket", gathered, workflow=None, remaining=None, now=NOW)
    assert told.wgmesh_version == "v9"
    assert told.recent_workflow_runs == told.runs
    assert told.goose_success_rate_pct == told.success_rate_pct == 50.0


def test_runs_are_told_newest_first() -> None:
    gathered = NOTHING._replace(runs=[a_run("success", -5, id=1), a_run("success", -1, id=2)])
    assert [one.id for one in summarise("r", gathered, workflow=None, remaining=None, now=NOW).runs] == [2, 1]
