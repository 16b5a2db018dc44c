"""The way to a collector: OpenTelemetry's batch processor and OTLP exporter, and what a hostile collector cannot do.

The processor has a thread of its own; spans wait there in a bounded queue (2,048 × ~4 kB ≈ 8 MB at worst). Of an answer
at most 64 KiB are read, whatever it says of its length; redirects are not followed. What fails is counted, and told
once a minute at most. Imports OpenTelemetry and requests: 0.5 s and 7 MB, so only in a thread, and only when wanted.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from chimney.tracing.count import SpanCount

QUEUE = 2048
BATCH = 512
DELAY_MS = 1000.0  # OpenTelemetry's own default is 5 s; a page that shows what happens now is nearer than that
ANSWER_BYTES = 64 * 1024
ANSWER_SECONDS = 10.0
TOLD_SECONDS = 60.0
log = logging.getLogger(__name__)


class RedirectedError(Exception):
    """The collector is elsewhere; spans, and the token that goes with them, are not taken there."""


class BoundedSession(requests.Session):
    """A session that reads no more of an answer than it takes to use the connection again."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        answer = super().send(request, **{**kwargs, "stream": True})
        ends_at = time.monotonic() + ANSWER_SECONDS
        size = 0
        while size < ANSWER_BYTES and time.monotonic() < ends_at:
            chunk = answer.raw.read1(8192, decode_content=False)
            if not chunk:
                break
            size += len(chunk)
        else:
            answer.close()
        if 300 <= answer.status_code < 400:
            raise RedirectedError(f"{answer.status_code}, a redirect, which is not followed")
        return answer


class Heard(logging.Handler):
    """Takes what OpenTelemetry and its HTTP client log, and keeps the last reason that they named."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("opentelemetry.exporter"):
            self.last = record.getMessage()[:300]


class CountedExporter(SpanExporter):
    """Counts what became of spans; trouble is one warning a minute, its end one line."""

    def __init__(self, inner: SpanExporter, count: SpanCount, heard: Heard, *, shown: str) -> None:
        self._inner = inner
        self._count = count
        self._heard = heard
        self._shown = shown
        self._told_at = -TOLD_SECONDS
        self._failing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result = self._inner.export(spans)
        except Exception as error:
            self._heard.last = f"{type(error).__name__}: {error}"[:300]
            result = SpanExportResult.FAILURE
        if result is SpanExportResult.SUCCESS:
            self._count.exported += len(spans)
            self._well()
        else:
            self._count.failed += len(spans)
            self._trouble()
        return result

    def _well(self) -> None:
        if self._failing:
            self._failing = False
            log.info("traces arrive at %s again", self._shown)

    def _trouble(self) -> None:
        self._failing = True
        if time.monotonic() - self._told_at < TOLD_SECONDS:
            return
        self._told_at = time.monotonic()
        log.warning(
            "traces cannot be sent to %s: %s; %d spans are lost so far, visitors are served as ever",
            self._shown,
            self._heard.last or "no reason given",
            self._count.lost,
            extra={"lost": self._count.lost},
        )

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


def processor(count: SpanCount, *, shown: str) -> tuple[BatchSpanProcessor, Callable[[], None]]:
    """A running batch processor as the OTEL_EXPORTER_OTLP_… variables say, and what breaks off its exporter's waiting.

    Raises ValueError for what those variables cannot mean.
    """
    heard = Heard()
    for name in ("opentelemetry", "urllib3"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [heard]
        logger.propagate = False
    exporter = OTLPSpanExporter(session=BoundedSession())
    counted = CountedExporter(exporter, count, heard, shown=shown)
    delay = None if os.environ.get("OTEL_BSP_SCHEDULE_DELAY") else DELAY_MS
    batches = BatchSpanProcessor(
        counted, max_queue_size=QUEUE, max_export_batch_size=BATCH, schedule_delay_millis=delay
    )
    return batches, exporter.shutdown
