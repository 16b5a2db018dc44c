"""Making a finding: the id is stable while it is current, so it is made of what does not change."""

import re
from datetime import datetime

from chimney.core.facts import OriginFacts
from chimney.wire.finding import Evidence, Finding, FindingAct, Severity

COMPONENTS = {
    "origin_stream_lost": "stream",
    "certificate_expiring": "tls",
    "clock_skew": "clock",
    "edge_unreachable": "edge",
    "edge_wrong_upstream": "edge",
    "edge_no_healthy_upstream": "edge",
    "edge_reload_refused": "edge",
    "slot_mismatch": "edge",
    "github_unauthorized": "github",
    "github_rate_limited": "github",
    "github_unreachable": "github",
    "github_erroring": "github",
    "github_quota_low": "github",
    "webhook_rejected": "webhooks",
    "webhook_silent": "webhooks",
    "dragonfly_unreachable": "dragonfly",
    "dragonfly_full": "dragonfly",
    "cache_cold": "cache",
    "deploy_failed": "deployment",
    "deploy_stuck": "deployment",
    "deploy_harmful": "deployment",
    "error_rate_high": "traffic",
    "latency_regressed": "traffic",
    "pipeline_red": "pipeline",
    "log_dropped": "log",
    "storage_full": "storage",
    "storage_damaged": "storage",
    "no_data": "table",
    "table_behind": "table",
    "loop_failing": "loops",
    "notification_failing": "notifications",
    "source_unreachable": "sources",
    "alert_firing": "alerts",
    "telemetry_refused": "receiver",
}

_NOT_IN_A_PATH = re.compile(r"[^A-Za-z0-9._:-]+")


def _id(*parts: str | None) -> str:
    """Fit for one segment of a path."""
    return ":".join(_NOT_IN_A_PATH.sub("~", part) for part in parts if part)


def of_origin(  # noqa: PLR0913 — all that a finding has
    code: str,
    origin: OriginFacts,
    *,
    severity: Severity,
    since: datetime,
    title: str,
    detail: str,
    evidence: list[Evidence],
    remedy: str,
    act: FindingAct | None = None,
    shared: bool = False,
    part: str | None = None,
) -> Finding:
    """`shared`: all that share the cause draw the same, so it is named after the first of them. `part` is which of
    several of the same code at one origin."""
    component = COMPONENTS.get(code, "origin")
    named = origin.anchor if shared else origin.name
    return Finding(
        id=_id(code, component, named, part),
        code=code,
        severity=severity,
        component=component,
        origin=origin.name,
        since=since,
        title=title,
        detail=detail,
        evidence=evidence,
        remedy=remedy,
        act=act,
    )


def of_table(
    code: str,
    *,
    severity: Severity,
    since: datetime,
    title: str,
    detail: str,
    evidence: list[Evidence],
    remedy: str,
    part: str | None = None,
) -> Finding:
    """About the table itself: no origin is named."""
    component = COMPONENTS.get(code, "table")
    return Finding(
        id=_id(code, component, part),
        code=code,
        severity=severity,
        component=component,
        origin=None,
        since=since,
        title=title,
        detail=detail,
        evidence=evidence,
        remedy=remedy,
    )


def duration(seconds: float) -> str:
    """As a person says it: 42 s, 3 min, 2 h 5 min, 4 d 3 h."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"
