"""Storing what is sent: OTLP over HTTP with durable acks, followed logs, and the store alone.

`BENCH_SECONDS` of each, 5 unless said; the figures that are promised are for 60.
"""

import asyncio
import json
import os
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.process import Measured, running
from bench.table import Row
from bench.telemetry import records, spans
from chimney.store.local import LocalStore
from chimney.store.telemetry import Batch, Incoming

SECONDS = float(os.environ.get("BENCH_SECONDS", "5"))
AT_ONCE = 1_000  # twice the batch of an SDK
SENDERS = 4
BODIES = 16


def log_body(seed: int) -> bytes:
    now_ms = int(time.time() * 1000)
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    attribute = resource.resource.attributes.add(key="service.name")
    attribute.value.string_value = f"shop{seed % 4}"
    scope = resource.scope_logs.add()
    for record in records(AT_ONCE, first_ms=now_ms, span_ms=1_000):
        row = scope.log_records.add(time_unix_nano=record.ts_ms * 1_000_000 + seed, severity_number=9)
        row.body.string_value = record.message
        row.trace_id = bytes.fromhex(record.trace_id or "")
        for name, value in record.fields.items():
            row.attributes.add(key=name).value.string_value = str(value)
    return bytes(request.SerializeToString())


def span_body(seed: int) -> bytes:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = f"shop{seed % 4}"
    scope = resource.scope_spans.add()
    for span in spans(AT_ONCE, at_ms=int(time.time() * 1000)):
        row = scope.spans.add(name=span.name, kind=2, start_time_unix_nano=span.start_ns)
        row.trace_id, row.span_id = bytes.fromhex(span.trace_id), bytes.fromhex(span.span_id)
        row.end_time_unix_nano = span.start_ns + span.duration_ns
        for name, value in span.attributes.items():
            row.attributes.add(key=name).value.string_value = str(value)
    return bytes(request.SerializeToString())


def send(url: str, bodies: list[bytes]) -> tuple[int, list[float], int]:
    """Rows acked, the time of each ack in milliseconds, requests refused."""
    ends = time.perf_counter() + SECONDS
    took: list[float] = []
    refused = 0
    lock = threading.Lock()

    def sender(number: int) -> None:
        nonlocal refused
        for body in _endless(bodies[number::SENDERS]):
            began = time.perf_counter()
            if began > ends:
                return
            request = urllib.request.Request(url, body, {"content-type": "application/x-protobuf"})
            try:
                urllib.request.urlopen(request, timeout=20).close()
            except OSError:
                with lock:
                    refused += 1
                continue
            with lock:
                took.append((time.perf_counter() - began) * 1000)

    threads = [threading.Thread(target=sender, args=(number,)) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(took) * AT_ONCE, sorted(took), refused


def _endless(bodies: list[bytes]) -> Iterator[bytes]:
    while True:
        yield from bodies


def over_http(table: Measured, path: str, make: Callable[[int], bytes], least: float) -> list[Row]:
    bodies = [make(seed) for seed in range(BODIES)]
    began, cpu = time.perf_counter(), table.cpu_seconds()
    rows, took, refused = send(table.address + path, bodies)
    seconds, used = time.perf_counter() - began, table.cpu_seconds() - cpu
    rate = rows / seconds
    p99 = took[int(len(took) * 0.99)] if took else 0.0
    figures = f"{rate:,.0f}/s, {used / rows * 1e6 if rows else 0:.1f} µs of a processor each, {refused} refused"
    return [
        Row(f"{path}: promised rate / rate", figures, least / rate if rate else 99.0, 1),
        Row(f"{path}: ack p99, ms", f"median {took[len(took) // 2] if took else 0:.0f} ms", p99, 500),
    ]


async def followed(folder: Path) -> Row:
    store = LocalStore(folder)
    await store.open()
    number, began, used = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < SECONDS:
        batch = [Incoming(followed_line(number + one), number + one) for one in range(1, 501)]
        await store.append([Batch("hel1", batch)])
        number += 500
        while await store.seal():
            pass
    rate = number / (time.perf_counter() - began)
    each = (time.process_time() - used) / number * 1e6
    await store.close()
    figures = f"{rate:,.0f}/s, an fsync for each 500, {each:.1f} µs of a processor each, sealing among it"
    return Row("followed logs: 20,000 / rate", figures, 20_000 / rate, 1)


def followed_line(number: int) -> bytes:
    fields = {"method": "GET", "path": f"/api/orders/{number}", "route": "/api/orders/{id}", "status": 200}
    ids = {"request_id": f"{number:024x}", "trace_id": f"{number:032x}", "span_id": f"{number:016x}"}
    said = {"level": "info", "logger": "chimney.request", "message": f"GET /api/orders/{number} 200 1.2 ms"}
    return json.dumps({"ts": "2026-11-24T10:00:00.123Z", **said, **ids, **fields, "latency_ms": 1.2}).encode()


async def alone(folder: Path) -> Row:
    """Records that are read already: the store by itself."""
    store = LocalStore(folder)
    await store.open()
    made = list(records(AT_ONCE, first_ms=int(time.time() * 1000), span_ms=1_000))
    count, began, used, took = 0, time.perf_counter(), time.process_time(), []
    while time.perf_counter() - began < SECONDS:
        start = time.perf_counter()
        await store.append([Batch("shop", made)])
        took.append((time.perf_counter() - start) * 1000)
        count += AT_ONCE
    rate = count / (time.perf_counter() - began)
    each = (time.process_time() - used) / count * 1e6
    await store.close()
    p99 = sorted(took)[int(len(took) * 0.99)]
    return Row("the store alone", f"{rate:,.0f}/s, {each:.1f} µs each, an fsync for each {AT_ONCE:,}, p99 {p99:.0f} ms")


def run() -> list[Row]:
    with running("chimney", "table", "--listen", "127.0.0.1:0", environ={"CHIMNEY_TABLE_PASSWORD": "bench"}) as table:
        rows = over_http(table, "/v1/logs", log_body, 30_000)
        rows += over_http(table, "/v1/traces", span_body, 15_000)
        rows.append(Row("memory of the table, MB", "", table.resident_mb(), 400))
    for measure in (followed, alone):
        with tempfile.TemporaryDirectory() as folder:
            rows.append(asyncio.run(measure(Path(folder))))
    return rows
