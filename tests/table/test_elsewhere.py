"""Sources that are read where they are: real Prometheus and Alertmanager, Jaeger and Tempo as they are documented."""

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.e2e.processes import free_port
from tests.fakes import otlp as sent
from tests.fakes.origin import FakeOrigin
from tests.fakes.prometheus import Alertmanager, Prometheus
from tests.fakes.waiting import eventually
from tests.table.conftest import Make
from tests.table.running import Running

from chimney.core.span_filter import SpanFilter
from chimney.table.elsewhere import sources
from chimney.table.elsewhere.tempo import traceql

JSON = {"content-type": "application/json"}
NOT_FOUND = (404, JSON, b'{"error":{"httpCode":404,"message":"No traces found"}}')
START_NS = 1_795_000_000_000_000_000
RULES = """groups:
- name: tests
  rules:
  - alert: CartIsEmpty
    expr: vector(1)
    labels: {severity: critical}
    annotations: {summary: nothing is in the cart, runbook_url: "https://example.org/cart"}
"""
SHORT = "d6e9329d67b6146a"


def answers(origin: FakeOrigin, path: str, body: Any, status: int = 200) -> None:
    origin.answers[path] = (status, JSON, json.dumps(body).encode())


def codes(running: Running) -> dict[str, str]:
    return {one.id: one.title for one in running.table.watching.watch.current.items}


