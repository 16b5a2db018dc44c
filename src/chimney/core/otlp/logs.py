"""Log records of OTLP as our own."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from chimney.core.otlp.values import (
    LONGEST_NAME,
    NS,
    attributes_of,
    believed,
    described,
    each,
    hexed,
    service_of,
    text_of,
    value_of,
)
from chimney.core.records import Record, rfc3339, severity
from chimney.core.redact import safe
from chimney.wire.telemetry import LEVELS

_LEVELS = (20, 10, 10, 10, 10, 10, 10, 10, 10, 20, 20, 20, 20, 30, 30, 30, 30, 40, 40, 40, 40, 50, 50, 50, 50)
_REQUEST_IDS = ("request_id", "request.id", "http.request.id")


def level_of(number: int, text: str) -> int:
    """OTLP's severity 1 to 24 as ours; its text when it has no number."""
    if 0 < number < len(_LEVELS):
        return _LEVELS[number]
    return severity(text) if text else 20


class Origin(msgspec.Struct, frozen=True):
    """What all records of one resource and scope share."""

    service: str
    logger: str
    resource: dict[str, Any]
    deployment: str | None
    revision: str | None


def records(request: Any, *, now_ms: int, named: Callable[[str], str]) -> Iterator[tuple[str, Record]]:
    """Every record with its source, one by one, so that a large request is never whole in memory as rows.

    `named` may put another name in a service's place.
    """
    for resource, scope, given in each(request.resource_logs, "scope_logs", "log_records"):
        if not given:
            continue
        known = attributes_of(resource.attributes)
        service = service_of(known)
        origin = Origin(
            service,
            safe(scope.name, longest=LONGEST_NAME),
            described(known),
            text_of(known.get("deployment.id"))[:128] or None,
            text_of(known.get("vcs.ref.head.revision"))[:128] or None,
        )
        source = named(service)
        for one in given:
            yield source, record(one, origin, now_ms=now_ms)


def record(one: Any, origin: Origin, *, now_ms: int) -> Record:
    fields = attributes_of(one.attributes)
    request_id = next((fields.pop(name) for name in _REQUEST_IDS if name in fields), None)
    if one.event_name:
        fields["event_name"] = safe(one.event_name, longest=LONGEST_NAME)
    if origin.resource:
        fields["resource"] = origin.resource
    said = one.time_unix_nano or one.observed_time_unix_nano
    trusted = believed(said, now_ms)
    if said and not trusted:
        fields["time_said"] = rfc3339(said // NS)
    body = value_of(one.body)
    message = text_of(body)
    if isinstance(body, dict):
        fields["body"] = body
        inner = body.get("message") or body.get("msg")
        message = inner if isinstance(inner, str) else message
    return Record(
        ts_ms=said // NS if trusted else now_ms,
        level=level_of(one.severity_number, one.severity_text),
        message=message or fields.get("event_name", ""),
        logger=origin.logger,
        request_id=text_of(request_id)[:128] or None,
        trace_id=hexed(one.trace_id, 16),
        fields=fields,
        span_id=hexed(one.span_id, 8),
        service=origin.service,
        deployment=origin.deployment,
        revision=origin.revision,
        severity=_own_words(one.severity_text),
    )


def _own_words(text: str) -> str | None:
    """The sender's name of a severity, where it is not simply ours."""
    return safe(text, longest=40) if text and text.lower() not in LEVELS else None


def count(request: Any) -> int:
    return sum(len(given) for _, _, given in each(request.resource_logs, "scope_logs", "log_records"))
