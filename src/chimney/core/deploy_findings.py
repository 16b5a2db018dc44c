"""Findings about deployments and the pipeline."""

import re
from datetime import datetime, timedelta

from chimney.core.facts import OriginFacts
from chimney.core.finding_of import duration, of_origin
from chimney.wire.act import Act
from chimney.wire.deployment import Phase
from chimney.wire.finding import Evidence, Finding, FindingAct, Severity

STUCK_AFTER = timedelta(minutes=30)  # of an origin that does not say
_RUN = re.compile(r"https?://[^/]+/([^/\s]+/[^/\s]+)/actions/runs/([0-9]{1,18})")


def deploy_failed(origin: OriginFacts, _now: datetime) -> Finding | None:
    last = origin.deploy.last_deploy if origin.deploy else None
    if last is None or last.phase is not Phase.FAILED:
        return None
    where = f"{last.environment}, slot {last.slot}" if last.slot else last.environment
    run = [Evidence(what="run", value=last.run_url)] if last.run_url else []
    return of_origin(
        "deploy_failed",
        origin,
        shared=True,
        severity=Severity.WARNING,
        since=last.ended_at or last.started_at,
        title=f"The last deployment of {origin.name} failed",
        detail=f"Revision {last.revision[:7]} did not reach {where}"
        + (f": {last.message}." if last.message else ".")
        + " What ran before it should still be running.",
        evidence=[Evidence(what="revision", value=last.revision, at=last.ended_at), *run],
        remedy="Read the log of the run, fix the cause and deploy again. A successful deployment clears this.",
        act=_again(origin, last.run_url),
    )


def _again(origin: OriginFacts, url: str | None) -> FindingAct | None:
    """To run what failed once more, where a run of GitHub's is known."""
    run = _RUN.match(url or "")
    return FindingAct(act=Act.RERUN_FAILED, origin=origin.name, repo=run[1], run_id=int(run[2])) if run else None


def deploy_stuck(origin: OriginFacts, now: datetime) -> Finding | None:
    running = origin.deploy.in_progress if origin.deploy else None
    said = origin.deploy.stuck_after_seconds if origin.deploy else None
    after = timedelta(seconds=said) if said else STUCK_AFTER
    if running is None or now - running.started_at < after:
        return None
    run = [Evidence(what="run", value=running.run_url)] if running.run_url else []
    return of_origin(
        "deploy_stuck",
        origin,
        shared=True,
        severity=Severity.WARNING,
        since=running.started_at + after,
        title=f"A deployment of {origin.name} has been running for"
        f" {duration((now - running.started_at).total_seconds())}",
        detail=f"Revision {running.revision[:7]} was reported as started and never as ended.",
        evidence=[Evidence(what="started", value=running.revision, at=running.started_at), *run],
        remedy="See whether the run still works. If it ended, its last step did not report: send the outcome with"
        f" chimney deploy report --phase succeeded (or failed) --revision {running.revision[:12]}.",
    )


def deploy_harmful(origin: OriginFacts, now: datetime) -> Finding | None:
    """The verdict of the newest deployment that is live. Another deployment, or going back, clears it."""
    harm = origin.harm
    if harm is None:
        return None
    one, verdict = harm.deployment, harm.verdict
    before = verdict.previous
    return of_origin(
        "deploy_harmful",
        origin,
        shared=True,
        severity=Severity.CRITICAL,
        since=verdict.at or now,
        title=f"The last deployment of {origin.name} hurts ({one.revision[:7]})",
        detail="; ".join(verdict.reasons) + ".",
        evidence=[
            Evidence(what="revision", value=one.revision, at=one.ended_at or one.started_at),
            *(Evidence(what="since it is live", value=reason, at=verdict.at) for reason in verdict.reasons[:5]),
        ],
        remedy="Go back to the deployment before, then find the cause: Deployments shows what it changed, Errors what"
        " is new in it."
        if before
        else "Deploy a revision that worked, then find the cause: Deployments shows what it changed.",
        act=FindingAct(
            act=Act.ROLLBACK, origin=origin.name, deployment=before, reason=f"{one.revision[:7]} hurts visitors"
        )
        if before
        else None,
    )


def pipeline_red(origin: OriginFacts, now: datetime) -> Finding | None:
    branch = origin.pipeline.default_branch if origin.pipeline else None
    if origin.pipeline is None or branch is None or branch.state != "red":
        return None
    failed = [run for run in origin.pipeline.runs if run.branch == branch.name and run.conclusion == "failure"]
    return of_origin(
        "pipeline_red",
        origin,
        shared=True,
        severity=Severity.WARNING,
        since=branch.since or now,
        title=f"{branch.name} of {origin.pipeline.repo} is red",
        detail="The newest run on the default branch failed: what is merged now cannot be trusted to deploy.",
        evidence=[Evidence(what=run.workflow, value=run.url, at=run.started_at) for run in failed[:3]],
        remedy="Open the failed run. If it is a flake, run the failed jobs again; else fix or revert the last merge.",
        act=FindingAct(act=Act.RERUN_FAILED, origin=origin.name, repo=origin.pipeline.repo, run_id=failed[0].id)
        if failed
        else None,
    )
