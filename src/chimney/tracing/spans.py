"""A finished record as spans: the server's own, and one for each call that it made. Imports OpenTelemetry.

Names and attributes follow the semantic conventions for HTTP; those that begin with `chimney.` and `github.` are ours.
What came from outside is masked, made visible and cut, as in the log.
"""

from collections.abc import Mapping

from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from chimney import __version__
from chimney.core.call import Attribute, Call
from chimney.core.redact import safe
from chimney.core.sampling import Reason
from chimney.web.metrics import METHODS
from chimney.web.record import RequestRecord

LONGEST = 1024
UNMATCHED = ("unknown", "unmatched")  # routes of requests that met no template
_SCOPE = InstrumentationScope("chimney", __version__)
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


def resource_of(own: Mapping[str, str]) -> Resource:
    """What sends: as we know it, unless OTEL_RESOURCE_ATTRIBUTES or OTEL_SERVICE_NAME say otherwise."""
    sdk = {"telemetry.sdk.language": "python", "telemetry.sdk.name": "opentelemetry"}
    return Resource({**sdk, **own}).merge(OTELResourceDetector().detect())


class Spans:
    """Makes the spans of one process."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource

    def of_request(self, record: RequestRecord, reason: Reason) -> list[ReadableSpan]:
        """The server's span, then its finished calls."""
        return [self._server(record, reason), *(self.of_call(record, call) for call in record.calls or ())]

    def _server(self, record: RequestRecord, reason: Reason) -> ReadableSpan:
        method = record.method if record.method in METHODS else "_OTHER"
        known = record.route not in UNMATCHED
        start = int(record.started * 1e9)
        failed = record.status >= 500
        described = safe(record.error, longest=LONGEST) if failed and record.error else None
        return ReadableSpan(
            name=f"{'HTTP' if method == '_OTHER' else method} {record.route}" if known else method,
            context=_context(record, record.span_id),
            parent=_context(record, record.parent_span_id, remote=True) if record.parent_span_id else None,
            resource=self._resource,
            attributes=_bounded(_of_server(record, method, reason, known=known)),
            kind=SpanKind.SERVER,
            status=Status(StatusCode.ERROR, described) if failed else Status(StatusCode.UNSET),
            start_time=start,
            end_time=start + int(max(record.duration, 0.0) * 1e9),
            instrumentation_scope=_SCOPE,
        )

    def of_call(self, record: RequestRecord, call: Call) -> ReadableSpan:
        start = int(call.started * 1e9)
        error = {"error.type": call.error} if call.error else {}
        return ReadableSpan(
            name=call.name,
            context=_context(record, call.span_id),
            parent=_context(record, record.span_id),
            resource=self._resource,
            attributes=_bounded({**call.attributes, **error}),
            kind=SpanKind.CLIENT,
            status=Status(StatusCode.ERROR if call.error else StatusCode.UNSET),
            start_time=start,
            end_time=start + int(call.seconds * 1e9),
            instrumentation_scope=_SCOPE,
        )


def _context(record: RequestRecord, span_id: str, *, remote: bool = False) -> SpanContext:
    return SpanContext(int(record.trace_id, 16), int(span_id, 16), is_remote=remote, trace_flags=_SAMPLED)


def _of_server(record: RequestRecord, method: str, reason: Reason, *, known: bool) -> dict[str, Attribute]:
    """The attributes of the server's span; what is not known is not there."""
    host = record.host.decode("latin-1")
    name, _, port = host.rpartition(":")
    told: dict[str, Attribute | None] = {
        "http.request.method": method,
        "http.request.method_original": record.method if method == "_OTHER" else None,
        "http.route": record.route if known else None,
        "http.response.status_code": record.status or None,
        "url.scheme": "https" if record.secure else "http",
        "url.path": record.path,
        "url.query": safe("?" + record.query.decode("latin-1"), longest=LONGEST)[1:] or None,
        "client.address": record.client,
        "server.address": (name if port.isdigit() else host) or None,
        "server.port": int(port) if name and port.isdigit() and len(port) < 6 else None,
        "user_agent.original": record.agent.decode("utf-8", "replace") or None,
        "error.type": _error_type(record),
        "chimney.error.fingerprint": record.fingerprint,
        "http.response.body.size": record.bytes,
        "chimney.request_id": record.request_id,
        "chimney.cache.result": record.cache,
        "chimney.cache.tier": record.tier,
        "chimney.export.reason": reason.value,
    }
    return {key: value for key, value in told.items() if value is not None}


def _error_type(record: RequestRecord) -> str | None:
    """The exception, or the problem that was answered, or the status; None for what is no fault of ours."""
    if record.status < 500:
        return None
    return record.error.partition(":")[0] if record.error else str(record.status)


def _bounded(attributes: dict[str, Attribute]) -> dict[str, Attribute]:
    return {key: safe(value, longest=LONGEST) if isinstance(value, str) else value for key, value in attributes.items()}
