"""Findings about GitHub's webhooks: refused ones, and ones that should have come."""

from datetime import datetime, timedelta

from chimney.core.facts import OriginFacts
from chimney.core.finding_of import duration, of_origin
from chimney.wire.finding import Evidence, Finding, Severity
from chimney.wire.pipeline import PipelineSummary

RECENT = timedelta(minutes=15)
LATE = timedelta(seconds=45)  # GitHub delivers within seconds


def rejected(origin: OriginFacts, now: datetime) -> Finding | None:
    """Until one is taken after it, or none came for a while. Whoever just knocks is not counted by the origin."""
    hooks = origin.health.webhooks if origin.health else None
    if origin.failure or hooks is None or hooks.mis_signed_at is None:
        return None
    taken = origin.peers.webhook_at if origin.peers else hooks.last_at
    if now - hooks.mis_signed_at > RECENT or (taken and taken > hooks.mis_signed_at):
        return None
    return of_origin(
        "webhook_rejected",
        origin,
        shared=True,
        severity=Severity.WARNING,
        since=hooks.mis_signed_at,
        title=f"Origin {origin.name} refuses GitHub's webhooks: the secret is another one",
        detail="Deliveries come, and are not signed with CHIMNEY_WEBHOOK_SECRET. Until they are taken, what changes at"
        " GitHub is seen minutes later, when what is stored has grown old.",
        evidence=[Evidence(what="deliveries refused", value=f"{hooks.mis_signed:,}", at=hooks.mis_signed_at)],
        remedy="Set the webhook's secret in the repository's settings (Settings, Webhooks) to CHIMNEY_WEBHOOK_SECRET of"
        " the origin, and have GitHub redeliver what failed.",
    )


def silent(origin: OriginFacts, now: datetime) -> Finding | None:
    """Something happened at GitHub after the last delivery, and after the start, and nobody told of it."""
    health = origin.health
    hooks = health.webhooks if health else None
    if origin.failure or health is None or hooks is None or not hooks.configured or origin.pipeline is None:
        return None
    heard = (origin.peers.webhook_at if origin.peers else None) or hooks.last_at
    since = max(filter(None, (heard, health.started_at)))
    newest = _newest(origin.pipeline)
    if newest is None or newest[0] - since < LATE or now - newest[0] < LATE:
        return None
    at, what = newest
    last = f"{duration((now - heard).total_seconds())} ago" if heard else "none since the origin's start"
    return of_origin(
        "webhook_silent",
        origin,
        shared=True,
        severity=Severity.WARNING,
        since=at,
        title=f"GitHub's webhooks do not reach origin {origin.name}",
        detail="Something changed at GitHub, and no delivery told of it. It was seen by asking, which is minutes"
        " slower.",
        evidence=[
            Evidence(what="happened at GitHub", value=what, at=at),
            Evidence(what="last delivery", value=last, at=heard),
        ],
        remedy="Look at Recent Deliveries of the webhook in the repository's settings: they say what answered. It"
        " should be active, send to https://<origin>/api/webhooks/github, and its events include workflow runs, pull"
        " requests and pushes.",
    )


def _newest(pipeline: PipelineSummary) -> tuple[datetime, str] | None:
    happened = [(run.started_at, f"run of {run.workflow} on {run.branch or run.event}") for run in pipeline.runs]
    merged = pipeline.last_merged_pr
    if merged:
        happened.append((merged.merged_at, f"merge of #{merged.number}"))
    return max(happened, default=None)
