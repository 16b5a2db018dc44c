"""Traces of a role: chosen among finished requests after they were answered, made into spans, sent by another thread.

Nothing here is on the way of a request, and nothing waits: where a buffer is full, spans are dropped and counted.
OpenTelemetry is imported by the first thread that needs it, after the start.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from prometheus_client.core import Metric

from chimney.core.call import Call
from chimney.core.sampling import Outcome, Reason, Selection
from chimney.tracing.count import CAPACITY, SpanCount
from chimney.tracing.environment import Destination, destination
from chimney.tracing.unguessed import import_requests
from chimney.web.record import RequestRecord
from chimney.web.routine import is_routine

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from chimney.tracing.spans import Spans

CLOSE_SECONDS = 1.0
TOLD_SECONDS = 60.0
log = logging.getLogger(__name__)
Chosen = tuple[RequestRecord, Reason | Call]
Exemplify = Callable[[RequestRecord], None]


def choose(records: Sequence[RequestRecord], selection: Selection) -> Iterator[tuple[RequestRecord, Reason]]:
    """Those of a flush that are worth it, each with the reason. A stream is not: a span of hours tells nothing."""
    now = time.time()
    slow = selection.spent_below(now)
    for record in records:
        if record.ended - record.began < slow and _is_plain(record):
            continue
        if record.streamed and record.status < 500:
            continue
        reason = selection.reason(_outcome(record), now=now)
        slow = selection.spent_below(now)
        if reason is not None:
            yield record, reason


class NoTraces:
    """Traces that go nowhere: no collector is configured. What is asked is told what the caller said.

    The same requests are exemplars as would be exported: their trace ids lead to the log at least.
    """

    def __init__(self, selection: Selection, exemplify: Exemplify) -> None:
        self._selection = selection
        self._exemplify = exemplify

    def start(self, _own: Mapping[str, str]) -> None: ...

    def take(self, records: Sequence[RequestRecord]) -> None:
        for record, _reason in choose(records, self._selection):
            self._exemplify(record)

    def goes_on(self, record: RequestRecord) -> bool:
        return record.sampled

    def late(self, _record: RequestRecord, _call: Call) -> None: ...

    def metrics(self) -> Iterator[Metric]:
        return SpanCount().metrics()

    async def close(self) -> None: ...


class Traces:
    """`exemplify` is told every request whose trace is exported."""

    def __init__(self, to: Destination, selection: Selection, exemplify: Exemplify) -> None:
        self._to = to
        self._selection = selection
        self._exemplify = exemplify
        self._chosen: deque[Chosen] = deque()
        self._count = SpanCount()
        self._given_up = False
        self._told_at = -TOLD_SECONDS
        self._starting: threading.Thread | None = None
        self._spans: Spans | None = None
        self._batches: BatchSpanProcessor | None = None
        self._break_off: Callable[[], None] = lambda: None

    def start(self, own: Mapping[str, str]) -> None:
        """Begins to get ready; `own` is the resource as we know it. What is chosen meanwhile waits."""
        for fault in self._to.faults:
            log.warning("%s", fault)
        self._starting = threading.Thread(target=self._prepare, args=(dict(own),), name="traces", daemon=True)
        self._starting.start()

    def _prepare(self, own: dict[str, str]) -> None:
        try:
            import_requests()
            from chimney.tracing.export import processor  # noqa: PLC0415 — half a second and 7 MB
            from chimney.tracing.spans import Spans, resource_of  # noqa: PLC0415

            self._spans = Spans(resource_of(own))
            self._batches, self._break_off = processor(self._count, shown=self._to.shown)
        except Exception as error:
            log.error("traces are not exported: %s", error)  # noqa: TRY400 — a setting is wrong, not the code
            self._given_up = True
            self._chosen.clear()
            return
        log.info("traces go to %s", self._to.shown)
        self._drain()

    def take(self, records: Sequence[RequestRecord]) -> None:
        """Chooses among finished requests and hands on the spans of the chosen. On the event loop; never raises."""
        for record, reason in choose(records, self._selection):
            self._keep((record, reason))
            self._exemplify(record)
        self._drain()

    def _keep(self, chosen: Chosen) -> None:
        if self._given_up:
            return
        if len(self._chosen) >= CAPACITY:
            self._count.dropped += 1
            return
        self._chosen.append(chosen)

    def goes_on(self, record: RequestRecord) -> bool:
        return self._selection.goes_on(record.trace_id, record.sampled if record.parent_span_id else None)

    def late(self, record: RequestRecord, call: Call) -> None:
        """On the event loop, which is held for one span (30 µs), whatever else waits."""
        if not self.goes_on(record):
            return
        if self._batches is None:
            self._keep((record, call))
        else:
            self._send(record, call, self._batches)

    def _drain(self) -> None:
        """Hands on what was chosen, as soon as there is somebody to hand it to."""
        if self._batches is None:
            return
        with contextlib.suppress(IndexError):
            while True:
                self._send(*self._chosen.popleft(), self._batches)

    def _send(self, record: RequestRecord, what: Reason | Call, batches: "BatchSpanProcessor") -> None:
        try:
            for span in self._made(record, what):
                if self._count.take():
                    batches.on_end(span)
        except Exception:
            self._count.dropped += 1
            if time.monotonic() - self._told_at > TOLD_SECONDS:
                self._told_at = time.monotonic()
                log.exception("no span could be made of a request")

    def _made(self, record: RequestRecord, what: Reason | Call) -> "Sequence[ReadableSpan]":
        if self._spans is None:
            return ()
        return [self._spans.of_call(record, what)] if isinstance(what, Call) else self._spans.of_request(record, what)

    def metrics(self) -> Iterator[Metric]:
        return self._count.metrics()

    async def close(self) -> None:
        """Sends what is left, for at most `CLOSE_SECONDS`. After the server and the log pipe have ended."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()

        def end() -> None:
            if self._starting:
                self._starting.join()
            self._drain()
            if self._batches:
                self._batches.shutdown()  # type: ignore[no-untyped-call]
            with contextlib.suppress(RuntimeError):  # the loop did not wait for us
                loop.call_soon_threadsafe(ended.set)

        threading.Thread(target=end, name="traces end", daemon=True).start()
        try:
            await asyncio.wait_for(ended.wait(), CLOSE_SECONDS)
        except TimeoutError:
            self._break_off()


