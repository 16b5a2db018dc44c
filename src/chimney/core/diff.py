"""What lies between two revisions: commits, pull requests, files, authors. Pull requests are read from the messages
that GitHub writes when it merges them, so they cost no request.
"""

import re

from chimney.wire.deployment import PullRequestRef
from chimney.wire.diff import DiffCommit, DiffFile
from chimney.wire.github_compare import ComparedCommit, ComparedFile, Comparison

MOST_FILES = 300  # that GitHub names
LONGEST_TITLE = 500
REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # a revision or a tag; `..` would be a range of its own
_SQUASHED = re.compile(r"(?P<title>.+?) \(#(?P<number>[0-9]{1,9})\)")
_MERGED = re.compile(r"Merge pull request #(?P<number>[0-9]{1,9}) from .+")


def is_revision(text: str) -> bool:
    return REVISION.fullmatch(text) is not None and ".." not in text


def pull_request_of(message: str, repo: str) -> PullRequestRef | None:
    """The pull request that a commit's message says it merged; None when it says none."""
    first, _, rest = message.partition("\n")
    merged, squashed = _MERGED.fullmatch(first.strip()), _SQUASHED.fullmatch(first.strip())
    if merged:
        number, title = int(merged["number"]), rest.strip().partition("\n")[0]
    elif squashed:
        number, title = int(squashed["number"]), squashed["title"]
    else:
        return None
    url = f"https://github.com/{repo}/pull/{number}"
    return PullRequestRef(number=number, title=title[:LONGEST_TITLE] or None, url=url)


def commit_of(compared: ComparedCommit, repo: str) -> DiffCommit:
    detail = compared.commit
    name = detail.author.name if detail.author else None
    signature = detail.committer or detail.author
    return DiffCommit(
        revision=compared.sha,
        title=detail.message.partition("\n")[0][:LONGEST_TITLE],
        author=compared.author.login if compared.author else name,
        at=signature.date if signature else None,
        url=compared.html_url,
        pr=pull_request_of(detail.message, repo),
    )


def file_of(compared: ComparedFile) -> DiffFile:
    return DiffFile(
        path=compared.filename,
        status=compared.status,
        additions=compared.additions,
        deletions=compared.deletions,
        previous_path=compared.previous_filename,
    )


def pull_requests(newest_first: list[DiffCommit]) -> list[PullRequestRef]:
    """Each once, in the order of the commits."""
    return list({one.pr.number: one.pr for one in newest_first if one.pr}.values())


def authors(newest_first: list[DiffCommit]) -> list[str]:
    return sorted({one.author for one in newest_first if one.author}, key=str.lower)


def is_truncated(comparison: Comparison) -> bool:
    return comparison.total_commits > len(comparison.commits) or len(comparison.files) >= MOST_FILES


def contains(comparison: Comparison) -> bool:
    """Whether the head has the base in its history."""
    return comparison.status in ("ahead", "identical")
