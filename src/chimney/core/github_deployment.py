"""Between our deployments and GitHub's: what GitHub is told, and what its webhooks tell us.

What we made at GitHub carries our deployment's id in its payload: so it is found again after a crash, and what GitHub
then tells us of it is known for our own echo.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from chimney.core.delivery import Body, Delivery, count, text
from chimney.core.deploy_report import SLOTS, BadReportError, parse_report
from chimney.wire.deployment import Deployment, DeployReport, Phase, Source
from chimney.wire.github_deployment import GitHubDeployment, State

MARK = "chimney"
RECENT = timedelta(hours=1)  # what is older when we get to it is history, and not told
EARLIER = timedelta(minutes=30)  # a job makes its deployment before its step reports the start to us
AHEAD = timedelta(days=1)  # a stand-in with a fast clock; what it tells has happened by now
SLACK = timedelta(minutes=1)
_STATES = {
    Phase.STARTED: State.IN_PROGRESS,
    Phase.SUCCEEDED: State.SUCCESS,
    Phase.FAILED: State.FAILURE,
    Phase.ROLLED_BACK: State.INACTIVE,
}
_PHASES = {
    "in_progress": Phase.STARTED,
    "success": Phase.SUCCEEDED,
    "failure": Phase.FAILED,
    "error": Phase.FAILED,
}
_RUNNING = frozenset(("queued", "pending", "in_progress", "waiting"))


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What GitHub knows of a deployment. `closed`: nothing more is told, and why."""

    number: int | None = None
    state: State | None = None
    closed: str | None = None


def is_due(deployment: Deployment, told: Told, *, now: datetime) -> bool:
    """Whether GitHub is to be told something of it."""
    if Source.REPORT not in deployment.sources or told.closed is not None:
        return False
    undone = deployment.rolled_back.at if deployment.rolled_back else None
    latest = max(filter(None, (deployment.started_at, deployment.ended_at, undone)))
    return next_state(deployment, told) is not None and now - latest < RECENT


def next_state(deployment: Deployment, told: Told) -> State | None:
    """The status to post next: first that it is in progress, then how it ended; None when GitHub knows."""
    wanted = _STATES[deployment.phase]
    if told.state is None and wanted is not State.INACTIVE:
        return State.IN_PROGRESS
    return wanted if wanted is not told.state else None


def creation(deployment: Deployment) -> dict[str, Any]:
    """The body of `POST …/deployments`: no checks are waited for, and nothing is merged into the revision."""
    return {
        "ref": deployment.revision,
        "environment": deployment.environment,
        "description": (deployment.message or "").partition("\n")[0][:140],
        "auto_merge": False,
        "required_contexts": [],
        "production_environment": deployment.environment == "production",
        "payload": {MARK: deployment.id, "slot": deployment.slot},
    }


def status_body(deployment: Deployment, state: State, environment_url: str | None) -> dict[str, Any]:
    """The body of `POST …/deployments/{id}/statuses`."""
    said = {
        "state": state,
        "log_url": deployment.run_url,
        "environment_url": deployment.environment_url or environment_url,
        "description": _description(deployment, state),
    }
    return {name: value for name, value in said.items() if value}


def _description(deployment: Deployment, state: State) -> str | None:
    if state is State.INACTIVE and deployment.rolled_back:
        return f"Rolled back: {deployment.rolled_back.reason or 'no reason given'}"[:140]
    return f"To slot {deployment.slot}" if deployment.slot else None


def mark_of(payload: object) -> str | None:
    """Our deployment's id in the payload of a GitHub deployment; None when it is not ours."""
    if isinstance(payload, str):
        try:
            payload = msgspec.json.decode(payload)
        except (msgspec.DecodeError, RecursionError):
            return None
    mark = payload.get(MARK) if isinstance(payload, dict) else None
    return mark if isinstance(mark, str) else None


def ours(listed: Iterable[GitHubDeployment], deployment: Deployment) -> GitHubDeployment | None:
    return next((one for one in listed if mark_of(one.payload) == deployment.id), None)


def from_same_job(one: GitHubDeployment, deployment: Deployment) -> bool:
    """Whether a GitHub deployment that is not ours may be what the job made by itself, being near in time."""
    last = (deployment.ended_at or deployment.started_at) + SLACK
    return mark_of(one.payload) is None and deployment.started_at - EARLIER <= one.created_at <= last


def tells_the_same(one: GitHubDeployment, state: str, deployment: Deployment) -> bool:
    """Whether it surely is: it still runs as ours does, or it began while ours ran."""
    if state in _RUNNING:
        return True
    return one.created_at >= deployment.started_at - SLACK and deployment.phase is not Phase.STARTED


def reports_of(delivery: Delivery, *, now: datetime) -> list[DeployReport]:
    """What a `deployment_status` delivery reports, its start first; empty when it reports nothing, or is our own echo.

    An end brings its start along: some tools make a deployment and say only how it ended.
    """
    status, deployment = delivery.about("deployment_status"), delivery.about("deployment")
    phase = _PHASES.get(text(status, "state"))
    if delivery.event != "deployment_status" or phase is None or mark_of(deployment.get("payload")) is not None:
        return []
    times = {Phase.STARTED: text(deployment, "created_at"), phase: text(status, "created_at")}
    said = _said(deployment, status, delivery.about("workflow_run"))
    reports = []
    for one, at in times.items():
        raw = {**said, "phase": one, "at": at, "id": f"github-{count(deployment, 'id')}-{one}"}
        try:
            report = parse_report(raw, now=now + AHEAD, environment="production", new_id="")
        except BadReportError:
            return []  # a revision, an address or a time that is none: nothing can be made of it
        reports.append(msgspec.structs.replace(report, at=min(report.at, now), source=Source.GITHUB))
    return reports


def _said(deployment: Body, status: Body, run: Body) -> dict[str, Any]:
    payload = deployment.get("payload")
    slot = payload.get("slot") if isinstance(payload, dict) else None
    person = run.get("actor") or deployment.get("creator")
    return {
        "revision": text(deployment, "sha"),
        "environment": text(deployment, "environment")[:64],
        "slot": slot if slot in SLOTS else None,
        "message": (text(deployment, "description") or text(run, "display_title"))[:10_000],
        "actor": text(person, "login")[:200] if isinstance(person, dict) else None,
        "run_url": text(status, "log_url") or text(status, "target_url") or text(run, "html_url"),
        "environment_url": text(status, "environment_url"),
    }
