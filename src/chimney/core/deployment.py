"""Deployments: how reports fold into them, and what they add up to.

A deployment may be told of twice, by reports and by GitHub's webhooks. Each source tells each phase once: what a source
has not said yet about a deployment near in time belongs to it, what it has said already begins another one.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from chimney.core.deploy_report import SLOTS
from chimney.wire.deployment import (
    Deployment,
    DeployReport,
    DeployStatus,
    LastDeployment,
    Phase,
    PullRequestRef,
    RolledBack,
    SlotState,
    Source,
)

SAME = timedelta(hours=6)  # a report without a `started` of its own joins one that began within this time
EARLIER = timedelta(minutes=30)  # a job starts at GitHub long before its step reports the start
NEAR = timedelta(minutes=10)  # between the step that reports the end, and the end of its job at GitHub
SKEW = timedelta(minutes=1)  # between two clocks, one of which tells whole seconds
_ENDED = frozenset((Phase.SUCCEEDED, Phase.FAILED, Phase.ROLLED_BACK))


class Folded(msgspec.Struct, frozen=True):
    """A deployment, what each source has said of it, the duration that somebody measured, the ids of its reports."""

    deployment: Deployment
    said: frozenset[tuple[Source, Phase]]
    measured: float | None
    ids: tuple[str, ...]

    def has(self, source: Source, *phases: Phase) -> bool:
        return any((source, phase) in self.said for phase in phases)


def same_revision(one: str, other: str) -> bool:
    """Git's short form means the same commit."""
    return one.startswith(other) or other.startswith(one)


def is_whole(revision: str) -> bool:
    """Not one of Git's short forms: SHA-1 has 40 digits, SHA-256 has 64."""
    return len(revision) >= 40


def belongs(report: DeployReport, folded: Folded) -> bool:
    """Whether a report is about a deployment: same revision, place and slot, near in time, and not said before."""
    deployment, source = folded.deployment, report.source
    if report.environment != deployment.environment or not same_revision(report.revision, deployment.revision):
        return False
    if report.slot and deployment.slot and report.slot != deployment.slot:
        return False
    if report.phase is Phase.ROLLED_BACK:
        return deployment.phase is not Phase.ROLLED_BACK
    if report.phase is Phase.STARTED:
        return not folded.has(source, Phase.STARTED) and _started_within(report, folded)
    if folded.has(source, *_ENDED):
        return False
    if deployment.phase is Phase.STARTED:
        early = timedelta() if folded.has(source, Phase.STARTED) else EARLIER
        return deployment.started_at - early <= report.at < deployment.started_at + SAME
    return folded.has(source, Phase.STARTED) or abs(report.at - _end_of(deployment)) <= NEAR


def _end_of(deployment: Deployment) -> datetime:
    return deployment.ended_at or deployment.started_at


def _started_within(report: DeployReport, folded: Folded) -> bool:
    deployment = folded.deployment
    if folded.has(report.source, *_ENDED):  # out of order: the end came first
        return report.at <= _end_of(deployment) < report.at + SAME
    last = deployment.ended_at + SKEW if deployment.ended_at else deployment.started_at + SAME
    return deployment.started_at - EARLIER <= report.at <= last


def begin(report: DeployReport, repo: str | None) -> Folded:
    """The deployment that a report opens. One that opens with its end started `duration_seconds` before it."""
    ended = report.at if report.phase in _ENDED else None
    started = report.at - timedelta(seconds=report.duration_seconds or 0) if ended else report.at
    deployment = Deployment(
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
        environment_url=report.environment_url,
        sources=[report.source],
        rolled_back=_rolled_back(report),
    )
    return Folded(deployment, frozenset(((report.source, report.phase),)), report.duration_seconds, (report.id,))


def advance(folded: Folded, report: DeployReport, repo: str | None) -> Folded:
    """The deployment with one more report. What a report leaves out stays as it was known."""
    deployment = folded.deployment
    phase, started, ended = _moved(folded, report)
    measured = report.duration_seconds or folded.measured
    changed = msgspec.structs.replace(
        deployment,
        revision=max(deployment.revision, report.revision, key=len),
        slot=report.slot or deployment.slot,
        phase=phase,
        started_at=started,
        ended_at=ended,
        duration_seconds=measured if measured is not None or ended is None else (ended - started).total_seconds(),
        pr=_pull_request(report, repo) or deployment.pr,
        origin_ips=report.origin_ips or deployment.origin_ips,
        environment_url=report.environment_url or deployment.environment_url,
        reports=deployment.reports + 1,
        sources=sorted({*deployment.sources, report.source}),
        rolled_back=_rolled_back(report) or deployment.rolled_back,
    )
    if report.phase is not Phase.ROLLED_BACK:
        changed = _described(changed, report)
    return Folded(changed, folded.said | {(report.source, report.phase)}, measured, (*folded.ids, report.id))


