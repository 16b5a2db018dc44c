"""An OTLP receiver of tests: decodes what it is sent, and can be slow, broken or hostile.

A thread serves it, so that tests with and without an event loop, and other processes, may send to it.
"""

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

CHUNK = b"\0" * 65_536


class Seen:
    """One span with the resource that it came with, its attributes as plain values."""

    def __init__(self, span: Span, resource: dict[str, Any]) -> None:
        self.resource = resource
        self.name = span.name
        self.kind = Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower()
        self.trace_id = span.trace_id.hex()
        self.span_id = span.span_id.hex()
        self.parent_id = span.parent_span_id.hex()
        self.failed = span.status.code == 2
        self.said = span.status.message
        self.seconds = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
        self.started = span.start_time_unix_nano / 1e9
        self.attributes = values(span.attributes)


def values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


class Collector:
    """`spans` in the order of their arrival; `asked` counts requests, `headers` are those of the last."""

    def __init__(self) -> None:
        self.spans: list[Seen] = []
        self.asked = 0
        self.headers: dict[str, str] = {}
        self.manner: Callable[[BaseHTTPRequestHandler], None] = accepts
        self.gone = threading.Event()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                collector.take(self, body)

            def log_message(self, *_said: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def take(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        self.asked += 1
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        if self.manner is accepts:
            whole = gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
            for resource in ExportTraceServiceRequest.FromString(whole).resource_spans:
                told = values(resource.resource.attributes)
                self.spans += [Seen(span, told) for scope in resource.scope_spans for span in scope.spans]
        try:
            self.manner(request)
        except OSError:
            self.gone.set()

    def of(self, trace_id: str) -> list[Seen]:
        return [span for span in self.spans if span.trace_id == trace_id]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def accepts(request: BaseHTTPRequestHandler) -> None:
    answers(200)(request)


def answers(status: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def manner(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"content-length": "0", **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()

    return manner


def answers_a_gibibyte(request: BaseHTTPRequestHandler) -> None:
    """As fast as it is read; OSError once nobody reads any more."""
    request.send_response(200)
    request.send_header("content-length", str(2**30))
    request.end_headers()
    for _ in range(2**30 // len(CHUNK)):
        request.wfile.write(CHUNK)


def hangs(request: BaseHTTPRequestHandler) -> None:
    """Takes the request and never answers, until the other side goes away."""
    request.connection.recv(1)


@contextmanager
def collector() -> Iterator[Collector]:
    running = Collector()
    try:
        yield running
    finally:
        running.close()
