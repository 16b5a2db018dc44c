"""GitHub's comparison of two revisions: the parts that we read."""

from chimney.wire.base import Message, Timestamp
from chimney.wire.github import User


class Signature(Message, frozen=True, kw_only=True):
    name: str | None = None
    date: Timestamp | None = None


class ComparedDetail(Message, frozen=True, kw_only=True):
    message: str = ""
    author: Signature | None = None
    committer: Signature | None = None


class ComparedCommit(Message, frozen=True, kw_only=True):
    sha: str
    commit: ComparedDetail
    html_url: str | None = None
    author: User | None = None


class ComparedFile(Message, frozen=True, kw_only=True):
    filename: str
    status: str = "modified"
    additions: int = 0
    deletions: int = 0
    previous_filename: str | None = None


class Comparison(Message, frozen=True, kw_only=True):
    status: str
    ahead_by: int
    behind_by: int
    total_commits: int
    commits: list[ComparedCommit]
    files: list[ComparedFile] = []
