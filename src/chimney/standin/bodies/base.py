"""What every body is made of: addresses, node ids, people, and the repository itself."""

from base64 import b64encode
from functools import cached_property

import msgspec

from chimney.standin.clock import stamp
from chimney.standin.model import Label, Milestone, User
from chimney.standin.repository import MAIN, Repository
from chimney.standin.vocabulary import DESCRIPTION, HOMEPAGE, TOPICS

Body = dict[str, object]

# GitHub's URL templates of a repository, in its order
_TEMPLATES = (
    ("forks", "/forks"), ("keys", "/keys{/key_id}"), ("collaborators", "/collaborators{/collaborator}"),
    ("teams", "/teams"), ("hooks", "/hooks"), ("issue_events", "/issues/events{/number}"), ("events", "/events"),
    ("assignees", "/assignees{/user}"), ("branches", "/branches{/branch}"), ("tags", "/tags"),
    ("blobs", "/git/blobs{/sha}"), ("git_tags", "/git/tags{/sha}"), ("git_refs", "/git/refs{/sha}"),
    ("trees", "/git/trees{/sha}"), ("statuses", "/statuses/{sha}"), ("languages", "/languages"),
    ("stargazers", "/stargazers"), ("contributors", "/contributors"), ("subscribers", "/subscribers"),
    ("subscription", "/subscription"), ("commits", "/commits{/sha}"), ("git_commits", "/git/commits{/sha}"),
    ("comments", "/comments{/number}"), ("issue_comment", "/issues/comments{/number}"),
    ("contents", "/contents/{+path}"), ("compare", "/compare/{base}...{head}"), ("merges", "/merges"),
    ("archive", "/{archive_format}{/ref}"), ("downloads", "/downloads"), ("issues", "/issues{/number}"),
    ("pulls", "/pulls{/number}"), ("milestones", "/milestones{/number}"),
    ("notifications", "/notifications{?since,all,participating}"), ("labels", "/labels{/name}"),
    ("releases", "/releases{/id}"), ("deployments", "/deployments"),
)  # fmt: skip


def node_id(kind: str, number: int) -> str:
    return f"{kind}_kwDO{b64encode(number.to_bytes(8, 'big')).decode().rstrip('=')}"


class View:
    """The repository as seen under one API address; whole-repository bodies are encoded once for each view."""

    def __init__(self, repo: Repository, base: str) -> None:
        self.repo = repo
        self.base = base
        self.api = f"{base}/repos/{repo.full_name}"
        self.html = f"https://github.com/{repo.full_name}"

    @cached_property
    def minimal(self) -> msgspec.Raw:
        """The repository inside a workflow run."""
        return msgspec.Raw(msgspec.json.encode(_identity(self)))

    @cached_property
    def full(self) -> msgspec.Raw:
        return msgspec.Raw(msgspec.json.encode(repository_body(self)))


def user_body(user: User, base: str) -> Body:
    url = f"{base}/users/{user.login}"
    page = user.login.removesuffix("[bot]")
    return {
        "login": user.login,
        "id": user.id,
        "node_id": node_id("U", user.id),
        "avatar_url": f"https://avatars.githubusercontent.com/u/{user.id}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"https://github.com/{'apps/' if user.type == 'Bot' else ''}{page}",
        "followers_url": f"{url}/followers",
        "following_url": f"{url}/following{{/other_user}}",
        "gists_url": f"{url}/gists{{/gist_id}}",
        "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{url}/subscriptions",
        "organizations_url": f"{url}/orgs",
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events{{/privacy}}",
        "received_events_url": f"{url}/received_events",
        "type": user.type,
        "user_view_type": "public",
        "site_admin": False,
    }


def user_or_none(user: User | None, base: str) -> Body | None:
    return None if user is None else user_body(user, base)


def label_body(view: View, label: Label) -> Body:
    return {
        "id": label.id,
        "node_id": node_id("LA", label.id),
        "url": f"{view.api}/labels/{label.name}",
        "name": label.name,
        "color": label.color,
        "default": False,
        "description": label.description,
    }


def milestone_body(view: View, milestone: Milestone) -> Body:
    on_it = [thread for thread in view.repo.threads.values() if thread.milestone is milestone]
    still_open = sum(thread.state == "open" for thread in on_it)
    url = f"{view.api}/milestones/{milestone.number}"
    return {
        "url": url,
        "html_url": f"{view.html}/milestone/{milestone.number}",
        "labels_url": f"{url}/labels",
        "id": milestone.id,
        "node_id": node_id("MI", milestone.id),
        "number": milestone.number,
        "title": milestone.title,
        "description": milestone.description,
        "creator": user_body(view.repo.people[0], view.base),
        "open_issues": still_open,
        "closed_issues": len(on_it) - still_open,
        "state": "closed" if milestone.closed_at else "open",
        "created_at": stamp(milestone.created_at),
        "updated_at": stamp(milestone.closed_at or milestone.created_at),
        "due_on": stamp(milestone.due_on),
        "closed_at": stamp(milestone.closed_at) if milestone.closed_at else None,
    }


def _identity(view: View) -> Body:
    repo = view.repo
    return {
        "id": repo.id,
        "node_id": node_id("R", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": False,
        "owner": user_body(repo.owner, view.base),
        "html_url": view.html,
        "description": DESCRIPTION,
        "fork": False,
        "url": view.api,
        **{f"{name}_url": view.api + suffix for name, suffix in _TEMPLATES},
    }


def repository_body(view: View) -> Body:
    repo = view.repo
    still_open = len(repo.open_threads)
    return {
        **_identity(view),
        "created_at": stamp(repo.created_at),
        "updated_at": stamp(repo.updated_at),
        "pushed_at": stamp(repo.pushed_at),
        "git_url": f"git://github.com/{repo.full_name}.git",
        "ssh_url": f"git@github.com:{repo.full_name}.git",
        "clone_url": f"{view.html}.git",
        "svn_url": view.html,
        "homepage": HOMEPAGE,
        "size": 4_812,
        "stargazers_count": 214,
        "watchers_count": 214,
        "language": "Python",
        "has_issues": True,
        "has_projects": False,
        "has_downloads": True,
        "has_wiki": False,
        "has_pages": False,
        "has_discussions": False,
        "forks_count": 31,
        "mirror_url": None,
        "archived": False,
        "disabled": False,
        "open_issues_count": still_open,
        "license": {
            "key": "apache-2.0",
            "name": "Apache License 2.0",
            "spdx_id": "Apache-2.0",
            "url": f"{view.base}/licenses/apache-2.0",
            "node_id": "MDc6TGljZW5zZTI=",
        },
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": TOPICS,
        "visibility": "public",
        "forks": 31,
        "open_issues": still_open,
        "watchers": 214,
        "default_branch": MAIN,
    }