def _is_plain(record: RequestRecord) -> bool:
    """A hit like thousands of others: exported only as one of so many a second."""
    return record.cache == "hit" and record.status < 500 and record.parent_span_id is None and record.calls is None


def _outcome(record: RequestRecord) -> Outcome:
    return Outcome(
        trace_id=record.trace_id,
        status=record.status,
        seconds=record.duration,
        cache=record.cache,
        called=record.calls is not None,
        parent=record.sampled if record.parent_span_id else None,
        routine=is_routine(record),
    )


class Tracing(Protocol):
    """What a role needs of its traces."""

    def start(self, own: Mapping[str, str], /) -> None: ...
    def take(self, records: Sequence[RequestRecord], /) -> None: ...
    def goes_on(self, record: RequestRecord, /) -> bool: ...
    def late(self, record: RequestRecord, call: Call, /) -> None: ...
    def metrics(self) -> Iterator[Metric]: ...
    async def close(self) -> None: ...


def traces_of(environ: Mapping[str, str], *, per_second: float, slow_seconds: float, exemplify: Exemplify) -> Tracing:
    """As the `OTEL_…` variables say: nothing is exported and nothing imported unless they name an endpoint."""
    to = destination(environ)
    sampler = to.sampler if to else None
    selection = Selection(per_second=per_second, slow_seconds=slow_seconds, sampler=sampler)
    return Traces(to, selection, exemplify) if to else NoTraces(selection, exemplify)
