"""Records as JSON lines: what a finished request and a log call become on stderr, in the ring and in streams.

Whatever is in them is hostile text: one line each, bounded, secrets masked, and never an error instead of a line.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import msgspec

from chimney.core.fingerprint import fingerprint
from chimney.core.redact import MASKED, names_a_secret, safe
from chimney.web.record import RequestRecord
from chimney.web.recover import frames_of, short_stack
from chimney.wire.telemetry import LEVELS, RequestFields, VisitorFields

DEEPEST = 6
REMEMBERED = 2048
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_MILLISECONDS = [f"{number:03d}" for number in range(1000)]
_BEGINNING = {number: f'"level":"{name}","logger":"chimney.request",' for name, number in LEVELS.items()}
DEBUG = LEVELS["debug"]
Part = TypeVar("Part")
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
    return f"{_to_the_second(whole)}.{_MILLISECONDS[int((seconds - whole) * 1000)]}Z"


def level_of(status: int) -> int:
    """A 503 is said on purpose (starting, not configured, too busy), so it warns; any other 5xx is an error."""
    if status == 503:
        return LEVELS["warning"]
    return LEVELS["error"] if status >= 500 else LEVELS["info"]


class What(NamedTuple):
    """What many requests have in common: the beginning of their message, and JSON fields without braces."""

    level: int
    said: str
    fields: str


class Who(NamedTuple):
    """Who asks many requests, as JSON fields. What the table asks all day, and gets, is for debugging only: visitors
    are not to be looked for among it."""

    is_table: bool
    fields: str


def _what(record: RequestRecord) -> What:
    method, path = safe(record.method), safe(record.path)
    fields = RequestFields(
        method=method,
        path=path,
        route=record.route,
        status=record.status,
        cache=record.cache or msgspec.UNSET,
        tier=record.tier or msgspec.UNSET,
        error=safe(record.error) if record.error else msgspec.UNSET,
        fingerprint=record.fingerprint or msgspec.UNSET,
    )
    said = f"{method} {path} {record.status}{f' {record.cache}' if record.cache else ''}"
    return What(level_of(record.status), _encode(said)[1:-1].decode(), _encode(fields)[1:-1].decode())


def _who(record: RequestRecord) -> Who:
    agent = safe(record.agent.decode("utf-8", "replace"))
    fields = VisitorFields(client=record.client, user_agent=agent or msgspec.UNSET)
    return Who(record.agent.startswith(b"chimney-table/"), _encode(fields)[1:-1].decode())


class RequestLines:
    """Makes the lines of requests, and remembers the parts that come again: at most ~4,096 × 4 kB. When there are more
    of them, all are made anew: paths that somebody tries out one by one must cost nothing but their own lines."""

    def __init__(self) -> None:
        self._what: dict[tuple[object, ...], What] = {}
        self._who: dict[tuple[str, bytes], Who] = {}

    def __call__(self, records: Iterable[RequestRecord]) -> list[Line]:
        lines: list[Line] = []
        now, second = "", -1
        for record in records:
            what = (
                record.path, record.status, record.cache, record.tier, record.route, record.method, record.error,
            record.fingerprint,
            )  # fmt: skip
            level, said, fields = self._what.get(what) or _kept(self._what, what, _what(record))
            who = (record.client, record.agent)
            is_table, visitor = self._who.get(who) or _kept(self._who, who, _who(record))
            if is_table and record.status < 400:
                level = DEBUG
            started = record.started
            if second != (second := int(started)):
                now = _to_the_second(second)
            latency = "%.3f" % ((record.ended - record.began) * 1000)
            text = (
                f'{{"ts":"{now}.{_MILLISECONDS[int((started - second) * 1000)]}Z",{_BEGINNING[level]}'
                f'"request_id":"{record.request_id}","trace_id":"{record.trace_id}","span_id":"{record.span_id}",'
                f'"latency_ms":{latency},"bytes":{record.bytes},"message":"{said} {latency} ms",{fields},{visitor}}}'
            )
            lines.append(Line(level, text.encode()))
        return lines


def _kept(parts: dict[Any, Part], key: object, part: Part) -> Part:
    if len(parts) >= REMEMBERED:
        parts.clear()
    parts[key] = part
    return part


def _named(name: str, value: object, depth: int = 0) -> object:
    return MASKED if isinstance(value, str | bytes) and names_a_secret(name) else _field(value, depth)


def _field(value: object, depth: int = 0) -> object:
    """A value of a log call, safe at every depth; what is no JSON is told as text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping) and depth < DEEPEST:
        return {safe(str(key), longest=200): _named(str(key), inner, depth + 1) for key, inner in value.items()}
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
        fields["fingerprint"] = fingerprint(
            type(record.exc_info[1]).__name__, record.name, frames_of(record.exc_info[1])
        )
    extra = vars(record)
    fields.update({safe(key, longest=200): _named(key, extra[key]) for key in extra.keys() - _STANDARD - fields.keys()})
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


def as_json(lines: Iterable[Line]) -> bytes:
    return b"".join([line.json + b"\n" for line in lines])


def readable(lines: Iterable[Line]) -> bytes:
    """For a terminal: time, level, message, and the stack when there is one, indented."""
    return b"".join(map(_readable, lines))


def _readable(line: Line) -> bytes:
    record = msgspec.json.decode(line.json)
    text = f"{record['ts'][11:23]} {record['level']:<8} {record['message']}"
    text += "\n" + record["stack"].rstrip() if record.get("stack") else ""
    return text.replace("\n", "\n    ").encode() + b"\n"  # a line that begins at the margin is a record of its own
