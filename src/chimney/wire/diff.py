"""What lies between two revisions, as GitHub compares them."""

from chimney.wire.base import Message, Timestamp
from chimney.wire.deployment import PullRequestRef


class DiffCommit(Message, frozen=True, kw_only=True):
    """`author` is the login, or the name in the commit where GitHub knows no user."""

    revision: str
    title: str
    author: str | None
    at: Timestamp | None
    url: str | None
    pr: PullRequestRef | None


class DiffFile(Message, frozen=True, kw_only=True):
    path: str
    status: str
    additions: int
    deletions: int
    previous_path: str | None = None


class Diff(Message, frozen=True, kw_only=True):
    """From `base` to `head`, newest commit first. `status` is `ahead`, `behind`, `diverged` or `identical`.

    `truncated`: GitHub names at most 250 commits and 300 files, and there are more.
    """

    repo: str
    base: str
    head: str
    status: str
    ahead_by: int
    behind_by: int
    commits: list[DiffCommit]
    pull_requests: list[PullRequestRef]
    files: list[DiffFile]
    authors: list[str]
    truncated: bool
    compare_url: str
    fetched_at: Timestamp
    age_seconds: float
