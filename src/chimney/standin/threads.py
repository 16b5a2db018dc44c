"""What can happen to pull requests, issues and branches. Every function tells the repository's listeners."""

from chimney.standin.model import Commit, Issue, Label, Proposal, Pull, Run, Trigger, User
from chimney.standin.repository import MAIN, RefusedError, Repository
from chimney.standin.runs import queue_run
from chimney.standin.vocabulary import CI

NOTHING = "0" * 40


def open_pull(repo: Repository, proposal: Proposal, *, at: float) -> Pull:
    """A branch off the default branch with one commit, the pull request, and CI for it."""
    branch, author = proposal.branch, proposal.author
    base = repo.branches[MAIN]
    number = repo.next_number()
    if branch in repo.branches:
        branch = f"{branch}-{number}"
    repo.branches[branch] = base
    commit = repo.add_commit(proposal.title, author=author, at=at, branch=branch, pull=number)
    repo.tell("push", None, None, at=at, sender=author, branch=branch, before=NOTHING, commits=[commit])
    pull = Pull(
        id=repo.next_id("pull"), number=number, title=proposal.title, body=proposal.body, user=author,
        created_at=at, updated_at=at, labels=proposal.labels, head_ref=branch, head_sha=commit.sha,
        base_sha=base, commits=[commit.sha], draft=proposal.draft, closes=proposal.closes,
    )  # fmt: skip
    repo.threads[number] = pull
    repo.tell("pull_request", "opened", pull, at=at, sender=author)
    check(repo, pull, actor=author, at=at)
    return pull


def check(repo: Repository, pull: Pull, *, actor: User, at: float) -> Run:
    trigger = Trigger(
        event="pull_request", branch=pull.head_ref, sha=pull.head_sha, title=pull.title, actor=actor,
        pulls=(pull.number,),
    )  # fmt: skip
    return queue_run(repo, CI, trigger, at=at)


def _check_main(repo: Repository, commit: Commit, *, actor: User, at: float) -> None:
    trigger = Trigger(event="push", branch=MAIN, sha=commit.sha, title=commit.title, actor=actor)
    queue_run(repo, CI, trigger, at=at)


def push(repo: Repository, *, branch: str, messages: list[str], author: User, at: float) -> list[Commit]:
    """Commits to a branch. CI runs when it is the default branch or that of an open pull request."""
    before = repo.branches.get(branch)
    if before is None:
        raise RefusedError(f"branch: {branch!r} does not exist")
    pull = next((one for one in repo.open_pulls if one.head_ref == branch), None)
    number = pull.number if pull else None
    commits = [repo.add_commit(text, author=author, at=at, branch=branch, pull=number) for text in messages]
    repo.tell("push", None, None, at=at, sender=author, branch=branch, before=before, commits=commits)
    if branch == MAIN:
        _check_main(repo, commits[-1], actor=author, at=at)
    if pull is not None:
        pull.commits.extend(commit.sha for commit in commits)
        pull.head_sha, pull.updated_at = commits[-1].sha, at
        repo.tell("pull_request", "synchronize", pull, at=at, sender=author, before=before)
        check(repo, pull, actor=author, at=at)
    return commits


def merge_pull(repo: Repository, pull: Pull, *, by: User, at: float) -> Commit:
    """Squashed onto the default branch; the branch goes, the issue it closes is closed, CI runs on the result."""
    if pull.state != "open":
        raise RefusedError(f"Pull request {pull.number} is not open", status=405)
    before = repo.branches[MAIN]
    message = f"{pull.title} (#{pull.number})"
    commit = repo.add_commit(message, author=pull.user, at=at, branch=MAIN, pull=pull.number)
    pull.merged_at, pull.merged_by, pull.merge_sha = at, by, commit.sha
    _close(pull, by=by, at=at)
    repo.tell("pull_request", "closed", pull, at=at, sender=by)
    repo.tell("push", None, None, at=at, sender=by, branch=MAIN, before=before, commits=[commit])
    _delete_branch(repo, pull, by=by, at=at)
    _check_main(repo, commit, actor=by, at=at)
    closed = repo.threads.get(pull.closes or 0)
    if closed is not None and closed.state == "open":
        close_issue(repo, closed, by=by, at=at)
    return commit


def close_pull(repo: Repository, pull: Pull, *, by: User, at: float) -> None:
    if pull.state != "open":
        raise RefusedError(f"Pull request {pull.number} is not open", status=405)
    _close(pull, by=by, at=at)
    repo.tell("pull_request", "closed", pull, at=at, sender=by)
    _delete_branch(repo, pull, by=by, at=at)


def _delete_branch(repo: Repository, pull: Pull, *, by: User, at: float) -> None:
    """As GitHub does when it is set to: told as a push after which nothing is there."""
    head = repo.branches.pop(pull.head_ref, None)
    if head is not None:
        repo.tell("push", None, None, at=at, sender=by, branch=pull.head_ref, before=head, commits=[])


def make_ready(repo: Repository, pull: Pull, *, at: float) -> None:
    pull.draft, pull.updated_at = False, at
    repo.tell("pull_request", "ready_for_review", pull, at=at, sender=pull.user)


def open_issue(repo: Repository, *, title: str, author: User, at: float, labels: list[Label], body: str = "") -> Issue:
    issue = Issue(
        id=repo.next_id("issue"), number=repo.next_number(), title=title, body=body, user=author,
        created_at=at, updated_at=at, labels=labels,
    )  # fmt: skip
    repo.threads[issue.number] = issue
    repo.tell("issues", "opened", issue, at=at, sender=author)
    for label in labels:
        repo.tell("issues", "labeled", issue, at=at, sender=author, label=label)
    return issue


def close_issue(repo: Repository, issue: Issue, *, by: User, at: float) -> None:
    if issue.state != "open":
        raise RefusedError(f"Issue {issue.number} is not open")
    _close(issue, by=by, at=at)
    repo.tell("issues", "closed", issue, at=at, sender=by)


def _close(thread: Issue, *, by: User, at: float) -> None:
    thread.state, thread.closed_at, thread.closed_by, thread.updated_at = "closed", at, by, at
