"""Acting on workflow runs with the origin's token: re-run, cancel, approve, dispatch. Each act is an event.

GitHub decides who may: its refusal is passed on in its own words. What it says of the run afterwards is the answer, and
what was stored of runs is dropped; webhooks bring the rest.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
from litestar import post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody

from chimney.core.grammar import WORKFLOW_FILE
from chimney.core.redact import safe
from chimney.github.client import GitHubClient
from chimney.github.errors import GitHubError
from chimney.github.reply import Reply
from chimney.origin.asking import as_problem
from chimney.origin.events import Says
from chimney.web.problem import ProblemError
from chimney.wire.github import WorkflowRun
from chimney.wire.problem import Fault
from chimney.wire.run_act import ObservedRun, RunAct, RunActed, RunActRequest

MOST_INPUTS = 25  # GitHub's
LONGEST_COMMENT = 500
LONGEST_REF = 255
ENDINGS = {RunAct.RERUN: "rerun", RunAct.RERUN_FAILED: "rerun-failed-jobs", RunAct.CANCEL: "cancel"}
T = TypeVar("T")
log = logging.getLogger(__name__)


class Refusal(msgspec.Struct, frozen=True):
    message: str = "no reason given"


class Environment(msgspec.Struct, frozen=True):
    id: int
    name: str


class Pending(msgspec.Struct, frozen=True):
    environment: Environment
    current_user_can_approve: bool = True


class Dispatched(msgspec.Struct, frozen=True):
    workflow_run_id: int | None = None


class Repository(msgspec.Struct, frozen=True):
    default_branch: str = "main"


class RunActs:
    """`forget` drops stored responses below a path: after an act, what is stored of runs is no longer true, and a
    webhook may not be configured."""

    def __init__(
        self, client: GitHubClient, events: Says, *, repos: list[str], forget: Callable[[str], Awaitable[object]]
    ) -> None:
        self._client = client
        self._forget = forget
        self._events = events
        self._repos = repos

    async def do(self, act: RunAct, asked: RunActRequest) -> RunActed:
        """Raises ProblemError: 400 when it makes no sense, 409 when GitHub refuses, 502 to 504 when it fails."""
        repo = self._repo(asked.repo)
        if not self._client.authenticated:
            raise ProblemError(503, "not-configured", "Acting on GitHub needs a token. Set CHIMNEY_GITHUB_TOKEN.")
        environments: list[str] = []
        if act is RunAct.DISPATCH:
            number = await self._dispatch(repo, asked)
        else:
            number = _needed(asked.run_id, "$.run_id")
            if act is RunAct.APPROVE:
                environments = await self._approve(repo, number, asked)
            else:
                await self._change(f"/repos/{repo}/actions/runs/{number}/{ENDINGS[act]}", None)
        await self._forget(f"/repos/{repo}/actions/runs")
        self._events.say(
            "run_act",
            f"{act.replace('_', ' ')} {f'run {number}' if number else asked.workflow} of {repo}",
            act=act,
            repo=repo,
            run_id=number,
            environments=environments,
            reason=safe(asked.reason, longest=LONGEST_COMMENT) if asked.reason else None,
        )
        return RunActed(act=act, repo=repo, run=await self._run(repo, number), environments=environments)

    def _repo(self, said: str | None) -> str:
        if not self._repos:
            raise ProblemError(503, "not-configured", "No repository is configured. Set CHIMNEY_REPO to owner/name.")
        known = next((one for one in self._repos if said is None or one.lower() == said.lower()), None)
        if known is None:
            raise _malformed("$.repo", "is not one that this origin watches")
        return known

    async def _approve(self, repo: str, number: int, asked: RunActRequest) -> list[str]:
        """The names of the environments that were approved."""
        path = f"/repos/{repo}/actions/runs/{number}/pending_deployments"
        waiting = await self._get(path, list[Pending])
        chosen = [one.environment for one in waiting if asked.environment in (None, one.environment.name)]
        if not chosen:
            what = f"for {asked.environment!r} " if asked.environment else ""
            raise ProblemError(409, "nothing-to-approve", f"Run {number} waits {what}for no approval.")
        comment = safe(asked.reason, longest=LONGEST_COMMENT) if asked.reason else "Approved in chimney"
        body = {"environment_ids": [one.id for one in chosen], "state": "approved", "comment": comment}
        await self._change(path, body)
        return [one.name for one in chosen]

    async def _dispatch(self, repo: str, asked: RunActRequest) -> int | None:
        """The run's number; None when GitHub does not tell it."""
        workflow = _needed(asked.workflow, "$.workflow")
        if not WORKFLOW_FILE.fullmatch(workflow):
            raise _malformed("$.workflow", "should be a workflow's file name such as deploy.yml, or its number")
        if len(asked.inputs) > MOST_INPUTS:
            raise _malformed("$.inputs", f"should be at most {MOST_INPUTS}")
        ref = asked.ref or (await self._get(f"/repos/{repo}", Repository)).default_branch
        if not 0 < len(ref) <= LONGEST_REF:
            raise _malformed("$.ref", f"should be a branch or a tag of at most {LONGEST_REF} characters")
        path = f"/repos/{repo}/actions/workflows/{quote(workflow)}/dispatches"
        reply = await self._change(path, {"ref": ref, "inputs": asked.inputs, "return_run_details": True})
        return _decoded(reply, Dispatched).workflow_run_id if reply.body else None

    async def _run(self, repo: str, number: int | None) -> ObservedRun | None:
        if number is None:
            return None
        try:
            run = await self._get(f"/repos/{repo}/actions/runs/{number}", WorkflowRun)
        except ProblemError as problem:
            log.warning("run %d could not be looked at after the act: %s", number, problem.detail)
            return None
        return ObservedRun(
            id=run.id,
            workflow=run.name,
            status=run.status,
            conclusion=run.conclusion,
            attempt=run.run_attempt,
            url=run.html_url,
        )

    async def _change(self, path: str, body: dict[str, Any] | None) -> Reply:
        try:
            reply = await self._client.post(path, msgspec.json.encode(body) if body is not None else None)
        except GitHubError as error:
            raise as_problem(error) from None
        return _accepted(reply)

    async def _get(self, path: str, as_type: type[T]) -> T:
        try:
            reply = await self._client.get(path)
        except GitHubError as error:
            raise as_problem(error) from None
        return _decoded(_accepted(reply), as_type)


