"""Deployments: what a report must be, and how reports fold into a deployment."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from chimney.wire.deployment import (
    Deployment,
    DeployReport,
    DeployStatus,
    LastDeployment,
    Phase,
    PullRequestRef,
    SlotState,
)
from chimney.wire.problem import Fault

_REVISION = re.compile(r"[0-9a-fA-F]{7,64}")
_ID = re.compile(r"[\x21-\x7e]{1,200}")
_ALIASES = {"sha": "revision", "duration_s": "duration_seconds", "deployed_at": "at"}
_OUTCOMES = {"success": Phase.SUCCEEDED, "failure": Phase.FAILED}
_SLOTS = ("blue", "green")
FUTURE = timedelta(minutes=5)  # clocks of CI machines differ by seconds, not by minutes
SAME = timedelta(hours=6)  # a report without a `started` of its own joins one that began within this time
_ENDED = frozenset((Phase.SUCCEEDED, Phase.FAILED, Phase.ROLLED_BACK))


class BadReportError(Exception):
    """The report cannot be kept; every fault with its path."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.path}: {fault.detail}" for fault in faults))
        self.faults = faults


def _canonical(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Names as we keep them; null means absent; unknown names are left out."""
    fields = {_ALIASES.get(name, name): value for name, value in raw.items() if value is not None and value != ""}
    if "outcome" in fields and "phase" not in fields:
        fields["phase"] = _OUTCOMES.get(str(fields["outcome"]), fields["outcome"])
    return {name: value for name, value in fields.items() if name in DeployReport.__struct_fields__}


def parse_report(raw: Mapping[str, Any], *, now: datetime, environment: str, new_id: str) -> DeployReport:
    """The report in the form in which it is kept. Raises BadReportError with every fault that was found.

    `at` defaults to now, `environment` to the origin's own, `id` to `new_id`.
    """
    fields = {"at": now, "environment": environment, "id": new_id, **_canonical(raw)}
    faults = [Fault(path=f"$.{name}", detail="is missing") for name in ("phase", "revision") if name not in fields]
    kept: dict[str, Any] = {}
    for name, value in fields.items():
        try:
            kept[name] = msgspec.convert(value, _TYPES[name], strict=False)
        except msgspec.ValidationError as error:
            faults.append(Fault(path=f"$.{name}", detail=str(error)))
    faults += _out_of_range(kept, now)
    if faults:
        raise BadReportError(faults)
    return DeployReport(**{**kept, "revision": kept["revision"].lower()})


_TYPES = {field.name: field.type for field in msgspec.structs.fields(DeployReport)}


def _out_of_range(kept: Mapping[str, Any], now: datetime) -> list[Fault]:
    checks: list[tuple[str, Callable[[Any], object], str]] = [
        (
            "revision",
            _REVISION.fullmatch,
            "should be a Git revision: 7 to 64 hexadecimal digits",
        ),
        ("id", _ID.fullmatch, "should be 1 to 200 printable ASCII characters"),
        ("slot", lambda value: value is None or value in _SLOTS, "should be blue or green"),
        ("environment", lambda value: 0 < len(value) <= 64, "should be 1 to 64 characters"),
        ("at", lambda value: value <= now + FUTURE, "lies in the future; is the sender's clock right?"),
        (
            "duration_seconds",
            lambda value: value is None or 0 <= value < 1e7,
            "should be seconds, not negative",
        ),
        (
            "run_url",
            lambda value: value is None or (value.startswith(("https://", "http://")) and len(value) <= 2_000),
            "should be a http URL of at most 2,000 characters",
        ),
        ("pr_number", lambda value: value is None or value > 0, "should be a positive number"),
        (
            "message",
            lambda value: value is None or len(value) <= 10_000,
            "should be at most 10,000 characters",
        ),
        (
            "pr_title",
            lambda value: value is None or len(value) <= 1_000,
            "should be at most 1,000 characters",
        ),
        ("actor", lambda value: value is None or len(value) <= 200, "should be at most 200 characters"),
        (
            "origin_ips",
            lambda value: len(value) <= 100 and all(len(address) <= 100 for address in value),
            "should be at most 100 addresses of at most 100 characters",
        ),
    ]
    return [
        Fault(path=f"$.{name}", detail=detail) for name, ok, detail in checks if name in kept and not ok(kept[name])
    ]


def belongs(report: DeployReport, deployment: Deployment) -> bool:
    """Whether a report is about a deployment: same revision, place and slot, not ended before, near in time."""
    if (report.revision, report.environment) != (deployment.revision, deployment.environment):
        return False
    if report.slot and deployment.slot and report.slot != deployment.slot:
        return False
    if report.phase is Phase.ROLLED_BACK:
        return deployment.phase is not Phase.ROLLED_BACK
    if report.phase is Phase.STARTED:  # out of order: the end was reported first
        ended = deployment.ended_at
        return ended is not None and deployment.reports == 1 and report.at <= ended < report.at + SAME
    return deployment.phase is Phase.STARTED and deployment.started_at <= report.at < deployment.started_at + SAME


def begin(report: DeployReport, repo: str | None) -> Deployment:
    """The deployment that a report opens. One that opens with its end started `duration_seconds` before it."""
    ended = report.at if report.phase in _ENDED else None
    started = report.at - timedelta(seconds=report.duration_seconds or 0) if ended else report.at
    return Deployment(
        id=report.id,
        revision=report.revision,
        environment=report.environment,
        slot=report.slot,
        phase=report.phase,
        started_at=started,
        ended_at=ended,
        duration_seconds=report.duration_seconds,
        pr=_pull_request(report, repo),
        message=report.message,
        actor=report.actor,
        run_url=report.run_url,
        origin_ips=report.origin_ips,
    )


def advance(deployment: Deployment, report: DeployReport, repo: str | None) -> Deployment:
    """The deployment with one more report. What a report leaves out stays as it was known."""
    if report.phase is Phase.STARTED:
        started, ended, phase = report.at, deployment.ended_at, deployment.phase
    else:
        started, ended, phase = deployment.started_at, report.at, report.phase
    if phase is Phase.ROLLED_BACK and deployment.ended_at:
        ended = deployment.ended_at
    duration = report.duration_seconds or deployment.duration_seconds
    if duration is None and ended is not None:
        duration = (ended - started).total_seconds()
    return msgspec.structs.replace(
        deployment,
        slot=report.slot or deployment.slot,
        phase=phase,
        started_at=started,
        ended_at=ended,
        duration_seconds=duration,
        pr=_pull_request(report, repo) or deployment.pr,
        message=report.message or deployment.message,
        actor=report.actor or deployment.actor,
        run_url=report.run_url or deployment.run_url,
        origin_ips=report.origin_ips or deployment.origin_ips,
        reports=deployment.reports + 1,
    )


def _pull_request(report: DeployReport, repo: str | None) -> PullRequestRef | None:
    if report.pr_number is None:
        return None
    url = f"https://github.com/{repo}/pull/{report.pr_number}" if repo else None
    return PullRequestRef(number=report.pr_number, title=report.pr_title, url=url)


def fold(reports: Iterable[DeployReport], repo: str | None) -> list[Deployment]:
    """All deployments that the reports tell of, oldest first. The order in which reports came is kept within one."""
    deployments: list[Deployment] = []
    for report in reports:
        place = next((i for i in range(len(deployments) - 1, -1, -1) if belongs(report, deployments[i])), None)
        if place is None:
            deployments.append(begin(report, repo))
        else:
            deployments[place] = advance(deployments[place], report, repo)
    return sorted(deployments, key=lambda deployment: deployment.started_at)


def _slots(deployments: list[Deployment]) -> dict[str, SlotState]:
    """What was last deployed to each slot with success, as reported; nobody has asked the slots themselves."""
    slots = dict.fromkeys(_SLOTS, SlotState(revision=None, healthy=None, since=None))
    for deployment in deployments:
        if deployment.slot and deployment.phase is Phase.SUCCEEDED:
            slots[deployment.slot] = SlotState(revision=deployment.revision, healthy=None, since=deployment.ended_at)
    return slots


def compare_url(repo: str | None, deployments: list[Deployment]) -> str | None:
    """What the last deployment changed: from the revision before it that was deployed with success."""
    if not repo or not deployments:
        return None
    last = deployments[-1]
    before = [
        one.revision for one in deployments[:-1] if one.phase is Phase.SUCCEEDED and one.revision != last.revision
    ]
    return f"https://github.com/{repo}/compare/{before[-1]}...{last.revision}" if before else None


def status(deployments: list[Deployment], *, repo: str | None, now: datetime) -> DeployStatus:
    """What the deployments (oldest first) add up to."""
    last = deployments[-1] if deployments else None
    running = [one for one in deployments if one.phase is Phase.STARTED]
    ended = [one for one in deployments if one.phase is not Phase.STARTED]
    good = [one for one in ended if one.phase is Phase.SUCCEEDED]
    live = [one for one in good if one.slot]
    return DeployStatus(
        active_slot=live[-1].slot if live else None,
        slots=_slots(deployments),
        last_deploy=LastDeployment(
            **msgspec.structs.asdict(last),
            age_seconds=max(0.0, (now - (last.ended_at or last.started_at)).total_seconds()),
            compare_url=compare_url(repo, deployments),
        )
        if last
        else None,
        in_progress=running[-1] if running and running[-1] is last else None,
        recent_deploys=deployments[:-11:-1],
        total_deploys=len(deployments),
        success_rate_pct=round(100 * len(good) / len(ended), 1) if ended else None,
        origins=sorted({address for one in deployments[-1:] for address in one.origin_ips}),
    )
