"""Which errors are the same: fingerprints of type, message template and top frames, and the groups they make.

Pure. What varies from one occurrence to the next (numbers, ids, quoted texts, line numbers) is not part of it.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from chimney.core.redact import safe
from chimney.wire.errors import ErrorExample, ErrorGroup
from chimney.wire.telemetry import LEVELS, LogRow, SpanRow

FRAMES = 3
LONGEST_TEMPLATE = 200
LONGEST_STACK = 4_096
MOST_GROUPS = 2_000  # ~6 kB each at most: 12 MB
MOST_DEPLOYMENTS = 50
RECENT = 10_000  # errors by fingerprint and trace: one that is told as log record and as span counts once
UNKNOWN = "unknown"

_VARYING = (
    (re.compile(r"(?:\x1b|\\u001b)\[[0-9;]{0,40}m"), ""),  # a terminal's colours, as they came or spelled out
    (re.compile(r"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"'[^']{0,200}'|\"[^\"]{0,200}\""), "<text>"),
    (re.compile(r"(?i)\b(?:0x[0-9a-f]+|(?=[a-f]*[0-9])[0-9a-f]{7,64})\b"), "<id>"),
    (re.compile(r"\d+(?:\.\d+)*"), "<n>"),
)
_PYTHON = re.compile(r'^\s*File "([^"]{1,300})", line \d+, in (\S{1,200})', re.MULTILINE)
_AT = re.compile(r"^\s*at (?:async )?([^\s(]{1,200})(?: \(|\()([^()\n]{1,300})\)", re.MULTILINE)  # JavaScript, Java
_GO = re.compile(r"^([\w./*()-]{1,200})\([^\n]*\)\n\s+(\S{1,300}\.go):\d+", re.MULTILINE)
_LAST_LINE = re.compile(r"([A-Za-z_][\w.]{0,100}(?:Error|Exception|Exit|Interrupt|Warning|Panic)\w{0,30})\b")
_FINGERPRINT = re.compile("[0-9a-f]{16}")  # as origins name their faults
TOLD_ELSEWHERE = ("chimney.request", "caddy.access")  # the same error has a record with its fingerprint
_LINE_NUMBER = re.compile(r":\d+(?::\d+)?$")


class Occurrence(msgspec.Struct, frozen=True, kw_only=True):
    """One error. `seconds` is Unix time."""

    type: str
    message: str
    source: str
    seconds: float
    stack: str | None = None
    trace_id: str | None = None
    request_id: str | None = None
    deployment: str | None = None
    log_id: int | None = None
    fingerprint: str | None = None


def template(message: str) -> str:
    """The message without what varies; its first line, cut."""
    text = message.partition("\n")[0][: LONGEST_TEMPLATE * 2]
    for pattern, shown in _VARYING:
        text = pattern.sub(shown, text)
    return text[:LONGEST_TEMPLATE].strip()


def frames(stack: str | None) -> list[str]:
    """The frames nearest to the fault, `function (file)`, without line numbers."""
    if not stack:
        return []
    python = _PYTHON.findall(stack)
    if python:
        return [f"{function} ({file.rpartition('/')[2]})" for file, function in reversed(python)][:FRAMES]
    found = _AT.findall(stack) or _GO.findall(stack)
    return [f"{function} ({_LINE_NUMBER.sub('', file).rpartition('/')[2]})" for function, file in found[:FRAMES]]


def fingerprint(kind: str, shape: str, top: Iterable[str], source: str) -> str:
    text = "\0".join((kind, shape, source, *top))
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def of_log(row: LogRow, seconds: float) -> Occurrence | None:
    """None for a record that tells of no error."""
    if LEVELS.get(row.level, 0) < LEVELS["error"] or row.kind != "log":
        return None
    fields = row.fields
    said = _text(fields, "fingerprint")
    if said is None and row.logger in TOLD_ELSEWHERE:
        return None
    stack = _text(fields, "exception.stacktrace", "stack", "stacktrace", "exc_info")
    kind = _text(fields, "exception.type", "error_type", "error.type") or _type_in(stack, row.message)
    message = _text(fields, "exception.message") or row.message
    error = _text(fields, "error")
    if said and error and not stack:  # an origin's request, whose own message is its path and time
        kind, message = error.partition(":")[0], error
    return Occurrence(
        type=safe(kind or row.logger or "error", longest=200),
        message=message,
        source=row.source,
        seconds=seconds,
        stack=stack[-LONGEST_STACK:] if stack else None,
        trace_id=row.trace_id,
        request_id=row.request_id,
        deployment=row.deployment,
        log_id=row.id,
        fingerprint=_named(said),
    )


def of_span(span: SpanRow) -> Iterator[Occurrence]:
    """An error span's exceptions; the span itself when it is the error and says no exception."""
    told, said = False, _named(_text(span.attributes, "chimney.error.fingerprint"))
    for event in span.events:
        attributes = event.get("attributes") or {}
        if event.get("name") != "exception":
            continue
        told = True
        stack = _text(attributes, "exception.stacktrace")
        yield Occurrence(
            type=_text(attributes, "exception.type") or "exception",
            message=_text(attributes, "exception.message") or span.status_message or span.name,
            source=span.service,
            seconds=(event.get("at_ns") or span.start_ns) / 1e9,
            stack=stack[-LONGEST_STACK:] if stack else None,
            trace_id=span.trace_id,
            deployment=_text(span.resource, "deployment.id"),
            fingerprint=said,
        )
    if span.status == "error" and not told and span.kind in ("server", "consumer"):
        yield Occurrence(
            type=_text(span.attributes, "error.type") or "span",
            message=span.status_message or span.name,
            source=span.service,
            seconds=span.start_ns / 1e9,
            trace_id=span.trace_id,
            deployment=_text(span.resource, "deployment.id"),
            fingerprint=said,
        )


