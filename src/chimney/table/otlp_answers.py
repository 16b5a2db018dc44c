"""What a sender of OTLP is told, in the type in which it sent: success, partial success, or a google.rpc.Status."""

import msgspec

from chimney.table.unpack import JSON, PROTOBUF, RefusedError, Signal
from chimney.web.asgi import Send, respond

_encode = msgspec.json.Encoder().encode
_REJECTED = {Signal.LOGS: "rejectedLogRecords", Signal.TRACES: "rejectedSpans", Signal.METRICS: "rejectedDataPoints"}
# google.rpc.Code: invalid argument 3, deadline exceeded 4, not found 5, permission denied 7, unimplemented 12,
# unavailable 14, unauthenticated 16
_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 408: 4, 413: 3, 415: 3, 503: 14}


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _field(number: int, value: int | bytes) -> bytes:
    """One field of a protobuf message. These answers have two each, so nothing is imported for them."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def success(signal: Signal, media: str, *, rejected: int, reason: str) -> bytes:
    """Export…ServiceResponse: empty when everything was taken."""
    if media == JSON:
        partial = {_REJECTED[signal]: str(rejected), "errorMessage": reason}
        return _encode({"partialSuccess": partial} if rejected else {})
    return _field(1, _field(1, rejected) + _field(2, reason.encode())) if rejected else b""


def status(error: RefusedError, media: str) -> bytes:
    code = _CODES[error.status]
    if media == JSON:
        return _encode({"code": code, "message": error.message})
    return _field(1, code) + _field(2, error.message.encode())


async def refuse(send: Send, error: RefusedError, content_type: str) -> None:
    """In protobuf unless JSON was sent: that is what the SDKs expect."""
    media = JSON if content_type.partition(";")[0].strip().lower() == JSON else PROTOBUF
    headers = [(b"content-type", media.encode()), (b"cache-control", b"no-store")]
    if error.retry_after is not None:
        headers.append((b"retry-after", str(error.retry_after).encode()))
    if error.status == 415:
        headers.append((b"accept-encoding", b"gzip"))
    if error.status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="chimney table"'))
    if error.status == 405:
        headers.append((b"allow", b"POST"))
    await respond(send, error.status, status(error, media), headers)


async def accept(send: Send, body: bytes, media: str) -> None:
    await respond(send, 200, body, [(b"content-type", media.encode()), (b"cache-control", b"no-store")])
