"""Making a finding: the id is stable while it is current, so it is made of what does not change."""

from datetime import datetime

from chimney.core.facts import OriginFacts
from chimney.wire.finding import Evidence, Finding, Severity

COMPONENTS = {
    "origin_stream_lost": "stream",
    "github_unauthorized": "github",
    "github_rate_limited": "github",
    "github_unreachable": "github",
    "github_quota_low": "github",
    "deploy_failed": "deployment",
    "deploy_stuck": "deployment",
    "pipeline_red": "pipeline",
    "log_dropped": "log",
    "storage_full": "storage",
    "storage_damaged": "storage",
    "no_data": "table",
    "source_unreachable": "sources",
    "alert_firing": "alerts",
    "telemetry_refused": "receiver",
}


def of_origin(
    code: str,
    origin: OriginFacts,
    *,
    severity: Severity,
    since: datetime,
    title: str,
    detail: str,
    evidence: list[Evidence],
    remedy: str,
) -> Finding:
    component = COMPONENTS.get(code, "origin")
    return Finding(
        id=f"{code}:{component}:{origin.name}",
        code=code,
        severity=severity,
        component=component,
        origin=origin.name,
        since=since,
        title=title,
        detail=detail,
        evidence=evidence,
        remedy=remedy,
    )


def of_table(
    code: str, *, severity: Severity, since: datetime, title: str, detail: str, evidence: list[Evidence], remedy: str
) -> Finding:
    """About the table itself: no origin is named."""
    component = COMPONENTS[code]
    return Finding(
        id=f"{code}:{component}",
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
