"""What can be asked of the repository through `POST /_standin/do`: one function an act, checked arguments."""

from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

import msgspec

from chimney.standin import deployments, runs, threads
from chimney.standin.bodies.base import Body, View, repository_body
from chimney.standin.bodies.code import commit_body, release_body
from chimney.standin.bodies.deployments import deployment_body, status_body
from chimney.standin.bodies.runs import run_body
from chimney.standin.bodies.threads import issue_body, pull_detail
from chimney.standin.invention import Invention
from chimney.standin.model import Deployment, Issue, Label, Progress, Proposal, Pull, Run, Target, User
from chimney.standin.repository import MAIN, RefusedError, Repository
from chimney.standin.vocabulary import ACTIONS, DEPLOY, LABEL

T = TypeVar("T", bound=Issue)
Count = Annotated[int, msgspec.Meta(ge=1, le=5_000)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._/-]{1,100}$")]


class Act(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="do"):
    """Every argument has a believable default."""


class OpenPr(Act, tag="open_pr"):
    title: Text | None = None
    branch: Name | None = None
    author: Name | None = None
    labels: list[Text] = []
    body: str = ""
    draft: bool = False
    closes: int | None = None
    count: Count = 1


class MergePr(Act, tag="merge_pr"):
    number: int | None = None
    by: Name | None = None


class ClosePr(Act, tag="close_pr"):
    number: int | None = None
    by: Name | None = None


class Push(Act, tag="push"):
    branch: Name = MAIN
    message: Text | None = None
    author: Name | None = None
    count: Count = 1


class FinishRun(Act, tag="finish_run"):
    id: int | None = None
    conclusion: Literal["success", "failure", "cancelled"] = "success"


class FailRun(Act, tag="fail_run"):
    id: int | None = None


class StartRun(Act, tag="start_run"):
    id: int | None = None


class WaitRun(Act, tag="wait_run"):
    """A deployment that waits for a reviewer's word."""

    ref: Name = MAIN


class OpenBug(Act, tag="open_bug"):
    title: Text | None = None
    author: Name | None = None
    labels: list[Text] = []
    body: str = ""
    count: Count = 1


class OpenIssue(OpenBug, tag="open_issue"):
    pass


class CloseBug(Act, tag="close_bug"):
    number: int | None = None
    by: Name | None = None


class CutRelease(Act, tag="release"):
    tag: Name | None = None
    name: Text | None = None
    body: str | None = None
    prerelease: bool = False


class Deploy(Act, tag="deployment"):
    """Created, and taken to `state` through what comes before it."""

    state: Literal["queued", "pending", "in_progress", "success", "failure", "error"] = "success"
    ref: Name = MAIN
    environment: Name = "production"
    description: str | None = None
    slot: Literal["blue", "green"] | None = None


class Rename(Act, tag="rename"):
    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,100}$")]


AnyAct = (
    OpenPr | MergePr | ClosePr | Push | FinishRun | FailRun | StartRun | WaitRun | OpenBug | OpenIssue | CloseBug
    | CutRelease | Deploy | Rename
)  # fmt: skip


