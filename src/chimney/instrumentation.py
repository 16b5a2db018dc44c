"""From records to what is seen: every log call and every request of the process, as JSON lines and as stream entries.

Taking a record never blocks and never fails: it is put in a bounded queue (10,000 × ~1 kB ≈ 10 MB at worst); when
that is full it is dropped and counted. Every 20 ms the queue is projected by one thread, written to stderr, handed on.
"""

import asyncio
import logging
import sys
import threading
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TextIO

import msgspec

from chimney.core.redact import safe
from chimney.web.record import RequestRecord, current
from chimney.web.recover import short_stack
from chimney.wire.telemetry import LEVELS, RequestFields

CAPACITY = 10_000
FLUSH_SECONDS = 0.02
LONGEST_REMEMBERED = 1024
FLOOD = 100  # more than this a flush is 5,000 records a second: then larger batches beat a lower delay
FLOOD_SECONDS = 0.1
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_encode = msgspec.json.Encoder(enc_hook=str).encode
log = logging.getLogger(__name__)


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


def level_of(status: int) -> str:
    return "error" if status >= 500 else "info"


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
        record.method,
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
    level = level_of(record.status)
    latency_ms = record.duration * 1000
    own = (
        f'{{"ts":"{rfc3339(record.started)}","level":"{level}","logger":"chimney.request","request_id":"{record.request_id}",'
        f'"trace_id":"{record.trace_id}","span_id":"{record.span_id}","latency_ms":{latency_ms:.3f},"bytes":{record.bytes},'
    )
    return Line(LEVELS[level], b'%b"message":"%b %.1f ms",%b' % (own.encode(), said, latency_ms, fields))


def _field(value: object) -> object:
    return safe(value) if isinstance(value, str) else value


def captured_line(captured: Captured) -> Line:
    record = captured.record
    try:
        message = record.getMessage()
    except Exception as error:
        message = f"{record.msg!r} (arguments did not fit: {error})"
    fields: dict[str, Any] = {
        "ts": rfc3339(record.created),
        "level": record.levelname.lower(),
        "message": safe(message),
        "logger": record.name,
        "request_id": captured.request_id,
        "trace_id": captured.trace_id,
        "span_id": captured.span_id,
    }
    if record.exc_info and record.exc_info[1]:
        fields["error"] = safe(f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}", longest=500)
        fields["stack"] = safe(short_stack(record.exc_info[1]))
    extra = vars(record)
    fields.update({key: _field(extra[key]) for key in extra.keys() - _STANDARD - fields.keys()})
    return Line(record.levelno, _encode(fields))


def as_json(line: Line) -> bytes:
    return line.json + b"\n"


def readable(line: Line) -> bytes:
    """For a terminal: time, level, message, and the stack when there is one."""
    record = msgspec.json.decode(line.json)
    text = f"{record['ts'][11:23]} {record['level']:<8} {record['message']}\n"
    return (text + record["stack"] + "\n" if record.get("stack") else text).encode()


Sink = Callable[[Sequence[Line]], Awaitable[None]]


class LogPipe(logging.Handler):
    """The one way of every record of the process. Usable before the loop runs: lines then wait for `start`."""

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        super().__init__()
        self._stream = stream or sys.stderr
        self._shown = logging.WARNING if quiet else logging.NOTSET
        self._render = readable if self._stream.isatty() else as_json
        self._pending: deque[RequestRecord | Captured] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self._scheduled = False
        self._flooded = False
        self._flushing: asyncio.Task[None] | None = None
        self._request_sinks: list[Callable[[RequestRecord], None]] = []
        self._sink: Sink | None = None
        self.dropped = 0
        self.by_level: Counter[str] = Counter()

    def start(self, sink: Sink | None, *request_sinks: Callable[[RequestRecord], None]) -> None:
        """From now on lines go to `sink` too, and finished requests to `request_sinks` (in the log thread)."""
        self._sink = sink
        self._request_sinks = list(request_sinks)
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._schedule()

    def request(self, record: RequestRecord) -> None:
        """Takes a finished request. On the event loop only."""
        self._take(record)

    def emit(self, record: logging.LogRecord) -> None:
        request = current.get()
        ids = (request.request_id, request.trace_id, request.span_id) if request else (None, None, None)
        self._take(Captured(record, *ids))

    def _take(self, item: RequestRecord | Captured) -> None:
        if len(self._pending) >= CAPACITY:
            self.dropped += 1
            return
        self._pending.append(item)
        if self._scheduled or self._loop is None:
            return
        if threading.get_ident() == self._loop_thread:
            self._schedule()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._schedule)

    def _schedule(self) -> None:
        if not self._scheduled and self._loop and self._pending:
            self._scheduled = True
            self._loop.call_later(FLOOD_SECONDS if self._flooded else FLUSH_SECONDS, self._begin)

    def _begin(self) -> None:
        self._flushing = asyncio.get_running_loop().create_task(self.send_pending())

    async def send_pending(self) -> None:
        """Projects, writes and hands on all that is pending now."""
        batch = [self._pending.popleft() for _ in range(len(self._pending))]
        self._flooded = len(batch) > FLOOD
        try:
            if batch:
                lines = await asyncio.get_running_loop().run_in_executor(self._thread, self._project, batch)
                if self._sink:
                    await self._sink(lines)
        finally:
            self._scheduled = False
            self._schedule()

    def _project(self, batch: Sequence[RequestRecord | Captured]) -> list[Line]:
        lines = []
        for item in batch:
            if isinstance(item, RequestRecord):
                for take in self._request_sinks:
                    take(item)
                lines.append(request_line(item))
            else:
                lines.append(captured_line(item))
        for level, count in Counter([line.level for line in lines]).items():
            self.by_level[logging.getLevelName(level).lower()] += count
        self._write(b"".join([self._render(line) for line in lines if line.level >= self._shown]))
        return lines

    def _write(self, text: bytes) -> None:
        try:
            self._stream.buffer.write(text)
            self._stream.buffer.flush()
        except (OSError, ValueError):
            self.dropped += 1

    async def stop(self) -> None:
        """Flushes what is left; records taken afterwards are kept for nobody."""
        if self._flushing:
            await self._flushing
        while self._pending:
            await self.send_pending()
        self._loop = None
        self._thread.shutdown(wait=False)


def install(pipe: LogPipe, level: str = "info") -> None:
    """Every logger of the process, the framework's and the server's too, ends in `pipe` and nowhere else."""
    root = logging.getLogger()
    root.handlers[:] = [pipe]
    root.setLevel(LEVELS[level])
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for chatty in ("httpx2", "httpcore2", "httpx", "httpcore", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
