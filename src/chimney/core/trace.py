"""W3C trace context: the `traceparent` header (w3c/trace-context, level 2)."""

import re
from typing import NamedTuple

_TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


class TraceContext(NamedTuple):
    trace_id: str
    span_id: str
    sampled: bool


def parse_traceparent(header: bytes) -> TraceContext | None:
    """None when the header is not valid: the whole of it is then ignored, as the recommendation says.

    A version above 00 may carry more fields after the flags; version 00 may not, and ff is forbidden.
    """
    match = _TRACEPARENT.fullmatch(header.strip())
    if not match:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == b"ff" or (version == b"00" and more):
        return None
    if not trace_id.strip(b"0") or not span_id.strip(b"0"):
        return None
    return TraceContext(trace_id.decode(), span_id.decode(), bool(int(flags, 16) & 1))
