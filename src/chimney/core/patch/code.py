"""What pushes, releases, deployments and changes of the repository itself change."""

from typing import Any

from chimney.core.delivery import Body, Delivery, count, dated_version, text
from chimney.core.patch.held import KEEP, OLD, UNSURE, Held, Verdict, patch
from chimney.core.patch.lists import Change, settle_list

BRANCH, TAG = "refs/heads/", "refs/tags/"
# Of the repository, in every payload; a push has some of its times as numbers, which are left out
_COUNTED = (
    "open_issues_count", "open_issues", "pushed_at", "updated_at", "stargazers_count", "watchers_count", "watchers",
    "forks_count", "forks", "default_branch", "description", "homepage", "language", "archived", "topics", "size",
)  # fmt: skip


def repository_itself(delivery: Delivery, held: Held) -> Verdict:
    if not isinstance(held.body, dict):
        return UNSURE
    merged = _counted(delivery, held.body)
    return KEEP if merged == held.body else patch(merged)


def _counted(delivery: Delivery, held: Body) -> Body:
    """The repository with what this delivery says of it; the same when it is another one, or newer already."""
    said = delivery.about("repository")
    older = text(said, "updated_at") < text(held, "updated_at")
    if not delivery.is_latest or older or said.get("id") != held.get("id"):
        return held
    news = {name: said[name] for name in _COUNTED if name in held and name in said and _alike(said[name], held[name])}
    return {**held, **news}


def _alike(new: Any, old: Any) -> bool:
    return old is None or new is None or type(new) is type(old)


def repository_listed(delivery: Delivery, held: Held) -> Verdict:
    """In the listing of an organisation's repositories; their order is left as it is."""
    if not isinstance(held.body, list):
        return UNSURE
    merged = [_counted(delivery, one) for one in held.body]
    return KEEP if merged == held.body else patch(merged)


def repository_within(delivery: Delivery, held: Held) -> Verdict:
    """Each pull request has its repository inside, with its counts: any change of those is one of the listing."""
    if isinstance(held.body, dict):
        merged: Any = _around(delivery, held.body)
    else:
        merged = [_around(delivery, one) for one in held.body]
    return KEEP if merged == held.body else patch(merged)


def _around(delivery: Delivery, pull: Body) -> Body:
    ends = {}
    for name in ("head", "base"):
        end = pull.get(name)
        if isinstance(end, dict) and isinstance(end.get("repo"), dict):
            ends[name] = {**end, "repo": _counted(delivery, end["repo"])}
    return {**pull, **ends}


def _branch(delivery: Delivery) -> str | None:
    ref = text(delivery.payload, "ref")
    return ref.removeprefix(BRANCH) if ref.startswith(BRANCH) else None


def _default_branch(delivery: Delivery) -> str:
    return text(delivery.about("repository"), "default_branch")


def commits_listed(delivery: Delivery, held: Held) -> Verdict:
    branch, after = _branch(delivery), text(delivery.payload, "after")
    asked = held.query.get("sha") or _default_branch(delivery)
    if branch is None or asked.removeprefix(BRANCH).removeprefix("heads/") != branch:
        return KEEP
    if not isinstance(held.body, list) or held.page > 1 or {"path", "author", "committer", "until"} & held.query.keys():
        return UNSURE
    return KEEP if any(isinstance(one, dict) and one.get("sha") == after for one in held.body) else OLD


def commit_itself(delivery: Delivery, held: Held) -> Verdict:
    """`commits/{ref}` and what is below it, when the ref is the branch."""
    asked = held.below.removeprefix("commits/").replace("%2F", "/")
    branch = _branch(delivery)
    if branch is None or not (asked == branch or asked.startswith(branch + "/")):
        return KEEP
    same = isinstance(held.body, dict) and held.body.get("sha") == text(delivery.payload, "after")
    return KEEP if same else OLD


def compared(delivery: Delivery, held: Held) -> Verdict:
    branch = _branch(delivery)
    ends = held.below.removeprefix("compare/").replace("%2F", "/").split("...")
    return UNSURE if branch is not None and branch in ends else KEEP


def branches_listed(delivery: Delivery, held: Held) -> Verdict:
    """A push moves a branch that is listed, or deletes it; a new one may be protected, so it cannot be written down."""
    branch, payload = _branch(delivery), delivery.payload
    if branch is None or not isinstance(held.body, list):
        return KEEP
    place = next((place for place, one in enumerate(held.body) if one.get("name") == branch), None)
    if place is None:
        new = not payload.get("deleted") and held.page == 1 and not held.more
        return OLD if new and "protected" not in held.query else KEEP
    if not payload.get("deleted"):
        return _moved(held.body, place, payload)
    others = [*held.body[:place], *held.body[place + 1 :]]
    return patch(others, look=held.more) if held.page == 1 else UNSURE


