"""A program with the stock OpenTelemetry SDK for Python: one trace of two spans, one log record, one count.

Where they go is said by OTEL_EXPORTER_OTLP_ENDPOINT alone.
"""

import logging
import sys

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

spans = TracerProvider()
spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
logs = LoggerProvider()
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())])
log = logging.getLogger("sender")
log.addHandler(LoggingHandler(logger_provider=logs))

counter = meters.get_meter("sender").create_counter("jobs.done")
tracer = spans.get_tracer("sender")
with tracer.start_as_current_span("GET /python", kind=trace.SpanKind.SERVER) as root:
    counter.add(3, {"queue": "mail"})
    with tracer.start_as_current_span("query"):
        log.error("said by python")
for provider in (spans, logs, meters):
    provider.force_flush()
    provider.shutdown()
sys.stdout.write(f"{root.get_span_context().trace_id:032x}\n")
