"""The pipeline summary, from GitHub's answers."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from chimney.wire.github import Issue, PullRequest, Release, Repository, WorkflowRun
from chimney.wire.pipeline import (
    Bug,
    DefaultBranch,
    MergedPullRequest,
    OpenPullRequest,
    Part,
    PipelineSummary,
    ReleaseSummary,
    Run,
)

_BAD = frozenset(("failure", "timed_out", "startup_failure"))
_JUDGED = _BAD | {"success"}
_LAST_PAGE = re.compile(r'<[^>]*[?&]page=(\d+)[^>]*>; rel="last"')


class Gathered(NamedTuple):
    """What could be had; None where it could not, with the reason in `partial`."""

    repository: Repository | None
    open_prs: int | None
    bugs: list[Issue] | None
    closed: list[PullRequest] | None
    runs: list[WorkflowRun] | None
    releases: list[Release] | None
    partial: list[Part]
    validated_at: datetime | None


def last_page(link: str | None) -> int | None:
    """The number of the last page by the Link header; None when it names none (a single page, or it is omitted)."""
    match = _LAST_PAGE.search(link or "")
    return int(match[1]) if match else None


def run(found: WorkflowRun) -> Run:
    started = found.run_started_at or found.created_at
    ended = found.status == "completed"
    return Run(
        id=found.id,
        workflow=found.name or found.path.rpartition("/")[2],
        status=found.status,
        conclusion=found.conclusion,
        branch=found.head_branch,
        event=found.event,
        revision=found.head_sha,
        started_at=started,
        duration_seconds=max(0.0, (found.updated_at - started).total_seconds()) if ended else None,
        url=found.html_url,
        title=found.display_title,
        actor=found.actor.login if found.actor else None,
        attempt=found.run_attempt,
    )


def success_rate(runs: Sequence[WorkflowRun], workflow: str | None) -> float | None:
    """Successful share of the runs that were judged, in per cent; None when there are none.

    Cancelled runs do not count. `workflow` is a name or a file (`ci.yml`); None takes all.
    """
    judged = [
        one
        for one in runs
        if one.conclusion in _JUDGED and (workflow is None or workflow in (one.name, one.path.rpartition("/")[2]))
    ]
    good = sum(one.conclusion == "success" for one in judged)
    return round(100 * good / len(judged), 1) if judged else None


def branch_state(name: str, runs: Sequence[WorkflowRun]) -> DefaultBranch:
    """Red when the newest judged run of any workflow on the branch failed; `since` is when the state began.

    Runs may come in any order. The beginning is the end of the run that turned it: the first bad one of the trouble
    that still lasts, or the good one that ended the last trouble, as far back as the runs reach.
    """
    on_branch = sorted((one for one in runs if one.head_branch == name), key=lambda one: one.created_at)
    standing: dict[str, bool] = {}
    state, since = "unknown", None
    for one in on_branch:
        if one.conclusion not in _JUDGED:
            continue
        standing[one.path] = one.conclusion == "success"
        now = "green" if all(standing.values()) else "red"
        if now != state:
            state, since = now, one.updated_at
    if state == "unknown" and on_branch:
        return DefaultBranch(name=name, state="running", since=on_branch[0].created_at)
    return DefaultBranch(name=name, state=state, since=since)


def merged(closed: Sequence[PullRequest]) -> list[MergedPullRequest]:
    """Those of them that were merged."""
    return [
        MergedPullRequest(
            number=one.number,
            title=one.title,
            revision=one.merge_commit_sha,
            merged_at=one.merged_at,
            url=one.html_url,
        )
        for one in closed
        if one.merged_at
    ]


def last_merged(closed: Sequence[PullRequest]) -> MergedPullRequest | None:
    return max(merged(closed), key=lambda one: one.merged_at, default=None)


def open_pull(one: PullRequest) -> OpenPullRequest:
    return OpenPullRequest(
        number=one.number,
        title=one.title,
        url=one.html_url,
        author=one.user.login if one.user else None,
        draft=one.draft,
        branch=one.head.ref,
        revision=one.head.sha,
        created_at=one.created_at,
        updated_at=one.updated_at,
    )


def release_summary(one: Release) -> ReleaseSummary:
    return ReleaseSummary(tag=one.tag_name, published_at=one.published_at, url=one.html_url)


def newest_release(releases: Sequence[Release]) -> ReleaseSummary | None:
    """The newest that is neither draft nor pre-release; None when there is none."""
    done = [one for one in releases if not one.draft and not one.prerelease and one.published_at]
    if not done:
        return None
    newest = max(done, key=lambda one: one.published_at.timestamp() if one.published_at else 0)
    return release_summary(newest)


def _bug(issue: Issue) -> Bug:
    return Bug(number=issue.number, title=issue.title, url=issue.html_url, created_at=issue.created_at)


def summarise(
    repo: str, gathered: Gathered, *, workflow: str | None, remaining: int | None, now: datetime
) -> PipelineSummary:
    """GitHub counts pull requests among a repository's open issues, so they are taken off again."""
    repository, open_prs = gathered.repository, gathered.open_prs
    both = repository is not None and open_prs is not None
    bugs = [_bug(one) for one in gathered.bugs or [] if one.pull_request is None]
    runs = sorted(gathered.runs or [], key=lambda one: one.created_at, reverse=True)
    told = [run(one) for one in runs[:30]]
    rate = success_rate(runs, workflow)
    release = newest_release(gathered.releases or [])
    branch = None
    if repository and gathered.runs is not None:
        branch = branch_state(repository.default_branch, gathered.runs)
    return PipelineSummary(
        repo=repo,
        open_issues=max(0, repository.open_issues_count - open_prs)
        if both and repository and open_prs is not None
        else None,
        open_prs=open_prs,
        open_bugs=len(bugs) if gathered.bugs is not None else None,
        bugs=bugs[:100],
        last_merged_pr=last_merged(gathered.closed or []),
        runs=told,
        success_rate_pct=rate,
        default_branch=branch,
        release=release,
        rate_limit_remaining=remaining,
        fetched_at=gathered.validated_at,
        age_seconds=round((now - gathered.validated_at).total_seconds(), 1) if gathered.validated_at else None,
        partial=gathered.partial,
        wgmesh_version=release.tag if release else None,
        recent_workflow_runs=told,
        goose_success_rate_pct=rate,
    )
