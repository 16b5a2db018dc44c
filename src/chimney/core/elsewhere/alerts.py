"""Alerts of Alertmanager, or of Prometheus itself, in one shape."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from chimney.core.redact import safe
from chimney.wire.finding import Severity

MOST_ALERTS = 200
OURS = {"source": "chimney"}  # a label of what a table sent there itself
_SEVERITIES = {"critical": Severity.CRITICAL, "error": Severity.CRITICAL, "page": Severity.CRITICAL}
_SEVERITIES |= {"info": Severity.INFO, "none": Severity.INFO, "notice": Severity.INFO}


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """`remedy` and `url` are empty when the rule says nothing."""

    id: str
    name: str
    severity: Severity
    since: datetime | None
    summary: str
    remedy: str
    url: str
    labels: dict[str, str]
    source: str


def from_alertmanager(answer: Any) -> list[Alert]:
    """The active ones: what is silenced or inhibited is somebody's decision. Not the findings of a table."""
    rows = [
        one
        for one in _rows(answer)
        if (one.get("status") or {}).get("state", "active") == "active" and not _is_ours(one.get("labels"))
    ]
    return [_alert(one, str(one.get("fingerprint", "")), one.get("startsAt"), "alertmanager") for one in rows]


def from_prometheus(answer: Any) -> list[Alert]:
    """The firing ones of `/api/v1/alerts`."""
    rows = _rows(answer.get("alerts") if isinstance(answer, Mapping) else None)
    firing = [one for one in rows if one.get("state") == "firing"]
    return [_alert(one, _key(one.get("labels") or {}), one.get("activeAt"), "prometheus") for one in firing]


def _is_ours(labels: Any) -> bool:
    return isinstance(labels, Mapping) and all(labels.get(name) == value for name, value in OURS.items())


def _rows(answer: Any) -> list[Mapping[str, Any]]:
    return [one for one in answer if isinstance(one, Mapping)][:MOST_ALERTS] if isinstance(answer, Iterable) else []


def _key(labels: Mapping[str, Any]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))[:200]


def _alert(one: Mapping[str, Any], key: str, since: Any, source: str) -> Alert:
    labels = {
        safe(str(name), longest=100): safe(str(value), longest=200) for name, value in (one.get("labels") or {}).items()
    }
    notes = {str(name): safe(str(value), longest=500) for name, value in (one.get("annotations") or {}).items()}
    name = labels.get("alertname") or "alert"
    return Alert(
        id=safe(key, longest=200),
        name=name,
        severity=_SEVERITIES.get(labels.get("severity", "").lower(), Severity.WARNING),
        since=_moment(since),
        summary=notes.get("summary") or notes.get("description") or notes.get("message") or name,
        remedy=notes.get("runbook_url") or notes.get("description") or "",
        url=safe(str(one.get("generatorURL") or ""), longest=500),
        labels=labels,
        source=source,
    )


def _moment(text: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else None
