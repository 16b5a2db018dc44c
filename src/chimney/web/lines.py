"""Records as JSON lines: what a finished request and a log call become on stderr, in the ring and in streams.

Whatever is in them is hostile text: one line each, bounded, secrets masked, and never an error instead of a line.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from chimney.core.redact import safe
from chimney.web.record import RequestRecord
from chimney.web.recover import short_stack
from chimney.wire.telemetry import LEVELS, RequestFields

DEEPEST = 6
LONGEST_REMEMBERED = 1024
LONGEST_METHOD = 32
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_encode = msgspec.json.Encoder(enc_hook=str).encode


class Line(msgspec.Struct, frozen=True, gc=False):
    """A record projected: its severity number and its JSON."""

    level: int
    json: bytes


class Captured(msgspec.Struct, frozen=True):
    """A log call, with the ids of the request during which it was made."""

    record: logging.LogRecord
    request_id: str | None
    trace_id: str | None
    span_id: str | None


@lru_cache(8)
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def rfc3339(seconds: float) -> str:
    """UTC to the millisecond. Records of one second share its text."""
    whole = int(seconds)
    return f"{_to_the_second(whole)}.{int((seconds - whole) * 1000):03d}Z"


def level_of(status: int, agent: bytes) -> str:
    """A 503 is said on purpose (starting, not configured, too busy), so it warns; any other 5xx is an error.

    What the table asks all day, and gets, is for debugging only: visitors are not to be looked for among it.
    """
    if status == 503:
        return "warning"
    if status >= 500:
        return "error"
    return "debug" if status < 400 and agent.startswith(b"chimney-table/") else "info"


class Shape(NamedTuple):
    """What many records have in common; their JSON is made once for all of them."""

    method: str
    path: str
    route: str
    status: int
    client: str
    agent: bytes
    cache: str | None
    tier: str | None
    error: str | None


def _common(shape: Shape) -> tuple[bytes, bytes]:
    """The beginning of the message, inside its quotes, and all fields that a shape decides, after the opening brace."""
    path = safe(shape.path, longest=1024)
    cache = f" {shape.cache}" if shape.cache else ""
    agent = safe(shape.agent.decode("utf-8", "replace"), longest=256)
    fields = RequestFields(
        method=shape.method,
        path=path,
        route=shape.route,
        status=shape.status,
        client=shape.client,
        user_agent=agent or msgspec.UNSET,
        cache=shape.cache or msgspec.UNSET,
        tier=shape.tier or msgspec.UNSET,
        error=safe(shape.error) if shape.error else msgspec.UNSET,
    )
    return _encode(f"{shape.method} {path} {shape.status}{cache}")[1:-1], _encode(fields)[1:]


_remembered = lru_cache(2048)(_common)  # at most ~2,048 × 4 kB: longer shapes are not remembered


def request_line(record: RequestRecord) -> Line:
    """The record as JSON, put together from what its shape decides and what is its own."""
    agent = record.headers.get(b"user-agent", b"")
    shape = Shape(
        record.method[:LONGEST_METHOD],
        record.path,
        record.route,
        record.status,
        record.client,
        agent,
        record.cache,
        record.tier,
        record.error,
    )
    ordinary = len(shape.path) + len(agent) <= LONGEST_REMEMBERED
    said, fields = _remembered(shape) if ordinary else _common(shape)
    level = level_of(record.status, agent)
    latency_ms = record.duration * 1000
    own = (
        f'{{"ts":"{rfc3339(record.started)}","level":"{level}","logger":"chimney.request","request_id":"{record.request_id}",'
        f'"trace_id":"{record.trace_id}","span_id":"{record.span_id}","latency_ms":{latency_ms:.3f},"bytes":{record.bytes},'
    )
    return Line(LEVELS[level], b'%b"message":"%b %.1f ms",%b' % (own.encode(), said, latency_ms, fields))


def _field(value: object, depth: int = 0) -> object:
    """A value of a log call, safe at every depth; what is no JSON is told as text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping) and depth < DEEPEST:
        return {safe(str(key), longest=200): _field(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < DEEPEST:
        return [_field(inner, depth + 1) for inner in value]
    return safe(str(value))


def _level_name(number: int) -> str:
    """The level at or below; logging allows any number."""
    return next((name for name, least in reversed(LEVELS.items()) if number >= least), "debug")


def _fields_of(captured: Captured) -> dict[str, Any]:
    record = captured.record
    try:
        message = record.getMessage()
    except Exception as error:
        message = f"{record.msg!r} (arguments did not fit: {error})"
    fields: dict[str, Any] = {
        "ts": rfc3339(record.created),
        "level": _level_name(record.levelno),
        "message": safe(message),
        "logger": safe(record.name, longest=200),
        "request_id": captured.request_id,
        "trace_id": captured.trace_id,
        "span_id": captured.span_id,
    }
    if record.exc_info and record.exc_info[1]:
        fields["error"] = safe(f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}", longest=500)
        fields["stack"] = safe(short_stack(record.exc_info[1]))
    extra = vars(record)
    fields.update({safe(key, longest=200): _field(extra[key]) for key in extra.keys() - _STANDARD - fields.keys()})
    if "id" in fields:  # the stream's own id goes there
        fields["record_id"] = fields.pop("id")
    return fields


def captured_line(captured: Captured) -> Line:
    """A log call as JSON. One that cannot be told is told as that: it must not take its neighbours with it."""
    record = captured.record
    try:
        return Line(record.levelno, _encode(_fields_of(captured)))
    except Exception as error:
        what = f"a record of {record.name!a} could not be told: {type(error).__name__}"
        ts, level = rfc3339(record.created), _level_name(record.levelno)
        told = {"ts": ts, "level": level, "message": what, "logger": __name__}
        return Line(record.levelno, _encode({**told, "request_id": None, "trace_id": None, "span_id": None}))


def as_json(line: Line) -> bytes:
    return line.json + b"\n"


def readable(line: Line) -> bytes:
    """For a terminal: time, level, message, and the stack when there is one, indented."""
    record = msgspec.json.decode(line.json)
    text = f"{record['ts'][11:23]} {record['level']:<8} {record['message']}"
    text += "\n" + record["stack"].rstrip() if record.get("stack") else ""
    return text.replace("\n", "\n    ").encode() + b"\n"  # a line that begins at the margin is a record of its own
