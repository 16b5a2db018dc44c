"""Finished requests as spans, decoded from the protobuf that a collector receives."""

import logging
import math
import subprocess
import sys

import pytest
from tests.conftest import until
from tests.fakes.collector import Collector, Seen
from tests.tracing.conftest import Make, finished

from chimney.core.call import Call
from chimney.tracing.count import CAPACITY
from chimney.tracing.traces import traces_of
from chimney.web.metrics import RequestMetrics, expose
from chimney.web.record import RequestRecord

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
UNSAMPLED = CALLER[:-1] + "0"


async def arrived(collector: Collector, count: int) -> list[Seen]:
    await until(lambda: len(collector.spans) >= count)
    return collector.spans


def call(name: str = "GET", **said: object) -> Call:
    about = {"url.full": "https://api.github.test/x", "github.not_modified": True}
    return Call(name=name, attributes={**about, **said}, span_id="00000000000000aa", started=100.0, seconds=0.25)  # type: ignore[dict-item]


async def test_a_request_is_a_span_under_its_caller(make: Make, collector: Collector) -> None:
    record = finished(
        "/api/github/pulls", traceparent=CALLER, user_agent="tests", host="page.test:8080", x_request_id="req-1"
    )
    record.query, record.cache, record.tier, record.bytes = b"state=open", "miss", "github", 7
    make().take([record])
    [span] = await arrived(collector, 1)
    assert (span.trace_id, span.span_id, span.parent_id) == (record.trace_id, record.span_id, "00f067aa0ba902b7")
    assert (span.name, span.kind, span.failed) == ("GET /{page}", "server", False)
    assert span.seconds == pytest.approx(0.002, abs=1e-6)
    assert span.started == pytest.approx(record.started, abs=1e-3)
    assert span.attributes == {
        "http.request.method": "GET",
        "http.route": "/{page}",
        "http.response.status_code": 200,
        "http.response.body.size": 7,
        "url.scheme": "http",
        "url.path": "/api/github/pulls",
        "url.query": "state=open",
        "client.address": "10.0.0.7",
        "server.address": "page.test",
        "server.port": 8080,
        "user_agent.original": "tests",
        "chimney.request_id": "req-1",
        "chimney.cache.result": "miss",
        "chimney.cache.tier": "github",
        "chimney.export.reason": "miss",
    }


async def test_what_was_asked_of_others_are_its_children(make: Make, collector: Collector) -> None:
    record = finished()
    record.calls = [call(), call("GET", **{"db.system.name": "redis"})]
    record.calls[1].error = "timeout"
    make().take([record])
    server, github, dragonfly = await arrived(collector, 3)
    assert {github.parent_id, dragonfly.parent_id} == {server.span_id}
    assert {github.trace_id, dragonfly.trace_id} == {record.trace_id}
    assert (github.kind, github.failed, github.seconds) == ("client", False, 0.25)
    assert github.attributes == {"url.full": "https://api.github.test/x", "github.not_modified": True}
    assert (dragonfly.failed, dragonfly.attributes["error.type"]) == (True, "timeout")


async def test_a_call_that_outlives_its_request_is_a_child_all_the_same(make: Make, collector: Collector) -> None:
    traces, record = make(), finished()
    record.calls = []
    traces.take([record])
    await arrived(collector, 1)
    traces.late(record, call())
    spans = await arrived(collector, 2)
    assert (spans[1].parent_id, spans[1].trace_id) == (record.span_id, record.trace_id)


async def test_a_resource_says_who_sends(make: Make, collector: Collector) -> None:
    said = {"OTEL_SERVICE_NAME": "edge", "OTEL_RESOURCE_ATTRIBUTES": "team=blue,service.version=9"}
    make(**said).take([finished()])
    [span] = await arrived(collector, 1)
    told = {"service.name": "edge", "team": "blue", "service.version": "9", "service.instance.id": "boot-1"}
    assert told.items() <= span.resource.items()


async def test_an_error_says_of_what_type(make: Make, collector: Collector) -> None:
    known, unknown = finished(status=502), finished(status=500)
    known.error = "github-unreachable: GitHub did not answer"
    unknown.route = "unknown"
    make().take([known, unknown])
    first, second = await arrived(collector, 2)
    assert (first.failed, first.said) == (True, "github-unreachable: GitHub did not answer")
    assert first.attributes["error.type"] == "github-unreachable"
    assert (second.name, second.attributes["error.type"]) == ("GET", "500")
    assert "http.route" not in second.attributes


HOSTILE = ["\x1b[2J", "a\r\nb", "\x00", "\ud800", "x" * 1_000_000, "ghp_" + "a" * 36]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:8]))
async def test_hostile_text_arrives_harmless(make: Make, collector: Collector, text: str) -> None:
    record = finished(status=500)
    record.path, record.error, record.method = f"/{text}", text, text
    record.agent = record.host = text.encode("utf-8", "surrogatepass")
    record.query = b"token=hidden&" + text.encode("utf-8", "surrogatepass")
    make().take([record])
    [span] = await arrived(collector, 1)
    told = " ".join(map(str, span.attributes.values())) + span.said
    assert len(told) < 8000
    assert not set(told) & set("\x1b\r\x00")
    assert "hidden" not in told
    assert "a" * 36 not in told
    assert span.attributes["http.request.method"] == "_OTHER"