def _accepted(reply: Reply) -> Reply:
    if reply.status < 300:
        return reply
    try:
        message = msgspec.json.decode(reply.body, type=Refusal).message
    except (msgspec.DecodeError, RecursionError):
        message = "no reason given"
    raise ProblemError(409, "github-refused", f"GitHub answered {reply.status}: {safe(message, longest=300)}")


def _decoded(reply: Reply, as_type: type[T]) -> T:
    try:
        return msgspec.json.decode(reply.body, type=as_type)
    except (msgspec.DecodeError, RecursionError) as error:
        detail = f"GitHub's answer has another shape than documented: {error}"
        raise ProblemError(502, "github-unexpected", detail) from None


def _needed(value: T | None, path: str) -> T:
    if value is None:
        raise _malformed(path, "is needed")
    return value


def _malformed(path: str, detail: str) -> ProblemError:
    return ProblemError(400, "malformed", f"{path}: {detail}", errors=[Fault(path=path, detail=detail)])


def routes(acts: RunActs, *, operate_scope: Any) -> list[Any]:
    @post(
        "/api/pipeline/{act:str}",
        guards=[operate_scope],
        status_code=200,
        summary="Act on a workflow run",
        tags=["pipeline"],
    )
    async def do(act: FromPath[str], data: JSONBody[RunActRequest]) -> RunActed:
        """rerun, rerun_failed, cancel, approve or dispatch, with the origin's GitHub token. 409 when GitHub refuses."""
        if act not in list(RunAct):
            raise NotFoundException
        return await acts.do(RunAct(act), data)

    return [do]
