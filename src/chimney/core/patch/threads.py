"""What pull requests and issues change. GitHub lists pull requests among the issues too, in another shape."""

from chimney.core.delivery import Body, Delivery, count, text, thread_version
from chimney.core.patch.held import KEEP, UNSURE, Held, Verdict, patch
from chimney.core.patch.lists import Change, Key, settle_list

# What only a pull request asked for by itself has
_DETAIL = frozenset((
    "merged", "mergeable", "rebaseable", "mergeable_state", "merged_by", "comments", "review_comments",
    "maintainer_can_modify", "commits", "additions", "deletions", "changed_files",
))  # fmt: skip
# What a pull request has in common with the issue of its number
_SHARED = (
    "title", "state", "body", "labels", "assignee", "assignees", "milestone", "locked", "active_lock_reason", "draft",
    "updated_at", "closed_at", "author_association",
)  # fmt: skip
_GONE = frozenset(("deleted", "transferred"))


def pull_listed(delivery: Delivery, held: Held) -> Verdict:
    pull = delivery.about("pull_request")
    item = {name: value for name, value in pull.items() if name not in _DETAIL}
    default = "desc" if held.query.get("sort", "created") == "created" else "asc"
    return settle_list(Change(
        is_it=lambda one: one.get("number") == pull.get("number"),
        thing=pull, body=item, at=text(pull, "updated_at"),
        belongs=_in_state(pull, held) and _between(pull, held.query),
        key=_sorting(held, "created", "updated"), descending=held.query.get("direction", default) == "desc",
        merge=lambda one: _newer(delivery, pull, one, item),
    ), held)  # fmt: skip


def _in_state(thread: Body, held: Held) -> bool:
    return held.query.get("state", "open") in (thread.get("state"), "all")


def _between(pull: Body, query: dict[str, str]) -> bool:
    """By the filters `head` (user:branch) and `base` (branch)."""
    return query.get("head") in (None, text(_end(pull, "head"), "label")) and query.get("base") in (
        None,
        text(_end(pull, "base"), "ref"),
    )


def _end(pull: Body, name: str) -> Body:
    end = pull.get(name)
    return end if isinstance(end, dict) else {}


def _sorting(held: Held, *known: str) -> Key | None:
    by = held.query.get("sort", "created")
    if by not in known:
        return None
    return lambda one: (text(one, f"{by}_at"), count(one, "number"))


def _newer(delivery: Delivery, thread: Body, held: Body, said: Body) -> Body | None:
    """`held` with what is said of it; None when it is newer already."""
    if thread_version(thread, delivery.action) < thread_version(held):
        return None
    merged = {**held, **said}
    if thread.get("merged_at") and "merge_commit_sha" not in thread:
        merged.pop("merge_commit_sha", None)  # what was held is that of a trial merge
    return merged


def pull_itself(delivery: Delivery, held: Held) -> Verdict:
    pull = delivery.about("pull_request")
    if held.segments[1] != str(pull.get("number")) or not isinstance(held.body, dict):
        return KEEP
    merged = _newer(delivery, pull, held.body, pull)
    return KEEP if merged is None else patch(merged)


def of_pull(delivery: Delivery, held: Held) -> Verdict:
    """Its commits, files and reviews."""
    pull = delivery.about("pull_request")
    pushed = delivery.action in ("synchronize", "edited", "submitted", "dismissed")
    return UNSURE if pushed and held.segments[1] == str(pull.get("number")) else KEEP


def pull_among_issues(delivery: Delivery, held: Held) -> Verdict:
    """Changed and taken out as well as an issue; it cannot be put in, because its id as an issue is not said."""
    pull = delivery.about("pull_request")
    return settle_list(_issue_change(delivery, pull, None, held), held)


def pull_as_issue(delivery: Delivery, held: Held) -> Verdict:
    pull = delivery.about("pull_request")
    if held.segments[1] != str(pull.get("number")) or not isinstance(held.body, dict):
        return KEEP
    merged = _newer(delivery, pull, held.body, _as_issue(pull, held.body))
    return KEEP if merged is None else patch(merged)


def _as_issue(pull: Body, issue: Body) -> Body:
    said = {name: pull[name] for name in _SHARED if name in pull and name in issue}
    link = issue.get("pull_request")
    if isinstance(link, dict):
        said["pull_request"] = {**link, "merged_at": pull.get("merged_at")}
    return said


def issue_listed(delivery: Delivery, held: Held) -> Verdict:
    issue = delivery.about("issue")
    return settle_list(_issue_change(delivery, issue, issue, held), held)


def _issue_change(delivery: Delivery, thread: Body, body: Body | None, held: Held) -> Change:
    selected = _selected(thread, held.query)
    gone = delivery.event == "issues" and delivery.action in _GONE
    return Change(
        is_it=lambda one: one.get("number") == thread.get("number"),
        thing=thread,
        body=body if selected is not None else None,
        belongs=not gone and _in_state(thread, held) and selected is not False,
        at=text(thread, "updated_at"),
        key=_sorting(held, "created", "updated"),
        descending=held.query.get("direction", "desc") == "desc",
        merge=lambda one: _newer(delivery, thread, one, body if body is not None else _as_issue(thread, one)),
    )


def _selected(thread: Body, query: dict[str, str]) -> bool | None:
    """Whether it is in a listing with these filters; None when it cannot be told."""
    if "mentioned" in query or "since" in query:
        return None
    labels = {text(label, "name").lower() for label in thread.get("labels") or [] if isinstance(label, dict)}
    wanted = {name.strip().lower() for name in query.get("labels", "").split(",") if name.strip()}
    user, milestone = thread.get("user"), thread.get("milestone")
    creator = text(user, "login").lower() if isinstance(user, dict) else ""
    number = str(milestone.get("number")) if isinstance(milestone, dict) else "none"
    return (
        wanted <= labels
        and query.get("creator", creator).lower() == creator
        and _assigned(thread, query.get("assignee"))
        and query.get("milestone", number) in (number, *(["*"] if number != "none" else []))
    )


def _assigned(thread: Body, wanted: str | None) -> bool:
    logins = {text(one, "login").lower() for one in thread.get("assignees") or [] if isinstance(one, dict)}
    if wanted in (None, "*", "none"):
        return wanted is None or (wanted == "*") == bool(logins)
    return wanted.lower() in logins


def issue_itself(delivery: Delivery, held: Held) -> Verdict:
    issue = delivery.about("issue")
    if held.segments[1] != str(issue.get("number")) or not isinstance(held.body, dict):
        return KEEP
    if delivery.event == "issues" and delivery.action in _GONE:
        return UNSURE
    merged = _newer(delivery, issue, held.body, issue)
    return KEEP if merged is None else patch(merged)


def issue_labels(delivery: Delivery, held: Held) -> Verdict:
    thread = delivery.about("issue") or delivery.about("pull_request")
    labels = thread.get("labels")
    if held.segments[1] != str(thread.get("number")) or delivery.action not in ("labeled", "unlabeled"):
        return KEEP
    whole = isinstance(labels, list) and held.page == 1 and len(labels) <= held.per_page
    return patch(labels) if whole else UNSURE


def issue_comments(delivery: Delivery, held: Held) -> Verdict:
    return UNSURE if held.segments[1] == str(delivery.about("issue").get("number")) else KEEP
