"""What a request asked of others: GitHub and Dragonfly as children of its span, GitHub told of the trace."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.conftest import Ask, MakeOrigin, until
from tests.fakes.collector import Collector, Seen, collector
from tests.fakes.dragonfly import Dragonfly, dragonfly
from tests.fakes.github import HOST, GitHub, fails, says, validated

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
TRACE = CALLER[3:35]


@pytest.fixture(name="collector")
def _collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """What the environment names as the place of traces."""
    with collector() as running:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", running.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
        yield running


@pytest.fixture(name="server")
async def _server(tmp_path: Path) -> AsyncIterator[Dragonfly]:
    async with dragonfly(tmp_path) as running:
        yield running


async def traced(collector: Collector, count: int) -> tuple[Seen, list[Seen]]:
    """The server's span and the others of the trace."""
    await until(lambda: len(collector.of(TRACE)) >= count)
    spans = collector.of(TRACE)
    [server] = [span for span in spans if span.kind == "server"]
    return server, [span for span in spans if span.kind == "client"]


async def test_a_fetch_is_a_child_and_github_is_told_of_the_trace(
    make_origin: MakeOrigin, asking: Ask, collector: Collector
) -> None:
    github = GitHub(validated([], "abc"))
    origin = await make_origin(transport=github, github_api_url=HOST, lifetimes={"pulls": 0})
    visitor = asking(origin)
    await visitor.get("/api/github/pulls?state=open")
    await visitor.get("/api/github/pulls?state=open", headers={"traceparent": CALLER})
    server, [fetch] = await traced(collector, 2)
    asked = next(one for one in github.asked if TRACE in one.headers.get("traceparent", ""))
    assert asked.headers["traceparent"] == f"00-{TRACE}-{fetch.span_id}-01"
    assert asked.headers["if-none-match"]
    assert (fetch.name, fetch.parent_id, fetch.failed) == ("GET", server.span_id, False)
    assert fetch.attributes == {
        "http.request.method": "GET",
        "url.full": f"{HOST}/repos/acme/rocket/pulls?state=open",
        "server.address": "api.github.test",
        "server.port": 443,
        "http.response.status_code": 304,
        "github.not_modified": True,
    }
    assert server.attributes["chimney.cache.result"] == "revalidated"


@pytest.mark.parametrize(
    ("answer", "error", "status"),
    [(says(status=502), "502", 502), (fails(OSError("no route")), "OSError", 504)],
)
async def test_a_failure_of_github_says_of_what_kind(
    make_origin: MakeOrigin, asking: Ask, collector: Collector, answer: object, error: str, status: int
) -> None:
    origin = await make_origin(transport=GitHub(answer), github_api_url=HOST)  # type: ignore[arg-type]
    heard = await asking(origin).get("/api/github/pulls", headers={"traceparent": CALLER})
    assert heard.status_code == status
    server, [fetch] = await traced(collector, 2)
    assert (fetch.failed, fetch.attributes["error.type"]) == (True, error)
    assert (server.failed, server.attributes["chimney.export.reason"]) == (True, "error")
    assert server.attributes["error.type"].startswith("github-")


async def test_a_command_that_dragonfly_does_not_answer_is_a_child(
    make_origin: MakeOrigin, asking: Ask, collector: Collector, server: Dragonfly
) -> None:
    origin = await make_origin(transport=GitHub(), github_api_url=HOST, dragonfly_url=server.url)
    await until(lambda: origin.github.replicas.far.connected)
    server.pause()
    await asking(origin).get("/api/github/labels", headers={"traceparent": CALLER})
    server.resume()
    request, calls = await traced(collector, 3)
    slow = next(one for one in calls if "db.system.name" in one.attributes)
    assert (slow.parent_id, slow.failed, slow.attributes["error.type"]) == (request.span_id, True, "AwayError")
    assert slow.attributes["db.system.name"] == "redis"
    assert slow.attributes["server.port"] == server.port
    assert slow.name == slow.attributes["db.operation.name"]
    assert slow.seconds >= 0.1


async def test_the_error_rate_and_the_fingerprints_are_told(make_origin: MakeOrigin, asking: Ask) -> None:
    origin = await make_origin(transport=GitHub(says(status=502)), github_api_url=HOST)
    visitor = asking(origin)
    for name in ("pulls", "pulls", "labels"):
        await visitor.get(f"/api/github/{name}")
    await visitor.get("/api/deploy/status")
    await origin._pipe.send_pending()
    errors = (await visitor.get("/healthz")).json()["errors"]
    assert errors["last_1m"] == errors["last_60m"] == {"requests": 4, "errors": 3, "error_rate_pct": 75.0}
    records = (await visitor.get("/api/logs?level=error")).json()["items"]
    prints = [record["fingerprint"] for record in records if record["logger"] == "chimney.request"]
    assert len(prints) == 3
    assert len(set(prints)) == 2
    assert records[0]["error"].startswith("github-unexpected: ")
