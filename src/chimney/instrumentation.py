"""From records to what is seen: every log call and every request of the process, as JSON lines and as stream entries.

Taking a record never blocks and never fails: it is put in a bounded list; when that is full it is dropped and counted.
Every 20 ms what is there is written to stderr by one thread, and handed on.

Finished requests are counted and made into lines by the thread that answered them (the event loop's, or the server's),
32 at a time (~0.1 ms), after they were answered: there they are still in the processor's cache. Another thread would
hold the interpreter's lock as long, for twice the cost. One does so at a time, so that those who count need no locks.
Log calls, whose stacks may take a while, are made into lines by the thread that writes.
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

CAPACITY = 10_000  # records, ~1 kB each ≈ 10 MB at worst, and as many on their way to stderr
CAPACITY_BYTES = 32 * 1024 * 1024  # lines of hostile requests have up to 20 kB
FLUSH_SECONDS = 0.02
STOP_SECONDS = 1.0
FLOOD = 100  # more than this a flush is 5,000 records a second: then larger batches beat a lower delay
FLOOD_SECONDS = 0.1
AT_ONCE = 32  # finished requests
WRITTEN_AT_ONCE = 200  # lines
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
        self._finished: deque[RequestRecord] = deque()
        self._projecting = threading.Lock()
        self._pending: deque[Line | Captured] = deque()  # other threads append too
        self._pending_bytes = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self._scheduled = False
        self._woken = False
        self._flooded = False
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._request_lines = RequestLines()
        self._request_sinks: Sequence[RequestsSink] = ()
        self._sink: Sink | None = None
        self.least_request = logging.NOTSET
        self.dropped = 0
        self.by_level: Counter[str] = Counter()

    def start(self, sink: Sink | None, *, batches: Sequence[RequestsSink] = ()) -> None:
        """From now on lines go to `sink` too, and finished requests to `batches`: some at a time, from the
        threads that answer requests, never two at once. Those must be quick and must not raise."""
        self._sink = sink
        self._request_sinks = batches
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._schedule()

    def request(self, record: RequestRecord) -> None:
        """Takes a finished request, from the thread that answered it."""
        self._finished.append(record)
        if len(self._finished) >= AT_ONCE:
            self._make_room()
        if not self._scheduled:
            self._see_to_it()

    def emit(self, record: logging.LogRecord) -> None:
        request = current.get()
        ids = (request.request_id, request.trace_id, request.span_id) if request else (None, None, None)
        if self._finished and threading.get_ident() == self._loop_thread:
            self._project(wait=False)  # what was finished before this call stands before it
        if len(self._pending) >= CAPACITY:
            self.dropped += 1
            return
        self._pending.append(Captured(record, *ids))
        if not self._scheduled:
            self._see_to_it()

    def handle(self, record: logging.LogRecord) -> bool:
        """Without the lock around `emit`: it needs none, and threads that log and project would wait for each other."""
        self.emit(record)
        return True

    def _see_to_it(self) -> None:
        """Schedules the next flush, from any thread."""
        loop = self._loop
        if threading.get_ident() == self._loop_thread:
            self._schedule()
        elif loop is not None and not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # it is closed
                loop.call_soon_threadsafe(self._schedule)

    def _make_room(self) -> None:
        if self._loop:
            self._project()
        elif len(self._finished) > CAPACITY:
            self._finished.pop()
            self.dropped += 1

    def _project(self, *, wait: bool = True) -> None:
        """Counts the finished requests and makes their lines. Does nothing while another thread does, unless to wait.

        A log call must not wait: whoever projects may be logging, too.
        """
        if not self._finished or not self._projecting.acquire(blocking=wait):
            return
        try:
            self._project_all([self._finished.popleft() for _ in range(len(self._finished))])
        finally:
            self._projecting.release()

    def _project_all(self, finished: Sequence[RequestRecord]) -> None:
        """Those that find no room count all the same."""
        for take in self._request_sinks:
            take(finished)
        if len(self._pending) + len(finished) > CAPACITY or self._pending_bytes > CAPACITY_BYTES:
            self.dropped += len(finished)
            return
        # a log call has passed its logger's level; the record of a request is judged here
        lines = [line for line in self._request_lines(finished) if line.level >= self.least_request]
        self._pending += lines
        self._pending_bytes += sum([len(line.json) for line in lines])

    def _schedule(self) -> None:
        self._woken = False  # before it is looked whether there is something
        if not self._scheduled and self._loop and (self._pending or self._finished):
            self._scheduled = True
            self._timer = self._loop.call_later(FLOOD_SECONDS if self._flooded else FLUSH_SECONDS, self._begin)

    def _begin(self) -> None:
        self._flushing = asyncio.get_running_loop().create_task(self.send_pending())

    async def send_pending(self) -> None:
        """Writes and hands on all that is pending now."""
        self._project()
        batch = [self._pending.popleft() for _ in range(len(self._pending))]
        self._pending_bytes = 0
        self._flooded = len(batch) > FLOOD
        try:
            if batch:
                lines = await asyncio.get_running_loop().run_in_executor(self._thread, self._write_all, batch)
                if self._sink:
                    await self._sink(lines)
        finally:
            self._scheduled = False
            self._schedule()

    def _write_all(self, batch: Sequence[Line | Captured]) -> list[Line]:
        lines = [item if isinstance(item, Line) else captured_line(item) for item in batch]
        for start in range(0, len(lines), WRITTEN_AT_ONCE):
            self._write([line for line in lines[start : start + WRITTEN_AT_ONCE] if line.level >= self._shown])
        for level, count in Counter([line.level for line in lines]).items():
            self.by_level[logging.getLevelName(level).lower()] += count
        return lines

    def _write(self, lines: Sequence[Line]) -> None:
        try:
            self._stream.buffer.write(self._render(lines))
            self._stream.buffer.flush()
        except (OSError, ValueError):
            self.dropped += len(lines)

    async def drain(self) -> None:
        """Writes what is pending, for at most `STOP_SECONDS`: stderr may be a pipe that nobody reads any more."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._flush(), STOP_SECONDS)

    async def stop(self) -> None:
        """Flushes what is left. Records taken afterwards are kept for nobody."""
        await self.drain()
        self._loop = None
        if self._timer:
            self._timer.cancel()
        self._thread.shutdown(wait=False)

    async def _flush(self) -> None:
        """Until nothing is pending and nothing is on its way: a flush may begin while another is waited for."""
        while True:
            if self._flushing and not self._flushing.done():
                await self._flushing
            elif self._pending or self._finished:
                await self.send_pending()
            else:
                return


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
