"""What a cached hit costs over a bare ASGI answer: record, line, metrics and spans; and what that cost is made of.

With everything on and spans by the default rule at most 10 µs more than a bare answer of the same size, which carries
two headers and is told to nobody. The parts are measured alone, warm and in one thread; what they leave of the whole
is eleven more headers, the kernel's part, and caches that other work emptied.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from bench.collector import collecting
from bench.hot import SMALL, size_of
from bench.load import press
from bench.process import Measured, origin_with_standin, running
from bench.table import Row
from chimney.core.sampling import Reason, Selection
from chimney.origin.error_rate import ErrorRate
from chimney.store.ring import RingFile
from chimney.tracing.environment import Destination
from chimney.tracing.spans import Spans, resource_of
from chimney.tracing.traces import Traces
from chimney.web.asgi import Scope
from chimney.web.lines import RequestLines, as_json
from chimney.web.metrics import RequestMetrics
from chimney.web.record import RequestRecord, begin

SECONDS = 3
ROUNDS = 5
OVER_MOST = 10.0
AT_ONCE = 32
FLUSH = 2_000
SCOPE: Scope = {
    "type": "http",
    "method": "GET",
    "path": SMALL.partition("?")[0],
    "query_string": SMALL.partition("?")[2].encode(),
    "headers": [(b"host", b"127.0.0.1:8080")],
    "client": ("127.0.0.1", 40_000),
}


def run() -> list[Row]:
    with ExitStack() as stack:
        to = {"OTEL_EXPORTER_OTLP_ENDPOINT": stack.enter_context(collecting()).url}
        told = {"no traces": {}, "everything on": to, "every span exported": {**to, "CHIMNEY_TRACES_PER_SECOND": "all"}}
        origins = {name: stack.enter_context(origin_with_standin(environ))[0] for name, environ in told.items()}
        size = size_of(origins["everything on"], SMALL)
        return [*_whole(stack.enter_context(running("bench.bare", str(size))), origins, size), *_parts()]


def _whole(bare: Measured, origins: Mapping[str, Measured], size: int) -> Iterator[Row]:
    for origin in origins.values():
        press(origin, SMALL, seconds=1)
    plain: list[float] = []
    over: dict[str, list[float]] = {name: [] for name in origins}
    for _ in range(ROUNDS):
        plain.append(press(bare, "/", seconds=SECONDS).cpu_us)
        for name, origin in origins.items():
            over[name].append(press(origin, SMALL, seconds=SECONDS).cpu_us - plain[-1])
    yield Row(f"bare ASGI, {size} B", f"{statistics.median(plain):.1f} µs CPU")
    for name, more in over.items():
        figures = f"{statistics.median(more):+.1f} µs over it, at best {min(more):+.1f}"
        judged = name == "everything on"
        yield Row(name, figures, statistics.median(more) if judged else None, OVER_MOST if judged else None)


def cost(run: Callable[[], object], count: int) -> float:
    """Microseconds of this thread for each of `count`, at best."""
    best = float("inf")
    for _ in range(60):
        began = time.thread_time()
        run()
        best = min(best, time.thread_time() - began)
    return 1e6 * best / count


def _finished() -> RequestRecord:
    record = begin(SCOPE)
    record.route, record.status, record.cache, record.tier, record.bytes = "/api/github/x", 200, "hit", "memory", 2_000
    record.finish()
    return record


def _parts() -> Iterator[Row]:
    records = [_finished() for _ in range(AT_ONCE)]
    lines, metrics, errors = RequestLines(), RequestMetrics(), ErrorRate()
    traces = Traces(
        Destination(shown="", sampler=None, faults=[]), Selection(per_second=20), exemplify=metrics.exemplify
    )
    made = lines(records) * (FLUSH // AT_ONCE)
    spans = Spans(resource_of({}))
    exported = [spans.of_request(record, Reason.SHARE)[0] for record in records]
    parts: dict[str, tuple[Callable[[], object], int]] = {
        "ids and record": (lambda: [_finished() for _ in range(AT_ONCE)], AT_ONCE),
        "line": (lambda: lines(records), AT_ONCE),
        "metrics": (lambda: metrics.take(records), AT_ONCE),
        "error rate": (lambda: errors.take(records), AT_ONCE),
        "choosing spans": (lambda: traces.take(records), AT_ONCE),
        "joined for stderr": (lambda: as_json(made), len(made)),
    }
    for name, (run_part, count) in parts.items():
        yield Row(f"· {name}", f"{cost(run_part, count):.2f} µs")
    with tempfile.TemporaryDirectory() as folder:
        ring = RingFile(Path(folder) / "ring.sqlite", keep=1_000)
        kept = [line.json for line in made]
        yield Row(f"· ring, {FLUSH} lines a flush", f"{cost(lambda: ring.append(kept), len(kept)):.2f} µs")
        ring.close()
    making = cost(lambda: [spans.of_request(record, Reason.SHARE) for record in records], AT_ONCE)
    encoding = cost(lambda: encode_spans(exported).SerializeToString(), AT_ONCE)
    yield Row("· a span exported", f"{making:.1f} µs made, {encoding:.1f} µs as protobuf; then gzip, HTTP")
