"""Caddy's JSON log, line by line: an access record becomes a log record of ours. No I/O and no clock.

Only named fields are taken over, so no header with a credential is ever kept; secrets in the URI are masked.
Durations and times are read in every format that Caddy's encoder offers.
"""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import msgspec

from chimney.core.records import rfc3339
from chimney.core.redact import safe
from chimney.core.trace import TraceContext, parse_traceparent
from chimney.wire.telemetry import LEVELS

LOGGER = "caddy.access"
_FEWEST_NANOSECONDS = 10_000  # no request takes less than 10 µs; as milliseconds that is a long 10 s
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_SPAN_ID = re.compile(r"(?!0{16})[0-9a-f]{16}")
_SECRET_NAME = re.compile(
    r"token|secret|passw|api_?-?key|signature|^sig$|credential|session|^code$|^key$|^auth|jwt|ticket",
    re.IGNORECASE,
)
_GO_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h)")
_GO_MS = {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6}
_STRPTIME = ("%Y/%m/%d %H:%M:%S.%f", "%Y/%m/%d %H:%M:%S", "%d/%b/%Y:%H:%M:%S %z")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Access(msgspec.Struct, frozen=True):
    """A request as Caddy saw it: severity number, Unix milliseconds, and the record's JSON."""

    level: int
    ts_ms: int
    json: bytes


class Own(msgspec.Struct, frozen=True):
    """What Caddy says of itself, in the same file or in one of its own."""

    ts_ms: int
    level: str
    logger: str
    message: str
    error: str
    method: str
    uri: str
    status: int


class Dialect:
    """How this file says durations. A whole number may be milliseconds or nanoseconds: one below 10,000 tells which."""

    def __init__(self) -> None:
        self._milliseconds = False

    def latency_ms(self, value: object) -> float | None:
        if isinstance(value, bool):
            return None
        if isinstance(value, int):
            self._milliseconds = self._milliseconds or 0 < value < _FEWEST_NANOSECONDS
            return float(value) if self._milliseconds else value / 1e6
        if isinstance(value, float):
            return value * 1000
        return _go_duration_ms(value) if isinstance(value, str) else None


def _go_duration_ms(text: str) -> float | None:
    parts = _GO_PART.findall(text[:60])
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        return None
    return float(sum(float(number) * _GO_MS[unit] for number, unit in parts))