def _moved(branches: list[Body], place: int, payload: Body) -> Verdict:
    """Pushes may come in any order: only the one that follows what is held is believed."""
    commit = branches[place].get("commit")
    before, after = text(payload, "before"), text(payload, "after")
    if not isinstance(commit, dict) or commit.get("sha") not in (before, after):
        return UNSURE
    if commit["sha"] == after:
        return KEEP
    moved = {**branches[place], "commit": {**commit, "sha": after, "url": text(commit, "url").replace(before, after)}}
    return patch([*branches[:place], moved, *branches[place + 1 :]])


def branch_itself(delivery: Delivery, held: Held) -> Verdict:
    branch, commit = _branch(delivery), held.body.get("commit") if isinstance(held.body, dict) else None
    if branch is None or held.below.removeprefix("branches/").replace("%2F", "/") != branch:
        return KEEP
    known = isinstance(commit, dict) and commit.get("sha") == text(delivery.payload, "after")
    return KEEP if known else OLD


def tags_listed(delivery: Delivery, _held: Held) -> Verdict:
    is_tag = text(delivery.payload, "ref").startswith(TAG) or delivery.payload.get("ref_type") == "tag"
    return UNSURE if is_tag or delivery.event == "release" else KEEP


def branches_changed(delivery: Delivery, held: Held) -> Verdict:
    """`create` and `delete` come beside a push, which says more, but is not sent when many refs change at once."""
    name = text(delivery.payload, "ref")
    if delivery.payload.get("ref_type") != "branch" or not isinstance(held.body, list):
        return KEEP
    listed = any(one.get("name") == name for one in held.body)
    return UNSURE if listed == (delivery.event == "delete") else KEEP


def release_listed(delivery: Delivery, held: Held) -> Verdict:
    release = delivery.about("release")
    gone = delivery.action in ("deleted", "unpublished")
    return settle_list(Change(
        is_it=lambda one: one.get("id") == release.get("id"),
        thing=release, body=release, belongs=not gone, at="~",
        key=lambda one: (text(one, "created_at"), count(one, "id")),
        merge=lambda one: {**one, **release} if dated_version(release, delivery.action) >= dated_version(one) else None,
    ), held)  # fmt: skip


def release_itself(delivery: Delivery, held: Held) -> Verdict:
    """By number, by tag, or the latest: which one that is, only GitHub knows."""
    release, body = delivery.about("release"), held.body
    if not isinstance(body, dict) or body.get("id") != release.get("id"):
        plain = not release.get("prerelease") and not release.get("draft")
        tagged = held.segments[1] == "tags" and "/".join(held.segments[2:]) == text(release, "tag_name")
        return UNSURE if tagged or (held.below == "releases/latest" and plain) else KEEP
    if delivery.action in ("deleted", "unpublished"):
        return UNSURE
    return patch({**body, **release}) if dated_version(release) >= dated_version(body) else KEEP


def deployment_listed(delivery: Delivery, held: Held) -> Verdict:
    """Also when a status came: it changes the deployment's time."""
    deployment = delivery.about("deployment")
    filters = ("sha", "ref", "task", "environment")
    return settle_list(Change(
        is_it=lambda one: one.get("id") == deployment.get("id"),
        thing=deployment,
        body=deployment,
        belongs=all(held.query.get(name) in (None, text(deployment, name)) for name in filters),
        at=text(deployment, "updated_at"),
        key=lambda one: (text(one, "created_at"), count(one, "id")),
        merge=lambda one: {**one, **deployment} if dated_version(deployment) >= dated_version(one) else None,
    ), held)  # fmt: skip


def deployment_itself(delivery: Delivery, held: Held) -> Verdict:
    deployment = delivery.about("deployment")
    if held.segments[1] != str(deployment.get("id")) or not isinstance(held.body, dict):
        return KEEP
    newer = dated_version(deployment) >= dated_version(held.body)
    return patch({**held.body, **deployment}) if newer else KEEP


def statuses_listed(delivery: Delivery, held: Held) -> Verdict:
    status = delivery.about("deployment_status")
    if held.segments[1] != str(delivery.about("deployment").get("id")):
        return _made_inactive(status, held)
    return settle_list(Change(
        is_it=lambda one: one.get("id") == status.get("id"),
        thing=status, body=status, belongs=True, at=text(status, "created_at"), key=lambda one: count(one, "id"),
        merge=lambda one: {**one, **status},
    ), held)  # fmt: skip


def _made_inactive(status: Body, held: Held) -> Verdict:
    """A success makes the deployments before it in its environment inactive, which GitHub does not tell."""
    if status.get("state") != "success":
        return KEEP
    same = any(one.get("environment") == status.get("environment") for one in held.body)
    return UNSURE if same else KEEP


def milestones(delivery: Delivery, _held: Held) -> Verdict:
    """They count their issues."""
    thread = delivery.about("issue") or delivery.about("pull_request")
    return UNSURE if thread.get("milestone") or delivery.action == "demilestoned" else KEEP


def unsure(_delivery: Delivery, _held: Held) -> Verdict:
    """For listings that the event may have changed in any way."""
    return UNSURE
