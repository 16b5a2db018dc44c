"""OTLP as JSON: the fields that we read, named as in the protobuf classes, so that one reader serves both.

The mapping has its own rules: ids are hex (other bytes base64), 64-bit integers are strings or numbers, enums are
integers, names are lowerCamelCase, unknown fields are ignored.
"""

import msgspec


class Hex(bytes):
    """A trace or span id; hex in either case on the wire."""


def decode_hook(kind: type, given: object) -> object:
    if kind is Hex and isinstance(given, str):
        return Hex(bytes.fromhex(given))
    raise NotImplementedError(f"{kind} cannot be {type(given).__name__}")


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    pass


class AnyValue(Part, frozen=True, kw_only=True):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | None = None
    double_value: float | None = None
    array_value: "ArrayValue | None" = None
    kvlist_value: "KeyValueList | None" = None
    bytes_value: bytes | None = None

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 — as protobuf calls it
        return next((name for name in self.__struct_fields__ if getattr(self, name) is not None), None)


class KeyValue(Part, frozen=True, kw_only=True):
    key: str = ""
    value: AnyValue | None = None


class ArrayValue(Part, frozen=True, kw_only=True):
    values: list[AnyValue] = []


class KeyValueList(Part, frozen=True, kw_only=True):
    values: list[KeyValue] = []


class Resource(Part, frozen=True, kw_only=True):
    attributes: list[KeyValue] = []


class Scope(Part, frozen=True, kw_only=True):
    name: str = ""
    version: str = ""


class LogRecord(Part, frozen=True, kw_only=True):
    time_unix_nano: int = 0
    observed_time_unix_nano: int = 0
    severity_number: int = 0
    severity_text: str = ""
    body: AnyValue | None = None
    attributes: list[KeyValue] = []
    trace_id: Hex | None = None
    span_id: Hex | None = None
    event_name: str = ""


class ScopeLogs(Part, frozen=True, kw_only=True):
    scope: Scope = Scope()
    log_records: list[LogRecord] = []


class ResourceLogs(Part, frozen=True, kw_only=True):
    resource: Resource = Resource()
    scope_logs: list[ScopeLogs] = []


class LogsRequest(Part, frozen=True, kw_only=True):
    resource_logs: list[ResourceLogs] = []


class SpanEvent(Part, frozen=True, kw_only=True):
    time_unix_nano: int = 0
    name: str = ""
    attributes: list[KeyValue] = []


class SpanLink(Part, frozen=True, kw_only=True):
    trace_id: Hex = Hex()
    span_id: Hex = Hex()
    attributes: list[KeyValue] = []


class SpanStatus(Part, frozen=True, kw_only=True):
    code: int = 0
    message: str = ""


class Span(Part, frozen=True, kw_only=True):
    trace_id: Hex = Hex()
    span_id: Hex = Hex()
    parent_span_id: Hex | None = None
    name: str = ""
    kind: int = 0
    start_time_unix_nano: int = 0
    end_time_unix_nano: int = 0
    attributes: list[KeyValue] = []
    events: list[SpanEvent] = []
    links: list[SpanLink] = []
    status: SpanStatus = SpanStatus()


class ScopeSpans(Part, frozen=True, kw_only=True):
    scope: Scope = Scope()
    spans: list[Span] = []


class ResourceSpans(Part, frozen=True, kw_only=True):
    resource: Resource = Resource()
    scope_spans: list[ScopeSpans] = []


class TracesRequest(Part, frozen=True, kw_only=True):
    resource_spans: list[ResourceSpans] = []


class NumberDataPoint(Part, frozen=True, kw_only=True):
    attributes: list[KeyValue] = []
    start_time_unix_nano: int = 0
    time_unix_nano: int = 0
    as_double: float | None = None
    as_int: int | None = None
    flags: int = 0

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802
        return "as_int" if self.as_int is not None else "as_double" if self.as_double is not None else None


class HistogramDataPoint(Part, frozen=True, kw_only=True):
    attributes: list[KeyValue] = []
    start_time_unix_nano: int = 0
    time_unix_nano: int = 0
    count: int = 0
    sum: float = 0.0
    bucket_counts: list[int] = []
    explicit_bounds: list[float] = []
    flags: int = 0


class ExponentialBuckets(Part, frozen=True, kw_only=True):
    offset: int = 0
    bucket_counts: list[int] = []


class ExponentialHistogramDataPoint(Part, frozen=True, kw_only=True):
    attributes: list[KeyValue] = []
    start_time_unix_nano: int = 0
    time_unix_nano: int = 0
    count: int = 0
    sum: float = 0.0
    scale: int = 0
    zero_count: int = 0
    zero_threshold: float = 0.0
    positive: ExponentialBuckets = ExponentialBuckets()
    negative: ExponentialBuckets = ExponentialBuckets()
    flags: int = 0


class ValueAtQuantile(Part, frozen=True, kw_only=True):
    quantile: float = 0.0
    value: float = 0.0


class SummaryDataPoint(Part, frozen=True, kw_only=True):
    attributes: list[KeyValue] = []
    time_unix_nano: int = 0
    count: int = 0
    sum: float = 0.0
    quantile_values: list[ValueAtQuantile] = []
    flags: int = 0


class Gauge(Part, frozen=True, kw_only=True):
    data_points: list[NumberDataPoint] = []


class Sum(Part, frozen=True, kw_only=True):
    data_points: list[NumberDataPoint] = []
    aggregation_temporality: int = 0
    is_monotonic: bool = False


class Histogram(Part, frozen=True, kw_only=True):
    data_points: list[HistogramDataPoint] = []
    aggregation_temporality: int = 0


class ExponentialHistogram(Part, frozen=True, kw_only=True):
    data_points: list[ExponentialHistogramDataPoint] = []
    aggregation_temporality: int = 0


class Summary(Part, frozen=True, kw_only=True):
    data_points: list[SummaryDataPoint] = []


class Metric(Part, frozen=True, kw_only=True):
    name: str = ""
    unit: str = ""
    gauge: Gauge | None = None
    sum: Sum | None = None
    histogram: Histogram | None = None
    exponential_histogram: ExponentialHistogram | None = None
    summary: Summary | None = None

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802
        return next((name for name in self.__struct_fields__[2:] if getattr(self, name) is not None), None)


class ScopeMetrics(Part, frozen=True, kw_only=True):
    scope: Scope = Scope()
    metrics: list[Metric] = []


class ResourceMetrics(Part, frozen=True, kw_only=True):
    resource: Resource = Resource()
    scope_metrics: list[ScopeMetrics] = []


class MetricsRequest(Part, frozen=True, kw_only=True):
    resource_metrics: list[ResourceMetrics] = []