def _named(said: str | None) -> str | None:
    return said if said and _FINGERPRINT.fullmatch(said) else None


def _text(fields: dict[str, object], *names: str) -> str | None:
    found = next((fields[name] for name in names if fields.get(name)), None)
    return found if isinstance(found, str) else None


def _type_in(stack: str | None, message: str) -> str | None:
    last = stack.strip().rpartition("\n")[2] if stack else ""
    found = _LAST_LINE.match(last) or _LAST_LINE.search(message[:500])
    return found[1] if found else None


class Told(NamedTuple):
    """Where an error was counted, and whether a deployment was known."""

    key: str
    placed: bool


class ErrorGroups:
    """Groups by fingerprint, at most `most`: the one that was not seen for longest goes first."""

    def __init__(self, most: int = MOST_GROUPS) -> None:
        self._most = most
        self.groups: OrderedDict[str, ErrorGroup] = OrderedDict()
        self.dropped = 0
        self._recent: OrderedDict[tuple[str, str], Told] = OrderedDict()

    def put(self, group: ErrorGroup) -> None:
        """A group as it was kept."""
        self.groups[group.id] = group

    def note(self, one: Occurrence) -> ErrorGroup | None:
        """The group as it is now; None when this error was counted before, and nothing is new about it."""
        shape, top = template(one.message), frames(one.stack)
        key = one.fingerprint or fingerprint(one.type, shape, top, one.source)
        loose = one.fingerprint or fingerprint(one.type, shape, (), one.source)
        if one.trace_id:
            told = self._recent.get((loose, one.trace_id))
            if told:
                return self._again(told, loose, one)
            self._recent[loose, one.trace_id] = Told(key, one.deployment is not None)
            if len(self._recent) > RECENT:
                self._recent.popitem(last=False)
        before = self.groups.pop(key, None)
        group = self.groups[key] = _grown(before, one) if before else _first(key, one, shape, top)
        if len(self.groups) > self._most:
            self.groups.popitem(last=False)
            self.dropped += 1
        return group

    def _again(self, told: "Told", loose: str, one: Occurrence) -> ErrorGroup | None:
        """A span may be here before the record of the same error, which knows the origin and so the deployment."""
        group = self.groups.get(told.key)
        if group is None or one.deployment is None or told.placed:
            return None
        self._recent[loose, str(one.trace_id)] = Told(told.key, True)
        group = self.groups[told.key] = _placed(group, one)
        return group


def _example(one: Occurrence, at: datetime) -> ErrorExample:
    return ErrorExample(
        at=at,
        message=one.message[:2000],
        stack=one.stack,
        trace_id=one.trace_id,
        request_id=one.request_id,
        log_id=one.log_id,
    )


def _first(key: str, one: Occurrence, shape: str, top: list[str]) -> ErrorGroup:
    at = _moment(one.seconds)
    return ErrorGroup(
        id=key,
        type=one.type,
        template=shape,
        source=one.source,
        frames=top,
        first_seen=at,
        last_seen=at,
        count=1,
        by_deployment={one.deployment or UNKNOWN: 1},
        first_deployment=one.deployment,
        example=_example(one, at),
    )


def _grown(before: ErrorGroup, one: Occurrence) -> ErrorGroup:
    at = _moment(one.seconds)
    deployment = one.deployment or UNKNOWN
    counts = before.by_deployment
    if deployment in counts or len(counts) < MOST_DEPLOYMENTS:
        counts = {**counts, deployment: counts.get(deployment, 0) + 1}
    newer = at >= before.last_seen
    return msgspec.structs.replace(
        before,
        first_seen=min(before.first_seen, at),
        last_seen=max(before.last_seen, at),
        count=before.count + 1,
        by_deployment=counts,
        example=_example(one, at) if newer else before.example,
    )


def _placed(group: ErrorGroup, one: Occurrence) -> ErrorGroup:
    """One that was counted outside any deployment is counted in its own."""
    counts = dict(group.by_deployment)
    counts[UNKNOWN] = counts.get(UNKNOWN, 1) - 1
    if not counts[UNKNOWN]:
        del counts[UNKNOWN]
    deployment = one.deployment or UNKNOWN
    counts[deployment] = counts.get(deployment, 0) + 1
    first, example = _moment(one.seconds) <= group.first_seen or group.count == 1, group.example
    if example.trace_id == one.trace_id:
        example = msgspec.structs.replace(
            example, request_id=example.request_id or one.request_id, log_id=example.log_id or one.log_id
        )
    return msgspec.structs.replace(
        group,
        source=one.source if group.count == 1 else group.source,
        by_deployment=counts,
        first_deployment=one.deployment if first else group.first_deployment,
        example=example,
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
