"""The parts of GitHub's answers that we read. Everything else passes through untouched as bytes."""

from msgspec import field

from chimney.wire.base import Message, Timestamp


class User(Message, frozen=True, kw_only=True):
    login: str


class Label(Message, frozen=True, kw_only=True):
    name: str


class Repository(Message, frozen=True, kw_only=True):
    full_name: str
    name: str
    html_url: str
    default_branch: str
    open_issues_count: int
    description: str | None = None
    language: str | None = None
    updated_at: Timestamp | None = None
    private: bool = False
    archived: bool = False


class Ref(Message, frozen=True, kw_only=True):
    ref: str
    sha: str


class PullRequest(Message, frozen=True, kw_only=True):
    number: int
    title: str
    html_url: str
    state: str
    created_at: Timestamp
    updated_at: Timestamp
    user: User | None = None
    head: Ref
    base: Ref
    merged_at: Timestamp | None = None
    merge_commit_sha: str | None = None
    draft: bool = False


class Issue(Message, frozen=True, kw_only=True):
    """`pull_request` is set when GitHub lists a pull request among the issues."""

    number: int
    title: str
    html_url: str
    state: str
    created_at: Timestamp
    labels: list[Label] = []
    pull_request: dict[str, object] | None = None


class WorkflowRun(Message, frozen=True, kw_only=True):
    id: int
    name: str | None
    path: str
    status: str
    conclusion: str | None
    head_branch: str | None
    head_sha: str
    event: str
    html_url: str
    created_at: Timestamp
    updated_at: Timestamp
    run_started_at: Timestamp | None = None
    run_attempt: int = 1
    run_number: int = 0
    display_title: str = ""
    actor: User | None = None


class WorkflowRuns(Message, frozen=True, kw_only=True):
    total_count: int
    workflow_runs: list[WorkflowRun]


class Release(Message, frozen=True, kw_only=True):
    tag_name: str
    html_url: str
    name: str | None = None
    draft: bool = False
    prerelease: bool = False
    published_at: Timestamp | None = None


class CommitDetail(Message, frozen=True, kw_only=True):
    message: str


class Commit(Message, frozen=True, kw_only=True):
    sha: str
    html_url: str
    detail: CommitDetail = field(name="commit")
