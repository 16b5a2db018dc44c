"""Pull requests, issues, labels, milestones."""

from datetime import UTC, datetime

from chimney.standin.answers import NEW_VERSION, Answer, Ask, found, missing
from chimney.standin.bodies.base import Body, label_body, milestone_body
from chimney.standin.bodies.code import commit_body, file_bodies
from chimney.standin.bodies.threads import issue_body, pull_body, pull_detail
from chimney.standin.endpoints.paging import paged
from chimney.standin.model import Issue, Pull
from chimney.standin.repository import MAIN, RefusedError
from chimney.standin.vocabulary import LABELS


def pulls(ask: Ask) -> Answer:
    query = ask.query
    head = query.get("head", "").rpartition(":")[2]
    base = query.get("base", MAIN)
    chosen: list[Issue] = [
        thread
        for thread in _in_state(ask)
        if isinstance(thread, Pull) and base == MAIN and (not head or thread.head_ref == head)
    ]
    _sort(ask, chosen, newest_first=query.get("sort", "created") == "created")
    return paged(ask, chosen, lambda pull: _versioned(ask, pull_body(ask.view, _pull(pull))))


def _pull(thread: Issue) -> Pull:
    if not isinstance(thread, Pull):
        raise missing()
    return thread


def _in_state(ask: Ask) -> list[Issue]:
    state = ask.query.get("state", "open")
    return [thread for thread in ask.repo.threads.values() if state in (thread.state, "all")]


def _sort(ask: Ask, threads: list[Issue], *, newest_first: bool = True) -> None:
    direction = ask.query.get("direction", "desc" if newest_first else "asc")
    by = ask.query.get("sort", "created")
    keys = {"updated": lambda one: (one.updated_at, one.number), "comments": lambda one: (one.comments, one.number)}
    threads.sort(key=keys.get(by, lambda one: (one.created_at, one.number)), reverse=direction == "desc")


def _versioned(ask: Ask, body: Body) -> Body:
    """Version 2026-03-10 took these away."""
    if ask.version == NEW_VERSION:
        body.pop("merge_commit_sha", None)
        body.pop("assignee", None)
    return body


def _one_pull(ask: Ask) -> Pull:
    return _pull(_thread(ask))


def _thread(ask: Ask) -> Issue:
    thread = ask.repo.threads.get(ask.number("number"))
    if thread is None:
        raise missing()
    return thread


def pull(ask: Ask) -> Answer:
    return found(_versioned(ask, pull_detail(ask.view, _one_pull(ask))))


def pull_files(ask: Ask) -> Answer:
    return paged(ask, file_bodies(ask.view, _one_pull(ask).commits), lambda body: body)


def pull_commits(ask: Ask) -> Answer:
    shas = [sha for sha in _one_pull(ask).commits if sha in ask.repo.commits]
    return paged(ask, shas, lambda sha: commit_body(ask.view, ask.repo.commits[sha]))


def no_reviews(ask: Ask) -> Answer:
    """Nobody reviews or comments in writing here; an unknown number is still a 404."""
    _thread(ask)
    return found([])


def issues(ask: Ask) -> Answer:
    """Pull requests too, as GitHub has it."""
    chosen = [thread for thread in _in_state(ask) if _wanted(ask, thread)]
    _sort(ask, chosen)
    return paged(ask, chosen, lambda thread: _versioned(ask, issue_body(ask.view, thread)))


def _wanted(ask: Ask, thread: Issue) -> bool:
    query = ask.query
    names = {label.name.lower() for label in thread.labels}
    wanted = {name.strip().lower() for name in query.get("labels", "").split(",") if name.strip()}
    creator, assignee = query.get("creator"), query.get("assignee", "*any")
    logins = {user.login for user in thread.assignees}
    return (
        wanted <= names
        and thread.updated_at >= _since(ask)
        and (creator is None or creator.lower() == thread.user.login.lower())
        and (assignee in {"*any", *logins} or (assignee == "none" and not logins) or (assignee == "*" and bool(logins)))
        and _in_milestone(query.get("milestone"), thread)
    )


def _since(ask: Ask) -> float:
    text = ask.query.get("since")
    if not text:
        return 0.0
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(f"since: {text!r} is not a timestamp") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _in_milestone(wanted: str | None, thread: Issue) -> bool:
    number = thread.milestone.number if thread.milestone else None
    if wanted in {None, ""}:
        return True
    if wanted in {"none", "*"}:
        return (number is None) == (wanted == "none")
    return str(number) == wanted


def issue(ask: Ask) -> Answer:
    return found(_versioned(ask, issue_body(ask.view, _thread(ask))))


def issue_labels(ask: Ask) -> Answer:
    return paged(ask, _thread(ask).labels, lambda label: label_body(ask.view, label))


def labels(ask: Ask) -> Answer:
    return paged(ask, LABELS, lambda label: label_body(ask.view, label))


def label(ask: Ask) -> Answer:
    for one in LABELS:
        if one.name == ask.args["name"]:
            return found(label_body(ask.view, one))
    raise missing()


def milestones(ask: Ask) -> Answer:
    state = ask.query.get("state", "open")
    chosen = [
        one
        for one in ask.repo.milestones.values()
        if state == "all" or (state == "closed") == (one.closed_at is not None)
    ]
    return paged(ask, chosen, lambda one: milestone_body(ask.view, one))


def milestone(ask: Ask) -> Answer:
    one = ask.repo.milestones.get(ask.number("number"))
    if one is None:
        raise missing()
    return found(milestone_body(ask.view, one))
