"""The pipeline summary: what a team wants to know of its repository at a glance."""

from chimney.wire.base import Message, Timestamp


class Bug(Message, frozen=True, kw_only=True):
    number: int
    title: str
    url: str
    created_at: Timestamp


class MergedPullRequest(Message, frozen=True, kw_only=True):
    number: int
    title: str
    revision: str | None
    merged_at: Timestamp
    url: str


class OpenPullRequest(Message, frozen=True, kw_only=True):
    """`revision` is its newest commit, whose checks say how it is."""

    number: int
    title: str
    url: str
    author: str | None
    draft: bool
    branch: str
    revision: str
    created_at: Timestamp
    updated_at: Timestamp


class Run(Message, frozen=True, kw_only=True):
    """One workflow run. `duration_seconds` is None until it has ended."""

    id: int
    workflow: str
    status: str
    conclusion: str | None
    branch: str | None
    event: str
    revision: str
    started_at: Timestamp
    duration_seconds: float | None
    url: str
    title: str = ""
    actor: str | None = None
    attempt: int = 1


class DefaultBranch(Message, frozen=True, kw_only=True):
    """`state` is green, red, running (nothing has ended yet) or unknown (no run); `since` is when it turned so."""

    name: str
    state: str
    since: Timestamp | None


class ReleaseSummary(Message, frozen=True, kw_only=True):
    tag: str
    published_at: Timestamp | None
    url: str | None = None


class Part(Message, frozen=True, kw_only=True):
    """A part of the summary that could not be had, and why."""

    part: str
    reason: str


class PipelineSummary(Message, frozen=True, kw_only=True):
    """Counts are right beyond 100 items; what could not be had is None and named in `partial`.

    `wgmesh_version`, `recent_workflow_runs` and `goose_success_rate_pct` repeat `release`, `runs` and
    `success_rate_pct` under the names of the predecessor, for dashboards written for it.
    """

    repo: str
    open_issues: int | None
    open_prs: int | None
    open_bugs: int | None
    bugs: list[Bug]
    last_merged_pr: MergedPullRequest | None
    runs: list[Run]
    success_rate_pct: float | None
    default_branch: DefaultBranch | None
    release: ReleaseSummary | None
    rate_limit_remaining: int | None
    fetched_at: Timestamp | None
    age_seconds: float | None
    partial: list[Part]
    wgmesh_version: str | None = None
    recent_workflow_runs: list[Run] = []
    goose_success_rate_pct: float | None = None


class OrganisationRepository(Message, frozen=True, kw_only=True):
    full_name: str
    name: str
    description: str | None
    language: str | None
    open_issues_count: int
    updated_at: Timestamp | None
    html_url: str


class OrganisationRepositories(Message, frozen=True, kw_only=True):
    """`mode` is org when an organisation is discovered, single-repo when repositories are named."""

    org: str
    mode: str
    repos: list[OrganisationRepository]


class RepositorySummary(Message, frozen=True, kw_only=True):
    repo: str
    open_issues: int | None
    open_prs: int | None
    url: str | None
    default_branch: str | None
    description: str | None = None
    error: str | None = None


class JobLogText(Message, frozen=True, kw_only=True):
    """The end of a job's log; `cut` says that there is more before."""

    job: int
    repo: str
    lines: list[str]
    cut: bool