def milliseconds(value: object) -> int | None:
    """Unix seconds, milliseconds or nanoseconds by size; RFC 3339, ISO 8601, wall and common-log times; or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        if abs(value) < 1e11:
            return int(value * 1000)
        return int(value if abs(value) < 1e14 else value // 1_000_000) if abs(value) < 1e20 else None
    if not isinstance(value, str) or not 10 <= len(value) <= 50:
        return None
    at = _iso(value) or next((at for form in _STRPTIME if (at := _by_form(value, form))), None)
    try:
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000) if at else None
    except (OverflowError, OSError):
        return None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _by_form(text: str, form: str) -> datetime | None:
    shortened = re.sub(r"(\.\d{6})\d+$", r"\1", text)  # wall_nano has nine digits, strptime takes six
    try:
        return datetime.strptime(shortened, form)  # noqa: DTZ007 — a time without offset is taken as UTC
    except ValueError:
        return None


def masked(uri: str) -> str:
    """The URI with the values of parameters that are named like secrets left out."""
    path, question, query = uri[:20_000].partition("?")
    if not question:
        return path
    return path + "?" + "&".join(_masked_pair(pair) for pair in query.split("&"))


def _masked_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}=…masked" if equals and _SECRET_NAME.search(unquote(name)) else pair


def parse(line: bytes, dialect: Dialect, *, now_ms: int) -> Access | Own | None:
    """None when the line is no JSON object."""
    try:
        raw = _decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    if not isinstance(raw, dict):
        return None
    request = raw.get("request")
    ts_ms = milliseconds(raw.get("ts"))
    ts_ms = now_ms if ts_ms is None else ts_ms
    if isinstance(request, dict) and "status" in raw:
        return _access(raw, request, ts_ms, dialect)
    return _own(raw, ts_ms)


def _text(value: object, longest: int) -> str:
    return safe(value, longest=longest) if isinstance(value, str) else ""


def _number(value: object) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53 else 0


def _own(raw: dict[str, Any], ts_ms: int) -> Own:
    return Own(
        ts_ms=ts_ms,
        level=_text(raw.get("level"), 20).lower(),
        logger=_text(raw.get("logger"), 200),
        message=_text(raw.get("msg"), 1000),
        error=_text(raw.get("error"), 1000),
        method=_text(raw.get("method"), 20),
        uri=_text(raw.get("uri"), 1000),
        status=_number(raw.get("status_code")),
    )


def _header(headers: object, name: str) -> str:
    """The first value of a header, by any case of its name; empty when there is none."""
    if not isinstance(headers, dict):
        return ""
    values = next((value for key, value in headers.items() if isinstance(key, str) and key.lower() == name), None)
    first = values[0] if isinstance(values, list) and values else values
    return first if isinstance(first, str) else ""


def _request_id(raw: dict[str, Any], request: dict[str, Any]) -> str | None:
    """What the origin answered with; when it never did, what the visitor sent."""
    said = (_header(raw.get("resp_headers"), "x-request-id"), _header(request.get("headers"), "x-request-id"))
    return next((one for one in said if _REQUEST_ID.fullmatch(one)), None)


def _trace(raw: dict[str, Any], request: dict[str, Any]) -> tuple[str | None, str | None]:
    sent = parse_traceparent(_header(request.get("headers"), "traceparent").encode())
    sent = sent or TraceContext("", "", sampled=False)
    traces = (raw.get("traceID"), _header(raw.get("resp_headers"), "x-trace-id"), sent.trace_id)
    spans = (raw.get("spanID"), sent.span_id)
    trace_id = next((one for one in traces if isinstance(one, str) and _TRACE_ID.fullmatch(one)), None)
    span_id = next((one for one in spans if isinstance(one, str) and _SPAN_ID.fullmatch(one)), None)
    return trace_id, span_id


def level_of(status: int) -> str:
    """By status: Caddy's own level is ERROR from 400 up to 2.7, and from 500 since. 0: nothing was written."""
    if status in (0, 503):
        return "warning"
    return "error" if status >= 500 else "info"


def _access(raw: dict[str, Any], request: dict[str, Any], ts_ms: int, dialect: Dialect) -> Access:
    status = _number(raw.get("status"))
    method = _text(request.get("method"), 32)
    uri = request.get("uri")
    path = safe(masked(uri), longest=1024) if isinstance(uri, str) else ""
    latency = dialect.latency_ms(raw.get("duration"))
    trace_id, span_id = _trace(raw, request)
    level = level_of(status)
    took = f" {latency:.1f} ms" if latency is not None else ""
    record = {
        "ts": rfc3339(ts_ms),
        "level": level,
        "logger": LOGGER,
        "request_id": _request_id(raw, request),
        "trace_id": trace_id,
        "span_id": span_id,
        "latency_ms": round(latency, 3) if latency is not None else None,
        "bytes": _number(raw.get("size")),
        "message": f"{method} {path} {status}{took}",
        "method": method,
        "path": path,
        "status": status,
        "host": _text(request.get("host"), 253),
        "proto": _text(request.get("proto"), 20),
        "client": _text(request.get("client_ip") or request.get("remote_ip"), 64),
        "user_agent": _text(_header(request.get("headers"), "user-agent"), 256) or None,
    }
    return Access(
        LEVELS[level],
        ts_ms,
        _encode({key: value for key, value in record.items() if key in _ALWAYS or value is not None}),
    )


_ALWAYS = frozenset(("request_id", "trace_id", "span_id"))
