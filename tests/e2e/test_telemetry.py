"""What a running origin tells: to a collector, to Prometheus, through Caddy; and how it ends when nobody listens."""

import json
import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.processes import TOKEN, Running, eventually, fetch, free_port, status_of
from tests.fakes.caddy import Caddy
from tests.fakes.collector import Collector, accepts, collector, hangs
from tests.fakes.prometheus import Prometheus

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "chimney.rules.yml"
CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"


@pytest.fixture(scope="module", name="collector")
def _collector() -> Iterator[Collector]:
    with collector() as running:
        yield running


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Running]:
    """An origin whose traces go to the collector, in front of a stand-in that stands still."""
    folder = tmp_path_factory.mktemp("telemetry")
    standin = Running("standin", "--listen", "127.0.0.1:0", "--repo", "acme/rocket", "--speed", "0", folder=folder)
    environ = {
        "CHIMNEY_REPO": "acme/rocket",
        "CHIMNEY_GITHUB_TOKEN": TOKEN,
        "CHIMNEY_GITHUB_API_URL": standin.url,
        "CHIMNEY_SLOT": "blue",
        "CHIMNEY_REVISION": "0123456789abcdef",
        "CHIMNEY_CADDY_ACCESS_LOG": str(folder / "caddy" / "access.log"),
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }
    listen = f"127.0.0.1:{free_port()}"
    running = Running("origin", "--listen", listen, folder=folder, environ=environ)
    assert running.url
    yield running
    running.close()
    standin.close()


def ask(url: str, **headers: str) -> dict[str, str]:
    """The headers of the answer."""
    request = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return {name.lower(): value for name, value in answer.headers.items()}


def test_one_request_through_caddy_has_the_same_ids_everywhere(origin: Running, collector: Collector) -> None:
    caddy = Caddy(origin.folder / "caddy", upstream=origin.url.removeprefix("http://")).start()
    try:
        told = ask(f"{caddy.url}/api/github/pulls?state=all", traceparent=CALLER, x_request_id="by-hand-1")
        line = eventually(lambda: access_line(caddy, "by-hand-1"))
    finally:
        caddy.stop()
    assert (told["x-request-id"], told["x-trace-id"]) == ("by-hand-1", CALLER[3:35])
    assert line["resp_headers"]["X-Trace-Id"] == [CALLER[3:35]]
    [record] = eventually(lambda: fetch(f"{origin.url}/api/logs?request_id=by-hand-1")["items"])
    [edge] = eventually(lambda: fetch(f"{origin.url}/api/logs/caddy?request_id=by-hand-1")["items"])
    assert (edge["logger"], edge["trace_id"], edge["path"]) == (
        "caddy.access",
        record["trace_id"],
        "/api/github/pulls?state=all",
    )
    spans = eventually(lambda: collector.of(CALLER[3:35])[1:] and collector.of(CALLER[3:35]))
    server = next(span for span in spans if span.kind == "server")
    github = next(span for span in spans if span.kind == "client")
    assert (record["trace_id"], record["span_id"]) == (server.trace_id, server.span_id)
    assert server.attributes["chimney.request_id"] == record["request_id"] == "by-hand-1"
    assert (server.parent_id, github.parent_id) == (CALLER[36:52], server.span_id)
    assert server.name == "GET /api/github/repos/{repo}/pulls"
    assert server.attributes["chimney.cache.result"] == record["cache"] == "miss"
    assert server.attributes["server.port"] == caddy.port
    assert github.attributes["github.not_modified"] is False
    assert server.resource["service.name"] == "chimney-origin"
    assert (server.resource["chimney.slot"], server.resource["vcs.ref.head.revision"]) == ("blue", "0123456789abcdef")


def access_line(caddy: Caddy, request_id: str) -> Any:
    lines = [json.loads(line) for line in caddy.access_log.read_text().splitlines()]
    return next((line for line in lines if line["resp_headers"].get("X-Request-Id") == [request_id]), None)


def test_prometheus_scrapes_rates_and_an_exemplar_that_leads_to_the_trace(
    origin: Running, collector: Collector, tmp_path: Path
) -> None:
    prometheus = Prometheus(tmp_path, target=origin.url.removeprefix("http://"), rules=RULES)
    route = 'route="/api/github/repos/{repo}/issues"'

    def rate() -> float:
        ask(f"{origin.url}/api/github/issues")
        found = prometheus.ask("query", query=f"sum(rate(chimney_requests_total{{{route}}}[5s]))")["result"]
        return float(found[0]["value"][1]) if found else 0.0

    def exemplar() -> str:
        asked = {"query": f"chimney_request_duration_seconds_bucket{{{route}}}"}
        span = {"start": str(time.time() - 60), "end": str(time.time() + 1)}
        [series] = prometheus.ask("query_exemplars", **asked, **span)[:1] or [{"exemplars": []}]
        return series["exemplars"][0]["labels"]["trace_id"] if series["exemplars"] else ""

    try:
        assert eventually(rate) > 0
        trace_id = eventually(exemplar)
        assert eventually(lambda: collector.of(trace_id))[0].attributes["url.path"] == "/api/github/issues"
        [target] = prometheus.ask("targets")["activeTargets"]
        assert (target["health"], target["lastError"]) == ("up", "")
        rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
        assert len(rules) > 10
        assert {rule["health"] for rule in rules} <= {"ok", "unknown"}
    finally:
        prometheus.close()


def test_an_origin_ends_in_time_though_its_collector_hangs(origin: Running, collector: Collector) -> None:
    collector.manner = hangs
    ask(f"{origin.url}/api/github/pulls", traceparent=CALLER[:-1] + "1")
    before = collector.asked
    eventually(lambda: collector.asked > before)
    began = time.monotonic()
    origin.process.send_signal(signal.SIGTERM)
    assert origin.process.wait(10) == 0
    assert time.monotonic() - began < 5
    collector.manner = accepts
    origin.start()
    assert eventually(lambda: status_of(f"{origin.url}/readyz") == 200)


def test_the_last_spans_go_out_after_the_server(origin: Running, collector: Collector) -> None:
    last = CALLER.replace("4bf9", "beef")[:-1] + "1"
    ask(f"{origin.url}/api/version", traceparent=last)
    origin.process.send_signal(signal.SIGTERM)
    assert origin.process.wait(10) == 0
    assert [span.name for span in collector.of(last[3:35])] == ["GET /api/version"]
    assert collector.asked > 0
