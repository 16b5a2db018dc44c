"""The repository itself, commits, comparisons, branches, tags, releases, contents."""

from base64 import b64encode
from collections import Counter

from chimney.standin.answers import Answer, Ask, found, missing, page_of
from chimney.standin.bodies.base import Body, repository_body, user_body
from chimney.standin.bodies.code import (
    branch_body,
    commit_body,
    commit_detail,
    compare_body,
    release_body,
    tag_body,
    tree_of,
)
from chimney.standin.bodies.runs import check_run_body
from chimney.standin.bodies.threads import pull_body
from chimney.standin.clock import stamp
from chimney.standin.endpoints.paging import paged
from chimney.standin.model import Commit, Pull, Release, Run
from chimney.standin.repository import MAIN
from chimney.standin.vocabulary import LANGUAGES, README

WEEK = 7 * 86_400


def repository(ask: Ask) -> Answer:
    body = repository_body(ask.view)
    body["network_count"], body["subscribers_count"] = 31, 9
    body["organization"] = user_body(ask.repo.owner, ask.view.base)
    return found(body)


def owned(ask: Ask) -> Answer:
    """The repositories of an organisation or user: this one, when it is the owner's."""
    mine = ask.args["owner"].lower() == ask.repo.owner.login.lower()
    if not mine:
        raise missing()
    return found([repository_body(ask.view)])


def _commit(ask: Ask, name: str = "ref") -> Commit:
    commit = ask.repo.resolve(ask.args[name])
    if commit is None:
        raise missing()
    return commit


def commits(ask: Ask) -> Answer:
    start = ask.repo.resolve(ask.query.get("sha") or MAIN)
    if start is None:
        raise missing()
    author = ask.query.get("author")
    chosen = [one for one in ask.repo.ancestry(start.sha) if author in (None, "", one.author.login)]
    return paged(ask, chosen, lambda commit: commit_body(ask.view, commit))


def commit(ask: Ask) -> Answer:
    return found(commit_detail(ask.view, _commit(ask)))


def _runs_of(ask: Ask) -> list[Run]:
    return ask.repo.runs_of.get(_commit(ask).sha, [])


def check_runs(ask: Ask) -> Answer:
    pairs = [(run, job) for run in reversed(_runs_of(ask)) for job in run.jobs]
    return paged(ask, pairs, lambda pair: check_run_body(ask.view, *pair), under="check_runs")


def status(ask: Ask) -> Answer:
    """The combined status knows only commit statuses, and Actions makes none: pending, as on GitHub."""
    sha = _commit(ask).sha
    url = f"{ask.view.api}/commits/{sha}"
    body: Body = {"state": "pending", "statuses": [], "sha": sha, "total_count": 0}
    return found(body | {"repository": ask.view.minimal, "commit_url": url, "url": f"{url}/status"})


def commit_pulls(ask: Ask) -> Answer:
    pull = ask.repo.threads.get(_commit(ask).pull or 0)
    return found([pull_body(ask.view, pull)] if isinstance(pull, Pull) else [])


def compare(ask: Ask) -> Answer:
    base, head = (ask.repo.resolve(ref.rpartition(":")[2]) for ref in (ask.args["base"], ask.args["head"]))
    if base is None or head is None:
        raise missing()
    page, per_page = page_of(ask)
    shown = slice((page - 1) * per_page, page * per_page) if {"page", "per_page"} & ask.query.keys() else None
    return found(compare_body(ask.view, base, head, page=shown))


def branches(ask: Ask) -> Answer:
    chosen = sorted(ask.repo.branches.items())
    return paged(ask, chosen, lambda pair: branch_body(ask.view, *pair))


def branch(ask: Ask) -> Answer:
    name = ask.args["branch"]
    sha = ask.repo.branches.get(name)
    if sha is None:
        raise missing()
    body = branch_body(ask.view, name, sha)
    return found(body | {"commit": commit_body(ask.view, ask.repo.commits[sha])})


def tags(ask: Ask) -> Answer:
    return paged(ask, list(ask.repo.tags.items())[::-1], lambda pair: tag_body(ask.view, *pair))


def releases(ask: Ask) -> Answer:
    return paged(ask, list(ask.repo.releases.values())[::-1], lambda one: release_body(ask.view, one))


def _release(ask: Ask, release: Release | None) -> Answer:
    if release is None:
        raise missing()
    return found(release_body(ask.view, release))


def latest_release(ask: Ask) -> Answer:
    return _release(ask, ask.repo.latest_release)


def release_by_tag(ask: Ask) -> Answer:
    return _release(ask, ask.repo.releases.get(ask.args["tag"]))


def release(ask: Ask) -> Answer:
    wanted = ask.number("release")
    return _release(ask, next((one for one in ask.repo.releases.values() if one.id == wanted), None))


def contributors(ask: Ask) -> Answer:
    by = Counter(commit.author for commit in ask.repo.commits.values())
    return paged(ask, by.most_common(), lambda pair: user_body(pair[0], ask.view.base) | {"contributions": pair[1]})


def languages(_: Ask) -> Answer:
    return found(LANGUAGES)


def participation(ask: Ask) -> Answer:
    """Commits a week for 52 weeks, oldest first."""
    weeks = [0] * 52
    for commit in ask.repo.commits.values():
        ago = int((ask.at - commit.at) // WEEK)
        if 0 <= ago < 52:
            weeks[51 - ago] += 1
    return found({"all": weeks, "owner": [0] * 52})


def contents(ask: Ask) -> Answer:
    """There is one file: the README."""
    path = ask.args.get("path", "README.md")
    if path != "README.md":
        raise missing()
    sha = tree_of(README)
    url = f"{ask.view.api}/contents/{path}?ref={MAIN}"
    git = f"{ask.view.api}/git/blobs/{sha}"
    page = f"{ask.view.html}/blob/{MAIN}/{path}"
    raw = f"https://raw.githubusercontent.com/{ask.repo.full_name}/{MAIN}/{path}"
    return found({
        "name": path, "path": path, "sha": sha, "size": len(README.encode()), "url": url, "html_url": page,
        "git_url": git, "download_url": raw, "type": "file",
        "content": b64encode(README.encode()).decode() + "\n", "encoding": "base64",
        "_links": {"self": url, "git": git, "html": page},
    })  # fmt: skip


def user(ask: Ask) -> Answer:
    """Whoever the token belongs to: the first of the team."""
    if not ask.signed:
        raise missing()
    return found(user_body(ask.repo.people[0], ask.view.base) | {"name": ask.repo.people[0].name})


def some_user(ask: Ask) -> Answer:
    for one in (*ask.repo.people, ask.repo.owner):
        if one.login.lower() == ask.args["owner"].lower():
            return found(user_body(one, ask.view.base) | {"name": one.name, "created_at": stamp(ask.repo.created_at)})
    raise missing()
