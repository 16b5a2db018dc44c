"""Notifications in words: one message for a digest, short enough for a chat, with links to the table's page."""

import re
from collections import Counter
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote

import msgspec

from chimney.core.finding_of import duration
from chimney.core.notify import Cause, Digest, Event, Told
from chimney.wire.finding import Severity
from chimney.wire.origin import PlacedDeployment
from chimney.wire.verdict import Verdict, VerdictFigures, VerdictState

MOST_LISTED = 15
LONGEST_BODY = 3_500  # characters: chats cut at four thousand
LONGEST_TITLE = 200
FIELDS = ("state", "severity", "title", "detail", "origin", "evidence", "remedy", "since", "url")
_FIELD = re.compile(r"\{(\w+)\}")
# chats call everybody by these; a commit message must not be able to
_CALLS = re.compile(r"@(everyone|here|channel|all)\b|<(?=[!@#])", re.IGNORECASE)
_WORD = {
    VerdictState.HARMLESS: "is harmless",
    VerdictState.HARMFUL: "is harmful",
    VerdictState.TOO_LITTLE_TRAFFIC: "had too little traffic to say whether it hurt",
}


class Kind(StrEnum):
    """In Apprise's words, which services show as colours."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"


class Message(msgspec.Struct, frozen=True):
    title: str
    body: str
    kind: Kind


def unknown_fields(template: str) -> list[str]:
    """What a template names and no cause has."""
    return sorted(set(_FIELD.findall(template)) - set(FIELDS))


def message_of(told: Digest, *, url: str | None, now: datetime, template: str | None = None) -> Message:
    """`url` is where people open the table, None when nobody said."""
    parts = [*_causes(told, url, template), *(_over(one, now) for one in told.resolved)]
    parts += [_missed(one, now) for one in told.missed]
    shown = parts[:MOST_LISTED]
    if len(parts) > len(shown):
        shown.append(f"… and {len(parts) - len(shown)} more" + (f": {url}" if url else ""))
    body = "\n\n".join(shown)
    cut = body if len(body) <= LONGEST_BODY else f"{body[:LONGEST_BODY]}…"
    return Message(_calm(_title(told))[:LONGEST_TITLE], _calm(cut), _kind(told))


def _calm(text: str) -> str:
    return _CALLS.sub(lambda found: f"@\u2009{found[1]}" if found[1] else "‹", text)


def _kind(told: Digest) -> Kind:
    causes = [*told.new, *told.changed]
    if any(one.severity is Severity.CRITICAL for one in causes):
        return Kind.FAILURE
    if any(one.severity is Severity.WARNING for one in causes):
        return Kind.WARNING
    return Kind.SUCCESS if told.resolved and not causes else Kind.INFO


def _title(told: Digest) -> str:
    causes = [*told.new, *told.changed]
    if len(causes) == 1 and not told.resolved and not told.missed:
        return _headline(causes[0])
    if len(told.resolved) == 1 and not causes and not told.missed:
        return f"[resolved] {_recovered(told.resolved[0])}"
    counts = Counter(one.severity.value for one in causes)
    words = [f"{counts[one]} {one}" for one in Severity if counts[one]]
    words += [f"{len(told.resolved)} resolved"] if told.resolved else []
    words += [f"{len(told.missed)} over"] if told.missed else []
    return f"chimney: {', '.join(words)}"


def _headline(cause: Cause) -> str:
    return cause.title if cause.event is Event.DEPLOYMENTS else f"[{cause.severity}] {cause.title}"


def _causes(told: Digest, url: str | None, template: str | None) -> list[str]:
    causes = [*told.new, *told.changed]
    if template:
        return [_filled(template, cause, url) for cause in causes]
    alone = told.count == 1
    return [_said(cause, url, titled=not alone, whole=len(causes) <= 3) for cause in causes]


def _said(cause: Cause, url: str | None, *, titled: bool, whole: bool) -> str:
    lines = [_headline(cause)] if titled else []
    if whole:
        lines += [cause.detail, *cause.evidence]
        lines += [f"What to do: {cause.remedy}"] if cause.remedy else []
    if url:
        lines.append(f"{url}{cause.path}")
        lines += [f"Go back: {url}{cause.back}"] if cause.back else []
    return "\n".join(filter(None, lines))


def _filled(template: str, cause: Cause, url: str | None) -> str:
    values = {
        "state": cause.state,
        "severity": str(cause.severity),
        "title": cause.title,
        "detail": cause.detail,
        "origin": cause.origin or "",
        "evidence": "; ".join(cause.evidence),
        "remedy": cause.remedy,
        "since": cause.since.isoformat(timespec="seconds"),
        "url": f"{url}{cause.path}" if url else "",
    }
    return _FIELD.sub(lambda found: values.get(found[1], found[0]), template)


def _recovered(one: Told) -> str:
    return one.title.removesuffix(" is red") + " has recovered" if one.event is Event.MAIN else one.title


def _over(one: Told, now: datetime) -> str:
    return f"[resolved] {_recovered(one)} (after {duration((now - one.since).total_seconds())})"


def _missed(cause: Cause, now: datetime) -> str:
    began = duration((now - cause.since).total_seconds())
    return f"[over] {cause.title} (began {began} ago; it could not be told in time)"


def verdict_cause(one: PlacedDeployment, verdict: Verdict) -> Cause:
    """A verdict as something to tell; `verdict` is not pending."""
    harmful = verdict.state is VerdictState.HARMFUL
    looked = duration(verdict.after_seconds or 0)
    what = f"{one.revision[:7]}" + (f" (#{one.pr.number} {one.pr.title or ''})".replace(" )", ")") if one.pr else "")
    return Cause(
        id=f"verdict:{one.origin}:{one.id}",
        event=Event.DEPLOYMENTS,
        severity=Severity.WARNING if harmful else Severity.INFO,
        origin=one.origin,
        since=verdict.at or one.started_at,
        title=f"Deployment {one.revision[:7]} of {one.origin} {_WORD.get(verdict.state, verdict.state)}",
        detail=f"{what} to {one.environment}" + (f" by {one.actor}" if one.actor else "") + f", {looked} after it.",
        evidence=(*(f"- {reason}" for reason in verdict.reasons), *_figures(verdict.before, verdict.after)),
        remedy="If it goes on, go back to the deployment before it." if harmful and verdict.previous else "",
        state=verdict.state,
        path=_page(one.origin, one.id),
        back=_page(one.origin, verdict.previous) if harmful and verdict.previous else None,
        lasts=False,
    )


def _page(origin: str, deployment: str) -> str:
    return f"/deployments/{quote(origin, safe='')}/{quote(deployment, safe='')}"


def _figures(before: VerdictFigures | None, after: VerdictFigures | None) -> list[str]:
    if after is None:
        return []
    rows = (
        ("errors", "error_rate_pct", " %"),
        ("95 % within", "p95_ms", " ms"),
        ("new kinds of errors", "new_error_groups", ""),
        ("restarts", "restarts", ""),
        ("requests", "requests", ""),
    )
    return [
        f"{name}: {_shown(before, field)} → {_shown(after, field)}{unit}"
        for name, field, unit in rows
        if getattr(after, field) is not None
    ]


def _shown(figures: VerdictFigures | None, field: str) -> str:
    value = getattr(figures, field, None)
    return "?" if value is None else f"{value:g}"
