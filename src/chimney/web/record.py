"""One record per request: filled while the request runs, finished once, projected elsewhere.

The hot path pays for a struct, two ids and a queue append; the log line, the metrics and the span are made from the
record later, off the event loop.
"""

import random
import re
import time
from collections.abc import Callable
from contextvars import ContextVar

import msgspec

from chimney.core.call import Call
from chimney.core.redact import safe
from chimney.core.trace import parse_traceparent
from chimney.web.asgi import App, Event, Receive, Scope, Send

LONGEST_METHOD = 32
LONGEST_PATH = 1024
LONGEST_AGENT = 256
LONGEST_HOST = 260  # 253 of a name, a colon and a port; what is longer must not fill the memory of links

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_ADDRESS = re.compile(rb"[0-9a-fA-F.:]{3,45}")  # anything else is hostile text on its way into the log
_random = random.Random()  # noqa: S311 — ids are for correlation, not for secrecy
_LOOPBACK = ("127.0.0.1", "::1")
_NONE: dict[bytes, bytes] = {}


class RequestRecord(msgspec.Struct, kw_only=True, gc=False):
    """Everything we know about a request. `started` is Unix seconds, `ended` and `began` monotonic seconds.

    `calls` is None until another server was asked for it; `streamed` marks an answer that lasts (server-sent events);
    `fingerprint` names the fault of an answer of class 5xx.

    `headers` are the request's while it runs, and none in a finished record: it may wait among 10,000 others, so it
    holds no more than ~4 kB. For the same reason method, path, query, host and agent are cut when they are too long.
    """

    request_id: str
    trace_id: str
    span_id: str
    method: str
    path: str
    started: float
    began: float
    client: str
    headers: dict[bytes, bytes]
    host: bytes
    agent: bytes
    secure: bool = False
    query: bytes = b""
    parent_span_id: str | None = None
    sampled: bool = False
    route: str = "unknown"
    status: int = 0
    bytes: int = 0
    ended: float = 0.0
    cache: str | None = None
    tier: str | None = None
    error: str | None = None
    fingerprint: str | None = None
    calls: list[Call] | None = None
    streamed: bool = False

    @property
    def duration(self) -> float:
        """Seconds from the first byte seen to the last one sent."""
        return self.ended - self.began

    def finish(self) -> None:
        self.ended = time.perf_counter()
        self.headers = _NONE


current: ContextVar[RequestRecord | None] = ContextVar("current", default=None)


def record_of(scope: Scope) -> RequestRecord:
    record: RequestRecord = scope["chimney.record"]
    return record


def _client(peer: tuple[str, int] | None, forwarded: bytes | None) -> str:
    """The address that asked. What a proxy says is believed only when the peer is on this machine."""
    address = str(peer[0]) if peer else "unknown"
    if forwarded and (address in _LOOPBACK or address == "unknown"):
        said = forwarded.rpartition(b",")[2].strip()
        if _ADDRESS.fullmatch(said):
            return said.decode()
    return address


def _short(text: str, longest: int) -> str:
    """Cut, with its length told; its secrets are masked first, so that none is halved."""
    return text if len(text) <= longest else safe(text, longest=longest)


def _short_bytes(text: bytes, longest: int) -> bytes:
    return text if len(text) <= longest else safe(text.decode("utf-8", "replace"), longest=longest).encode()


def begin(scope: Scope) -> RequestRecord:
    headers: dict[bytes, bytes] = dict(scope["headers"])
    said = headers.get
    peer, forwarded = scope.get("client"), said(b"x-forwarded-for")
    fresh = _random.getrandbits(288).to_bytes(36, "big").hex()  # one draw for the three ids: 24, 32 and 16 digits
    record = RequestRecord(
        request_id=fresh[:24],
        trace_id=fresh[24:56],
        span_id=fresh[56:],
        method=scope["method"],
        path=scope["path"],
        query=scope.get("query_string", b""),
        started=time.time(),
        began=time.perf_counter(),
        client=peer[0] if peer and not forwarded else _client(peer, forwarded),
        headers=headers,
        secure=said(b"x-forwarded-proto") == b"https",
        host=said(b"host", b""),
        agent=said(b"user-agent", b""),
    )
    if asked_id := said(b"x-request-id"):
        record.request_id = asked_id.decode() if _REQUEST_ID.fullmatch(asked_id) else record.request_id
    if (traceparent := said(b"traceparent")) and (trace := parse_traceparent(traceparent)):
        record.trace_id, record.parent_span_id, record.sampled = trace
    return record


def shorten(record: RequestRecord) -> None:
    """Cuts what is too long to be kept among 10,000 others."""
    record.method = record.method[:LONGEST_METHOD]
    record.path = _short(record.path, LONGEST_PATH)
    record.query = _short_bytes(record.query, LONGEST_PATH)
    record.host = record.host[:LONGEST_HOST]
    record.agent = _short_bytes(record.agent, LONGEST_AGENT)


class Recorder:
    """ASGI: gives every request its record and ids, and hands the finished record to `sink`, exactly once.

    `open` counts the requests that are being answered, streams included.
    """

    def __init__(self, app: App, sink: Callable[[RequestRecord], None]) -> None:
        self._app = app
        self._sink = sink
        self.open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        record = scope["chimney.record"] = begin(scope)
        shorten(record)
        token = current.set(record)
        self.open += 1
        ids = [(b"x-request-id", record.request_id.encode()), (b"x-trace-id", record.trace_id.encode())]

        async def send_recorded(event: Event) -> None:
            if event["type"] == "http.response.start":
                record.status = event["status"]
                event["headers"] = [*event.get("headers", ()), *ids]
            else:
                record.bytes += len(event.get("body", b""))
            await send(event)

        try:
            await self._app(scope, receive, send_recorded)
        finally:
            self.open -= 1
            record.finish()
            current.reset(token)
            self._sink(record)
