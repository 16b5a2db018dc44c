"""What a webhook delivery says of a happening, in GitHub's shapes."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from chimney.standin.bodies.base import Body, View, label_body, user_body
from chimney.standin.bodies.code import files_of, release_body
from chimney.standin.bodies.deployments import deployment_body, status_body
from chimney.standin.bodies.runs import job_body, run_body, workflow_body
from chimney.standin.bodies.threads import issue_body, pull_detail
from chimney.standin.clock import stamp
from chimney.standin.model import Commit, Deployment, DeploymentStatus, Issue, Job, Label, Pull, Release, Run
from chimney.standin.repository import MAIN, Happening
from chimney.standin.threads import NOTHING

T = TypeVar("T")


def payload(view: View, happening: Happening) -> bytes:
    body: Body = {"action": happening.action} if happening.action else {}
    body |= _SHAPES[happening.event](view, happening)
    body["repository"] = view.full
    body["organization"] = _organization(view)
    body["sender"] = user_body(happening.sender, view.base)
    return msgspec.json.encode(body)


def ping(view: View, *, hook: int, url: str) -> bytes:
    config = {"content_type": "json", "insecure_ssl": "0", "secret": "********", "url": url}
    return msgspec.json.encode({
        "zen": "Keep it logically awesome.",
        "hook_id": hook,
        "hook": {"type": "Repository", "id": hook, "name": "web", "active": True, "events": ["*"], "config": config},
        "repository": view.full,
        "sender": user_body(view.repo.people[0], view.base),
    })  # fmt: skip


def _as(kind: type[T], value: object) -> T:
    """Each event has its own kind of subject; another is a fault of ours."""
    if not isinstance(value, kind):
        raise TypeError(f"a happening about {type(value).__name__} instead of {kind.__name__}")
    return value


def _organization(view: View) -> Body:
    owner = view.repo.owner
    url = f"{view.base}/orgs/{owner.login}"
    return {"login": owner.login, "id": owner.id, "url": url, "repos_url": f"{url}/repos", "description": ""}


def _workflow_run(view: View, happening: Happening) -> Body:
    run = _as(Run, happening.subject)
    return {"workflow_run": run_body(view, run), "workflow": workflow_body(view, run.workflow)}


def _workflow_job(view: View, happening: Happening) -> Body:
    job, run = _as(Job, happening.subject), _as(Run, happening.more["run"])
    deployment = view.repo.deployments.get(run.deployment or 0) if job.plan.environment else None
    body: Body = {"workflow_job": job_body(view, run, job)}
    return body | ({"deployment": deployment_body(view, deployment)} if deployment else {})


def _pull_request(view: View, happening: Happening) -> Body:
    pull = _as(Pull, happening.subject)
    body: Body = {"number": pull.number, "pull_request": pull_detail(view, pull)}
    if happening.action == "synchronize":
        body |= {"before": happening.more["before"], "after": pull.head_sha}
    return body


def _issues(view: View, happening: Happening) -> Body:
    issue, label = _as(Issue, happening.subject), happening.more.get("label")
    body: Body = {"issue": issue_body(view, issue)}
    return body | ({"label": label_body(view, label)} if isinstance(label, Label) else {})


def _release(view: View, happening: Happening) -> Body:
    return {"release": release_body(view, _as(Release, happening.subject))}


def _deployment(view: View, happening: Happening) -> Body:
    deployment = _as(Deployment, happening.subject)
    return {"deployment": deployment_body(view, deployment), **_maker(view, happening)}


def _deployment_status(view: View, happening: Happening) -> Body:
    status = _as(DeploymentStatus, happening.subject)
    deployment = _as(Deployment, happening.more["deployment"])
    return {
        "deployment_status": status_body(view, deployment, status),
        "deployment": deployment_body(view, deployment),
        "check_run": None,
        **_maker(view, happening),
    }


def _maker(view: View, happening: Happening) -> Body:
    """The run that made the deployment; none when the API did."""
    run = happening.more.get("run")
    if not isinstance(run, Run):
        return {"workflow": None, "workflow_run": None}
    return {"workflow": workflow_body(view, run.workflow), "workflow_run": run_body(view, run)}


def _push(view: View, happening: Happening) -> Body:
    commits: list[Commit] = _as(list, happening.more["commits"])
    before, after = str(happening.more["before"]), commits[-1].sha if commits else NOTHING
    listed = [_pushed(view, commit) for commit in commits]
    pusher = happening.sender
    return {
        "ref": f"refs/heads/{happening.more['branch']}",
        "before": before,
        "after": after,
        "pusher": {"name": pusher.login, "email": pusher.email},
        "created": before == NOTHING,
        "deleted": not commits,
        "forced": False,
        "base_ref": f"refs/heads/{MAIN}" if before == NOTHING else None,
        "compare": f"{view.html}/compare/{before[:12]}...{after[:12]}",
        "commits": listed,
        "head_commit": listed[-1] if listed else None,
    }


def _pushed(view: View, commit: Commit) -> Body:
    person = {"name": commit.author.name, "email": commit.author.email, "username": commit.author.login}
    return {
        "id": commit.sha,
        "tree_id": commit.sha[::-1],
        "distinct": True,
        "message": commit.message,
        "timestamp": stamp(commit.at),
        "url": f"{view.html}/commit/{commit.sha}",
        "author": person,
        "committer": person,
        "added": [],
        "removed": [],
        "modified": [file.path for file in files_of(commit.sha)],
    }


def _repository(_: View, happening: Happening) -> Body:
    return {"changes": happening.more["changes"]}


_SHAPES: dict[str, Callable[[View, Happening], Body]] = {
    "workflow_run": _workflow_run,
    "workflow_job": _workflow_job,
    "pull_request": _pull_request,
    "issues": _issues,
    "release": _release,
    "deployment": _deployment,
    "deployment_status": _deployment_status,
    "push": _push,
    "repository": _repository,
}
