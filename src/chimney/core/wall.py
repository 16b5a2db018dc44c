"""What of the overview hangs on the wall: states and words, no addresses, nothing to act with."""

from collections.abc import Mapping

from chimney.wire.deployment import Deployment, Phase
from chimney.wire.finding import Finding
from chimney.wire.origin import Change, OriginState, Overview
from chimney.wire.wall import Traffic, Wall, WallChange, WallDeployment, WallFinding, WallOrigin, WallSlot

MOST_FINDINGS = 30
MOST_CHANGES = 8


def wall(overview: Overview, *, traffic: Mapping[str, Traffic]) -> Wall:
    findings = overview.findings
    return Wall(
        at=overview.at,
        version=overview.version,
        findings=[_finding(one) for one in findings.items[:MOST_FINDINGS]],
        good_since=findings.good_since,
        origins=[_origin(one, traffic.get(one.name)) for one in overview.origins],
        changes=[_change(one) for one in overview.changes[:MOST_CHANGES]],
        errors_last_5_min=overview.errors_last_5_min,
    )


def _finding(one: Finding) -> WallFinding:
    return WallFinding(id=one.id, severity=one.severity, title=one.title, origin=one.origin, since=one.since)


def _origin(one: OriginState, traffic: Traffic | None) -> WallOrigin:
    branch = one.pipeline.default_branch if one.pipeline else None
    return WallOrigin(
        name=one.name,
        state=one.state,
        reason=one.reason,
        demonstration=one.demonstration,
        repo=one.pipeline.repo if one.pipeline else None,
        branch=branch.name if branch else None,
        branch_state=branch.state if branch else None,
        branch_since=branch.since if branch else None,
        slots=_slots(one),
        last=_last(one),
        latency_ms=one.latency_ms,
        hit_rate_pct=one.health.cache.hit_rate_pct if one.health else None,
        uptime_24h_pct=one.uptime_24h_pct,
        uptime_bars=one.uptime_bars,
        traffic=traffic,
    )


def _slots(one: OriginState) -> list[WallSlot]:
    deploy = one.deploy
    if deploy is None:
        return []
    return [
        WallSlot(
            name=name,
            revision=slot.revision or slot.deployed,
            healthy=slot.healthy,
            active=name == deploy.active_slot,
        )
        for name, slot in sorted(deploy.slots.items())
    ]


def _last(one: OriginState) -> WallDeployment | None:
    """The one that is in progress, else the last that was told."""
    deploy = one.deploy
    found: Deployment | None = (deploy.in_progress or deploy.last_deploy) if deploy else None
    if found is None:
        return None
    return WallDeployment(
        origin=one.name,
        revision=found.revision,
        environment=found.environment,
        slot=found.slot,
        phase=found.phase,
        what=(found.pr.title if found.pr else None) or found.message,
        pr_number=found.pr.number if found.pr else None,
        actor=found.actor,
        started_at=found.started_at,
        ended_at=found.ended_at,
        stuck=found.stuck,
    )


def _change(one: Change) -> WallChange:
    newest = one.deployments[0] if one.deployments else None
    phase: Phase | None = newest.phase if newest else None
    return WallChange(
        revision=one.revision,
        title=one.title,
        pr_number=one.pr_number,
        actor=one.actor,
        at=one.at,
        ci=one.ci,
        phase=phase,
        slot=newest.slot if newest else None,
    )