class Acts:
    """Carries out acts at the time `now` says, as somebody of the team."""

    def __init__(self, repo: Repository, invention: Invention, *, now: Callable[[], float]) -> None:
        self._repo = repo
        self._invention = invention
        self._now = now

    def do(self, raw: bytes, base: str) -> Body:
        """Raises msgspec.DecodeError with the path of the fault, or RefusedError."""
        act = msgspec.json.decode(raw, type=AnyAct)
        return {"did": type(act).__struct_config__.tag, **self._carry_out(act, View(self._repo, base))}

    def _carry_out(self, act: AnyAct, view: View) -> Body:
        match act:
            case OpenPr() | MergePr() | ClosePr():
                return self._pull(act, view)
            case OpenBug() | CloseBug():
                return self._issue(act, view)
            case FinishRun() | FailRun() | StartRun() | WaitRun():
                return {"run": run_body(view, self._run(act))}
            case Push():
                return self._push(act, view)
            case CutRelease():
                return self._release(act, view)
            case Deploy():
                return self._deploy(act, view)
            case Rename():
                self._repo.rename(act.name, at=self._now())
                return {"repository": repository_body(View(self._repo, view.base))}

    def _pull(self, act: OpenPr | MergePr | ClosePr, view: View) -> Body:
        if isinstance(act, OpenPr):
            pulls = [self._open_pull(act) for _ in range(act.count)]
        else:
            pulls = [self._open_thread(act.number, self._repo.open_pulls, "pull request")]
            by = self._person(act.by)
            end = threads.merge_pull if isinstance(act, MergePr) else threads.close_pull
            end(self._repo, pulls[0], by=by, at=self._now())
        return {"pull_request": pull_detail(view, pulls[-1]), "numbers": [pull.number for pull in pulls]}

    def _open_pull(self, act: OpenPr) -> Pull:
        change = self._invention.change()
        proposal = Proposal(
            title=act.title or change.title, branch=act.branch or change.branch, author=self._person(act.author),
            labels=_labels(act.labels) or change.labels, draft=act.draft, body=act.body, closes=act.closes,
        )  # fmt: skip
        return threads.open_pull(self._repo, proposal, at=self._now())

    def _issue(self, act: OpenBug | CloseBug, view: View) -> Body:
        if isinstance(act, CloseBug):
            issues = [self._open_thread(act.number, self._repo.open_bugs, "bug")]
            threads.close_issue(self._repo, issues[0], by=self._person(act.by), at=self._now())
        else:
            issues = [self._open_issue(act) for _ in range(act.count)]
        return {"issue": issue_body(view, issues[-1]), "numbers": [issue.number for issue in issues]}

    def _open_issue(self, act: OpenBug) -> Issue:
        kind = "type:feature" if isinstance(act, OpenIssue) else "type:bug"
        title = act.title or (self._invention.wish() if isinstance(act, OpenIssue) else self._invention.bug())
        labels = [LABEL[kind], *(label for label in _labels(act.labels) if label.name != kind)]
        return threads.open_issue(
            self._repo, title=title, author=self._person(act.author), at=self._now(), labels=labels, body=act.body
        )

    def _open_thread(self, number: int | None, among: list[T], what: str) -> T:
        for thread in among:
            if number in {None, thread.number}:
                return thread
        raise RefusedError(f"number: there is no open {what}{'' if number is None else f' {number}'}", status=404)

    def _person(self, login: str | None) -> User:
        if login is None:
            return self._invention.person()
        for person in self._repo.people:
            if person.login == login:
                return person
        raise RefusedError(f"{login!r} is not one of {', '.join(person.login for person in self._repo.people)}")

    def _run(self, act: FinishRun | FailRun | StartRun | WaitRun) -> Run:
        repo, at = self._repo, self._now()
        if isinstance(act, WaitRun):
            actor = self._person(None)
            return runs.dispatch(repo, DEPLOY, ref=act.ref, actor=actor, at=at, waiting=True)
        run = next((run for run in repo.unfinished_runs if act.id in {None, run.id}), None)
        if run is None:
            raise RefusedError(f"id: there is no unfinished run{'' if act.id is None else f' {act.id}'}", status=404)
        if isinstance(act, StartRun):
            for job in list(run.jobs):
                runs.start_job(repo, run, job, at=at)
        else:
            conclusion = act.conclusion if isinstance(act, FinishRun) else "failure"
            runs.finish_run(repo, run, at=at, conclusion=conclusion)
        return run

    def _push(self, act: Push, view: View) -> Body:
        messages = [act.message or self._invention.follow_up() for _ in range(act.count)]
        commits = threads.push(
            self._repo, branch=act.branch, messages=messages, author=self._person(act.author), at=self._now()
        )
        return {"commit": commit_body(view, commits[-1]), "shas": [commit.sha for commit in commits]}

    def _release(self, act: CutRelease, view: View) -> Body:
        release = deployments.publish_release(
            self._repo, at=self._now(), author=self._person(None), tag=act.tag or deployments.next_tag(self._repo),
            name=act.name, body=act.body, prerelease=act.prerelease,
        )  # fmt: skip
        return {"release": release_body(view, release)}

    def _deploy(self, act: Deploy, view: View) -> Body:
        at = self._now()
        target = Target(ref=act.ref, environment=act.environment, description=act.description, slot=act.slot)
        deployment = deployments.create_deployment(self._repo, target, at=at, creator=ACTIONS)
        states = [act.state] if act.state in {"queued", "pending", "in_progress"} else ["in_progress", act.state]
        for state in states:
            deployments.add_status(self._repo, deployment, Progress(state=state), at=at, creator=ACTIONS)
        return _deployed(view, deployment)


def _deployed(view: View, deployment: Deployment) -> Body:
    statuses = [status_body(view, deployment, status) for status in reversed(deployment.statuses)]
    return {"deployment": deployment_body(view, deployment), "statuses": statuses}


def _labels(names: list[str]) -> list[Label]:
    unknown = [name for name in names if name not in LABEL]
    if unknown:
        raise RefusedError(f"labels: {unknown[0]!r} is not one of {', '.join(LABEL)}")
    return [LABEL[name] for name in names]