async def test_a_stream_is_no_span(make: Make, collector: Collector) -> None:
    stream, other = finished(seconds=7200), finished("/after")
    stream.streamed = True
    make(per_second=math.inf).take([stream, other])
    [span] = await arrived(collector, 1)
    assert span.attributes["url.path"] == "/after"


async def test_probes_and_the_table_take_no_place_from_visitors(make: Make, collector: Collector) -> None:
    probe, table = finished(), finished(user_agent="chimney-table/1.0")
    probe.route = "/readyz"
    make().take([probe, table, finished("/visitor")])
    [span] = await arrived(collector, 1)
    assert span.attributes["url.path"] == "/visitor"


@pytest.mark.parametrize(("per_second", "count"), [(0, 0), (3, 3), (math.inf, 50)])
async def test_of_plain_hits_so_many_a_second_leave(
    make: Make, collector: Collector, per_second: float, count: int
) -> None:
    hits = [finished() for _ in range(50)]
    for hit in hits:
        hit.cache = "hit"
    make(per_second=per_second).take([*hits, finished("/last", status=500)])
    await until(lambda: any(span.attributes["url.path"] == "/last" for span in collector.spans))
    assert len(collector.spans) == count + 1


async def test_a_sampler_decides_alone(make: Make, collector: Collector) -> None:
    traces = make(OTEL_TRACES_SAMPLER="parentbased_always_off")
    sampled = finished("/sampled", traceparent=CALLER)
    traces.take([finished("/error", status=500), sampled, finished(traceparent=UNSAMPLED)])
    [span] = await arrived(collector, 1)
    assert (span.attributes["url.path"], span.attributes["chimney.export.reason"]) == ("/sampled", "sampler")
    assert traces.goes_on(sampled)
    assert not traces.goes_on(finished())


async def test_headers_go_along(make: Make, collector: Collector) -> None:
    make(OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20abc", OTEL_EXPORTER_OTLP_COMPRESSION="gzip").take(
        [finished()]
    )
    await arrived(collector, 1)
    assert collector.headers["authorization"] == "Bearer abc"
    assert collector.headers["content-type"] == "application/x-protobuf"


async def test_an_exemplar_names_a_trace_that_is_exported(make: Make, collector: Collector) -> None:
    metrics = RequestMetrics()
    traces = make(per_second=1, exemplify=metrics.exemplify)
    records = [finished(seconds=0.003), finished(seconds=0.2), finished(seconds=0.2, status=500)]
    records[0].cache = records[1].cache = "hit"
    for record in records:
        metrics.observe(record)
    traces.take(records)
    spans = await arrived(collector, 2)
    text = expose([metrics.collect], "application/openmetrics-text; version=1.0.0")[0].decode()
    named = {line.split('trace_id="')[1][:32] for line in text.splitlines() if "trace_id=" in line}
    assert named == {span.trace_id for span in spans} == {records[0].trace_id, records[2].trace_id}
    assert f'chimney_errors_total{{route="/{{page}}"}} 1.0 # {{trace_id="{records[2].trace_id}"}} 1.0' in text
    assert "trace_id" not in expose([metrics.collect], "")[0].decode()


async def test_what_cannot_be_a_span_takes_nothing_with_it(
    make: Make, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    broken: RequestRecord = finished(status=500)
    broken.trace_id = "not hexadecimal"
    make().take([broken, finished("/whole")])
    [span] = await arrived(collector, 1)
    assert span.attributes["url.path"] == "/whole"
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == [
        "no span could be made of a request"
    ]


async def test_what_is_chosen_before_all_is_ready_waits_within_bounds(collector: Collector, make: Make) -> None:
    traces = make(per_second=math.inf)
    traces.take([finished() for _ in range(CAPACITY + 3)])

    def counts() -> dict[str, float]:
        return {sample.labels["result"]: sample.value for family in traces.metrics() for sample in family.samples}

    await until(lambda: counts() == {"exported": CAPACITY, "failed": 0, "dropped": 3})
    assert len(collector.spans) == CAPACITY


def test_nothing_of_opentelemetry_is_imported_without_an_endpoint() -> None:
    program = (
        "import sys, chimney.origin.app, chimney.tracing.traces as traces\n"
        "traces.traces_of({}, per_second=1, slow_seconds=1, exemplify=print).start({})\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry', 'requests'))])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


def test_without_a_collector_an_exemplar_leads_to_the_log_at_least() -> None:
    told: list[RequestRecord] = []
    traces = traces_of({}, per_second=0, slow_seconds=1, exemplify=told.append)
    failed, sampled, plain = finished(status=500), finished(traceparent=CALLER), finished()
    traces.take([failed, plain, sampled])
    assert told == [failed, sampled]
    assert (traces.goes_on(sampled), traces.goes_on(plain)) == (True, False)
