"""Findings as Alertmanager takes them (`POST /api/v2/alerts`). Pure.

An alert ends by itself when it is not sent again, so that those of a table that is gone do not stay for ever.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from chimney.core.elsewhere.alerts import OURS
from chimney.wire.finding import Finding

LASTS = timedelta(minutes=4)  # four times the pace: Prometheus does the same
FROM_THERE = frozenset(("alert_firing",))  # what came from an Alertmanager does not go back


def sendable(findings: Iterable[Finding]) -> dict[str, Finding]:
    """By id; what is silenced here is not sent there."""
    return {one.id: one for one in findings if not one.silenced and one.code not in FROM_THERE}


def alerts_of(
    current: Mapping[str, Finding], before: Mapping[str, Finding], *, url: str | None, now: datetime
) -> list[dict[str, Any]]:
    """All that is current, and the ends of what was sent before and is not. Labels are what tells alerts apart, so one
    whose severity changed ends and begins as another."""
    gone = [one for known, one in before.items() if known not in current or current[known].severity != one.severity]
    return [
        *(_alert(one, url, ends=now) for one in gone),
        *(_alert(one, url, ends=now + LASTS) for one in current.values()),
    ]


def _alert(one: Finding, url: str | None, *, ends: datetime) -> dict[str, Any]:
    labels = {
        "alertname": one.code,
        "severity": str(one.severity),
        "component": one.component,
        "finding": one.id,
        **OURS,
        **({"origin": one.origin} if one.origin else {}),
    }
    evidence = "; ".join(f"{said.what}: {said.value}" for said in one.evidence)
    annotations = {"summary": one.title, "description": one.detail, "remedy": one.remedy, "evidence": evidence}
    return {
        "labels": labels,
        "annotations": {name: text for name, text in annotations.items() if text},
        "startsAt": one.since.isoformat(),
        "endsAt": ends.isoformat(),
        **({"generatorURL": f"{url}/"} if url else {}),
    }