def _described(deployment: Deployment, report: DeployReport) -> Deployment:
    """With what a report says of it. A person's word counts more than what GitHub fills in."""
    said = (report.message, report.actor, report.run_url)
    known = (deployment.message, deployment.actor, deployment.run_url)
    first, second = (known, said) if report.source is Source.GITHUB else (said, known)
    message, actor, run_url = (one or other for one, other in zip(first, second, strict=True))
    return msgspec.structs.replace(deployment, message=message, actor=actor, run_url=run_url)


def _moved(folded: Folded, report: DeployReport) -> tuple[Phase, datetime, datetime | None]:
    """Phase, start and end with one more report. Where both sources speak, reports are believed."""
    deployment = folded.deployment
    overruled = report.source is Source.GITHUB
    if report.phase is Phase.STARTED:
        keeps = overruled and folded.has(Source.REPORT, Phase.STARTED)
        return deployment.phase, deployment.started_at if keeps else report.at, deployment.ended_at
    if report.phase is Phase.ROLLED_BACK:
        return report.phase, deployment.started_at, deployment.ended_at or report.at
    if overruled and deployment.phase is not Phase.STARTED:
        return deployment.phase, deployment.started_at, deployment.ended_at
    return report.phase, min(deployment.started_at, report.at), report.at


def _rolled_back(report: DeployReport) -> RolledBack | None:
    if report.phase is not Phase.ROLLED_BACK:
        return None
    return RolledBack(by=report.actor, reason=report.reason or report.message, at=report.at)


def _pull_request(report: DeployReport, repo: str | None) -> PullRequestRef | None:
    if report.pr_number is None:
        return None
    url = f"https://github.com/{repo}/pull/{report.pr_number}" if repo else None
    return PullRequestRef(number=report.pr_number, title=report.pr_title, url=url)


def fold_reports(reports: Iterable[DeployReport], repo: str | None) -> list[Folded]:
    """All deployments that the reports tell of, oldest first. The order in which reports came is kept within one."""
    folded: list[Folded] = []
    places: dict[tuple[str, str], list[int]] = {}  # a revision has at least seven digits: only these are looked at
    for report in reports:
        near = places.setdefault((report.environment, report.revision[:7]), [])
        place = next((one for one in reversed(near) if belongs(report, folded[one])), None)
        if place is None:
            near.append(len(folded))
            folded.append(begin(report, repo))
        else:
            folded[place] = advance(folded[place], report, repo)
    return sorted(folded, key=lambda one: one.deployment.started_at)


def fold(reports: Iterable[DeployReport], repo: str | None) -> list[Deployment]:
    return [one.deployment for one in fold_reports(reports, repo)]


def is_stuck(deployment: Deployment, *, after: timedelta, now: datetime) -> bool:
    """It started, and nobody said in time how it ended."""
    return deployment.phase is Phase.STARTED and now - deployment.started_at >= after


def with_stuck(deployments: Iterable[Deployment], *, after: timedelta, now: datetime) -> list[Deployment]:
    return [
        msgspec.structs.replace(one, stuck=True) if is_stuck(one, after=after, now=now) else one for one in deployments
    ]


def slots_as_reported(deployments: Iterable[Deployment]) -> dict[str, SlotState]:
    """What was last deployed to each slot with success, oldest first; nobody has asked the slots themselves."""
    slots = dict.fromkeys(SLOTS, SlotState(revision=None, healthy=None, since=None))
    for one in deployments:
        if one.slot and one.phase is Phase.SUCCEEDED:
            slots[one.slot] = SlotState(revision=one.revision, healthy=None, since=one.ended_at, deployed=one.revision)
    return slots


def compare_url(repo: str | None, deployments: list[Deployment]) -> str | None:
    """What the last deployment changed: from the revision before it that was deployed with success."""
    if not repo or not deployments:
        return None
    last = deployments[-1]
    before = [
        one.revision
        for one in deployments[:-1]
        if one.phase is Phase.SUCCEEDED and not same_revision(one.revision, last.revision)
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
        active_source="deployments" if live else None,
        slots=slots_as_reported(deployments),
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
