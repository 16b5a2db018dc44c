"""From records to what is seen: every log call and every request of the process, as JSON lines and as stream entries.

Taking a record never blocks and never fails: it is put in a bounded queue (10,000 × ~1 kB ≈ 10 MB at worst); when
that is full it is dropped and counted. Every 20 ms the queue is projected by one thread, written to stderr, handed on.
"""

import asyncio
import contextlib
import logging
import sys
import threading
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TextIO

from chimney.web.lines import Captured, Line, RequestLines, as_json, captured_line, readable
from chimney.web.record import RequestRecord, current
from chimney.wire.telemetry import LEVELS

__all__ = ["Line", "LogPipe", "Sink", "install"]

CAPACITY = 10_000
FLUSH_SECONDS = 0.02
STOP_SECONDS = 1.0
FLOOD = 100  # more than this a flush is 5,000 records a second: then larger batches beat a lower delay
FLOOD_SECONDS = 0.1
AT_ONCE = 200  # lines: ~120 kB are made and written, then others may run
log = logging.getLogger(__name__)


Sink = Callable[[Sequence[Line]], Awaitable[None]]
RequestsSink = Callable[[Sequence[RequestRecord]], None]


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
        self._request_line = RequestLines()
        self._requests_sinks: Sequence[RequestsSink] = ()
        self._sink: Sink | None = None
        self.least_request = logging.NOTSET
        self.dropped = 0
        self.by_level: Counter[str] = Counter()

    def start(self, sink: Sink | None, *, batches: Sequence[RequestsSink] = ()) -> None:
        """From now on lines go to `sink` too, and finished requests to `batches`: all of a flush at once, in the log
        thread. Those must not raise."""
        self._sink = sink
        self._requests_sinks = batches
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._schedule()

    def request(self, record: RequestRecord) -> None:
        """Takes a finished request. On the event loop only."""
        if len(self._pending) >= CAPACITY:
            self.dropped += 1
            return
        self._pending.append(record)
        if not self._scheduled:
            self._schedule()

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
        requests = [item for item in batch if isinstance(item, RequestRecord)]
        for take in self._requests_sinks:
            take(requests)
        lines: list[Line] = []
        for start in range(0, len(batch), AT_ONCE):
            some = self._lines(batch[start : start + AT_ONCE])
            self._write(b"".join([self._render(line) for line in some if line.level >= self._shown]))
            lines += some
        for level, count in Counter([line.level for line in lines]).items():
            self.by_level[logging.getLevelName(level).lower()] += count
        return lines

    def _lines(self, items: Sequence[RequestRecord | Captured]) -> list[Line]:
        """A log call has passed its logger's level; the record of a request is judged here."""
        least = self.least_request
        lines = []
        for item in items:
            if not isinstance(item, RequestRecord):
                lines.append(captured_line(item))
            elif (line := self._request_line(item)).level >= least:
                lines.append(line)
        return lines

    def _write(self, text: bytes) -> None:
        try:
            self._stream.buffer.write(text)
            self._stream.buffer.flush()
        except (OSError, ValueError):
            self.dropped += 1

    async def stop(self) -> None:
        """Flushes what is left, for at most `STOP_SECONDS`: stderr may be a pipe that nobody reads any more.

        Records taken afterwards are kept for nobody.
        """
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._flush(), STOP_SECONDS)
        self._loop = None
        self._thread.shutdown(wait=False)

    async def _flush(self) -> None:
        if self._flushing:
            await self._flushing
        while self._pending:
            await self.send_pending()


def install(pipe: LogPipe, level: str = "info") -> None:
    """Every logger of the process, the framework's and the server's too, ends in `pipe` and nowhere else."""
    root = logging.getLogger()
    root.handlers[:] = [pipe]
    root.setLevel(LEVELS[level])
    pipe.least_request = LEVELS[level]
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for chatty in ("httpx2", "httpcore2", "httpx", "httpcore", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
