"""A log record from outside, made fit to keep: hostile text, bounded in every direction.

A record that cannot be read is kept all the same, as a warning that says why: nothing that was sent goes missing.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from chimney.core.redact import LONGEST, MASKED, is_plain, names_a_secret, safe
from chimney.wire.telemetry import LEVELS

DEEPEST = 6
MOST_FIELDS = 100
FUTURE_MS = 86_400_000  # a record dated later than tomorrow would outlive retention: its time is not believed
BEGINNING_MS = 946_684_800_000  # 2000-01-01: one dated earlier would be dropped by retention at once
_ID = 128
_ALIASES = {"warn": "warning", "fatal": "critical", "trace": "debug", "notice": "info"}
_OWN = frozenset(("ts", "level", "message", "logger", "request_id", "trace_id"))
_decode = msgspec.json.Decoder().decode


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """`ts_ms` is Unix milliseconds, `level` a severity number of `LEVELS`; the rest as in LogRow."""

    ts_ms: int
    level: int
    message: str
    logger: str
    request_id: str | None
    trace_id: str | None
    fields: dict[str, Any]
    span_id: str | None = None
    service: str | None = None
    deployment: str | None = None
    revision: str | None = None
    severity: str | None = None


def milliseconds(text: object) -> int | None:
    """An RFC 3339 time as Unix milliseconds; None when it is not one. A time without offset is taken as UTC."""
    if not isinstance(text, str) or not 10 <= len(text) <= 40:
        return None
    try:
        at = datetime.fromisoformat(text)
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None


def rfc3339(ts_ms: int) -> str:
    """Unix milliseconds as they go on the wire. Out of the calendar's range: its nearest end."""
    ts_ms = min(max(ts_ms, -62_135_596_800_000), 253_402_300_799_999)
    return f"{_second(ts_ms // 1000)}.{ts_ms % 1000:03d}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def severity(level: object) -> int:
    """The number of a level by name, or by our number; `info` for what we do not know."""
    name = str(level).lower()[:20]
    return LEVELS.get(_ALIASES.get(name, name), 20)


LEVEL_NAMES = {number: name for name, number in LEVELS.items()}


def _named(name: str, value: object, depth: int, plain: bool) -> Any:
    if isinstance(value, str):
        return MASKED if names_a_secret(name) else value if plain else safe(value)
    return _bounded(value, depth, plain) if isinstance(value, dict | list) else value


def _bounded(value: object, depth: int, plain: bool) -> Any:
    if isinstance(value, str):
        return value if plain else safe(value)
    if isinstance(value, dict):
        if depth >= DEEPEST:
            return "… nested too deeply"
        rows = list(value.items())[:MOST_FIELDS]
        return {_cut(key, 200, plain): _named(key, inner, depth + 1, plain) for key, inner in rows}
    if isinstance(value, list):
        if depth >= DEEPEST:
            return "… nested too deeply"
        return [_bounded(one, depth + 1, plain) for one in value[:MOST_FIELDS]]
    return value


def _cut(text: str, longest: int, plain: bool) -> str:
    return text if plain and len(text) <= longest else safe(text, longest=longest)


def _identifier(value: object, plain: bool) -> str | None:
    return _cut(value, _ID, plain) if isinstance(value, str) and value else None


def _unreadable(data: bytes, reason: str, now_ms: int) -> Record:
    return Record(
        ts_ms=now_ms,
        level=LEVELS["warning"],
        message=safe(data[:8192].decode("utf-8", "replace")),
        logger="",
        request_id=None,
        trace_id=None,
        fields={"unreadable": reason},
    )


def parse(data: bytes, *, now_ms: int) -> Record:
    """The record in one JSON object."""
    try:
        raw = _decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return _unreadable(data, f"not JSON: {error}", now_ms)
    if not isinstance(raw, dict):
        return _unreadable(data, "not a JSON object", now_ms)
    plain = len(data) <= LONGEST and is_plain(data)  # most are: making each text safe takes most of the time
    ts_ms = milliseconds(raw.get("ts"))
    message, logger = raw.get("message", ""), raw.get("logger", "")
    fields = {key: value for key, value in raw.items() if key not in _OWN and value is not None}
    record = Record(
        ts_ms=now_ms if ts_ms is None else ts_ms,
        level=severity(raw.get("level", "info")),
        message=_cut(message if isinstance(message, str) else str(message), LONGEST, plain),
        logger=_cut(str(logger), 200, plain),
        request_id=_identifier(raw.get("request_id"), plain),
        trace_id=_identifier(raw.get("trace_id"), plain),
        fields=_bounded(fields, 0, plain),
    )
    return in_time(record, now_ms=now_ms)


def believable(ts_ms: int, *, now_ms: int) -> bool:
    return BEGINNING_MS <= ts_ms <= now_ms + FUTURE_MS


def in_time(record: Record, *, now_ms: int) -> Record:
    """A record whose time is not believed is kept at the present one; `ts_given` among its fields is what it said."""
    if believable(record.ts_ms, now_ms=now_ms):
        return record
    fields = {**record.fields, "ts_given": rfc3339(record.ts_ms)}
    return msgspec.structs.replace(record, ts_ms=now_ms, fields=fields)