@pytest.fixture(name="servers", scope="module")
def _servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The addresses of a Prometheus with a rule that always fires, and of its Alertmanager."""
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "rules.yml").write_text(RULES)
    alerts = Alertmanager(folder)
    address = alerts.url.removeprefix("http://")
    series = Prometheus(folder, target=address, rules=folder / "rules.yml", alerts=address)
    yield series.url, alerts.url
    series.close()
    alerts.close()


async def test_series_and_alerts_of_the_real_ones_stand_beside_ours(
    make_table: Make, servers: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "EVERY_SECONDS", 0.2)
    running = await make_table(prometheus_url=servers[0], alertmanager_url=servers[1])
    client = await running.signed_in()
    await running.client.post(
        "/v1/metrics", json=sent.metrics({"name": "up", "gauge": {"dataPoints": [sent.point(5)]}})
    )

    async def series(**query: str) -> list[Any]:
        answer = await client.get("/api/series", params={"name": "up", "fn": "max", "step": "5", **query})
        assert (answer.status_code, answer.json()["partial"]) == (200, [])
        found: list[Any] = answer.json()["series"]
        return found

    async def both() -> bool:
        return {one["source"] for one in await series()} == {"table", "prometheus"}

    await eventually(both, within=15)
    theirs = next(one for one in await series() if one["source"] == "prometheus")
    assert theirs["labels"]["job"] == "chimney"
    for fn in ("rate", "avg", "p50", "p95", "p99"):
        await series(fn=fn, by="job")
    await series(name="http.server.duration", labels="weird-label=x")

    def firing() -> list[str]:
        return [title for one, title in codes(running).items() if one.startswith("alert_firing")]

    await eventually(firing, within=15)
    assert firing() == ["CartIsEmpty: nothing is in the cart"]
    (alert,) = (one for one in running.table.watching.watch.current.items if one.code == "alert_firing")
    assert (alert.severity, alert.remedy) == ("critical", "https://example.org/cart")


async def test_one_that_is_down_is_a_finding_and_the_rest_is_answered(
    make_table: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "EVERY_SECONDS", 0.2)
    nowhere = f"http://127.0.0.1:{free_port()}"
    names = ("jaeger", "tempo", "prometheus", "alertmanager")
    running = await make_table(**{f"{name}_url": nowhere for name in names})
    client = await running.signed_in()
    await running.client.post("/v1/traces", json=sent.traces(sent.span()))
    listed = (await client.get("/api/traces")).json()
    assert [one["found_in"] for one in listed["items"]] == [["table"]]
    assert [one.partition(":")[0] for one in listed["partial"]] == ["jaeger", "tempo"]
    series = (await client.get("/api/series", params={"name": "x"})).json()
    assert [one.partition(":")[0] for one in series["partial"]] == ["prometheus"]
    one = await client.get(f"/api/traces/{sent.TRACE}")
    assert (one.status_code, len(one.json()["partial"])) == (200, 2)
    await eventually(lambda: sum(one.startswith("source_unreachable") for one in codes(running)) == 4)


def resource_spans(**more: Any) -> dict[str, Any]:
    return sent.traces(sent.span(start_ns=START_NS, **more), service="cart")


async def test_traces_of_jaeger_by_its_third_api(make_table: Make, origin: FakeOrigin) -> None:
    answers(origin, "/api/v3/services", {"services": ["cart"]})
    answers(origin, "/api/v3/traces", {"result": resource_spans()})
    answers(origin, f"/api/v3/traces/{sent.TRACE}", {"result": resource_spans()})
    client = await (await make_table(jaeger_url=origin.url)).signed_in()
    (one,) = (await client.get("/api/traces", params={"from": "2026-11-18T00:00:00Z"})).json()["items"]
    assert (one["trace_id"], one["service"], one["found_in"]) == (sent.TRACE, "cart", ["jaeger"])
    asked = next(one for one in origin.asked if one.startswith("/api/v3/traces?"))
    assert "query.startTimeMin" in asked
    assert "query.startTimeMax" in asked
    whole = (await client.get(f"/api/traces/{sent.TRACE}")).json()
    assert (whole["found_in"], whole["urls"]) == (["jaeger"], {"jaeger": f"{origin.url}/trace/{sent.TRACE}"})
    (service,) = (await client.get("/api/services")).json()["items"]
    assert service == {"name": "cart", "operations": [], "found_in": ["jaeger"]}


async def test_no_traces_of_jaeger_is_404_and_means_none(make_table: Make, origin: FakeOrigin) -> None:
    answers(origin, "/api/v3/services", {"services": ["cart"]})
    origin.answers["/api/v3/traces"] = NOT_FOUND
    client = await (await make_table(jaeger_url=origin.url)).signed_in()
    assert (await client.get("/api/traces")).json() == {"items": [], "next": None, "partial": []}
    assert (await client.get("/api/traces/ab")).status_code == 404


async def test_traces_of_an_old_jaeger_by_its_old_api(make_table: Make, origin: FakeOrigin) -> None:
    old = {
        "traceID": SHORT,
        "spans": [
            {
                "traceID": SHORT,
                "spanID": "a1",
                "operationName": "GET /cart",
                "references": [{"refType": "CHILD_OF", "traceID": SHORT, "spanID": "a0"}],
                "startTime": START_NS // 1000,
                "duration": 1500,
                "tags": [{"key": "span.kind", "value": "server"}, {"key": "error", "value": True}],
                "logs": [{"timestamp": START_NS // 1000, "fields": [{"key": "event", "value": "retry"}]}],
                "processID": "p1",
            }
        ],
        "processes": {"p1": {"serviceName": "cart", "tags": []}},
    }
    answers(origin, "/api/services", {"data": ["cart"]})
    answers(origin, "/api/traces", {"data": [old]})
    answers(origin, f"/api/traces/{SHORT.rjust(32, '0')}", {"data": [old]})
    client = await (await make_table(jaeger_url=origin.url)).signed_in()
    (one,) = (await client.get("/api/traces", params={"from": "2026-11-18T00:00:00Z"})).json()["items"]
    assert (one["trace_id"], one["status"], one["duration_ms"]) == (SHORT.rjust(32, "0"), "error", 1.5)
    (span,) = (await client.get(f"/api/traces/{SHORT}")).json()["spans"]
    assert (span["kind"], span["parent_span_id"], span["events"][0]["name"]) == ("server", "a0".rjust(16, "0"), "retry")


async def test_traces_of_tempo_in_its_dialect(make_table: Make, origin: FakeOrigin) -> None:
    found = {
        "traceID": SHORT,
        "rootServiceName": "cart",
        "rootTraceName": "GET /cart",
        "startTimeUnixNano": str(START_NS),
        "durationMs": 12,
        "spanSets": [{"matched": 3}],
    }
    raw = bytes.fromhex(SHORT.rjust(32, "0"))
    span = {
        **resource_spans()["resourceSpans"][0]["scopeSpans"][0]["spans"][0],
        "traceId": base64.b64encode(raw).decode(),
        "spanId": base64.b64encode(bytes(7) + b"\x01").decode(),
        "kind": "SPAN_KIND_SERVER",
        "status": {"code": "STATUS_CODE_ERROR"},
    }
    group = {"resource": sent.resource("cart"), "instrumentationLibrarySpans": [{"spans": [span]}]}
    answers(origin, "/api/search", {"traces": [found]})
    answers(origin, f"/api/v2/traces/{SHORT.rjust(32, '0')}", {"trace": {"batches": [group]}, "status": "COMPLETE"})
    answers(
        origin, "/api/v2/search/tag/resource.service.name/values", {"tagValues": [{"type": "string", "value": "cart"}]}
    )
    client = await (await make_table(tempo_url=origin.url)).signed_in()
    (one,) = (await client.get("/api/traces", params={"service": "cart"})).json()["items"]
    assert (one["trace_id"], one["spans"], one["found_in"]) == (SHORT.rjust(32, "0"), 3, ["tempo"])
    whole = (await client.get(f"/api/traces/{SHORT}")).json()
    assert [(row["kind"], row["status"], row["service"]) for row in whole["spans"]] == [("server", "error", "cart")]
    assert [one["name"] for one in (await client.get("/api/services")).json()["items"]] == ["cart"]


async def test_a_trace_that_two_places_keep_is_one(make_table: Make, origin: FakeOrigin) -> None:
    answers(origin, "/api/v3/services", {"services": ["shop"]})
    now = time.time_ns()
    child = sent.span("query", start_ns=now + 1_000_000, spanId="a1" * 8, parentSpanId=sent.SPAN)
    both = {"result": sent.traces(sent.span(start_ns=now), child)}
    answers(origin, "/api/v3/traces", both)
    answers(origin, f"/api/v3/traces/{sent.TRACE}", both)
    running = await make_table(jaeger_url=origin.url)
    client = await running.signed_in()
    await running.client.post("/v1/traces", json=sent.traces(sent.span(start_ns=now)))
    (one,) = (await client.get("/api/traces")).json()["items"]
    assert (one["spans"], one["found_in"]) == (2, ["table", "jaeger"])
    whole = (await client.get(f"/api/traces/{sent.TRACE}")).json()
    assert ([row["name"] for row in whole["spans"]], whole["found_in"]) == (["GET /cart", "query"], ["table", "jaeger"])


@pytest.mark.parametrize("body", [b"not json", b"[]", b'{"result": 7}', b'{"result": {"resourceSpans": "x"}}'])
async def test_an_answer_that_is_not_understood_is_named(make_table: Make, origin: FakeOrigin, body: bytes) -> None:
    answers(origin, "/api/v3/services", {"services": ["cart"]})
    origin.answers["/api/v3/traces"] = (200, JSON, body)
    client = await (await make_table(jaeger_url=origin.url)).signed_in()
    listed = await client.get("/api/traces")
    assert (listed.status_code, len(listed.json()["partial"])) == (200, 1)


def test_what_is_asked_of_tempo_is_quoted() -> None:
    wanted = SpanFilter(service='a" || true || "', name="GET /", status="error", least_ns=5_000_000)
    assert traceql(wanted) == (
        '{ resource.service.name = "a\\" || true || \\"" && name = "GET /" && status = error && duration >= 5000000ns }'
    )


async def test_a_client_is_not_led_elsewhere(make_table: Make, origin: FakeOrigin) -> None:
    origin.answers["/api/v3/services"] = (302, {"location": "http://127.0.0.1:1/"}, b"")
    client = await (await make_table(jaeger_url=origin.url)).signed_in()
    assert "302" in (await client.get("/api/traces")).json()["partial"][0]
