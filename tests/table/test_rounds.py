"""Which origins are judged when, and that the facts of rules come from real answers."""

import asyncio
import json
import ssl
import time
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from tests.core.edges import check, dead, edge
from tests.core.origins import health
from tests.fakes.health import certificate
from tests.fakes.origin import FakeOrigin
from tests.fakes.waiting import eventually
from tests.table.conftest import Make
from tests.table.running import Running

from chimney.core import findings
from chimney.table.connection import certificate_of, date_of
from chimney.table.edge_traffic import EdgeTraffic
from chimney.wire.base import stamp
from chimney.wire.health import WebhooksHealth


def codes(table: Running) -> list[str]:
    return [one.code for one in table.table.watching.watch.current.items]


def says(origin: FakeOrigin, path: str, value: Any, **headers: str) -> None:
    head = {"content-type": "application/json", **headers}
    origin.answers[path] = (200, head, msgspec.json.encode(value))


async def test_one_that_is_well_is_judged_when_something_may_have_changed(
    make_table: Make, origin: FakeOrigin, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = await make_table(origin, probe_seconds=3600)
    watch = table.table.watching.watch
    await eventually(lambda: table.table.watching.followed[0].follower.connected)
    judged: list[str] = []
    about = findings.about_origin

    def noted(facts: Any, **more: Any) -> Any:
        judged.append(facts.name)
        return about(facts, **more)

    await watch.check()
    monkeypatch.setattr(findings, "about_origin", noted)
    watch._rounds._touched.clear()
    await watch.check()
    assert judged == []
    watch.touch("hel1")
    await watch.check()
    assert judged == ["hel1"]


async def test_what_an_origin_says_of_its_edge_becomes_a_finding_with_an_act(
    make_table: Make, origin: FakeOrigin
) -> None:
    seen = edge(checks=[dead("blue"), check("green")], checked_at=stamp(time.time()))
    says(origin, "/api/edge", seen)
    table = await make_table(origin)
    await eventually(lambda: codes(table) == ["edge_no_healthy_upstream"], within=30)
    client = await table.signed_in()
    (item,) = (await client.get("/api/findings")).json()["items"]
    assert item["act"] == {
        "act": "switch",
        "origin": "hel1",
        "slot": "green",
        "reason": "the active slot does not answer",
    }
    body = {name: value for name, value in item["act"].items() if name != "act"}
    says(origin, "/api/edge/switch", {"active_slot": "green"})
    assert (await client.post(f"/api/acts/{item['act']['act']}", json=body)).status_code == 200
    says(origin, "/api/edge", edge(checked_at=stamp(time.time()), active_slot="green"))
    await eventually(lambda: codes(table) == [], within=30)


async def test_a_clock_that_is_off_is_seen_by_the_date_of_its_answers(make_table: Make, origin: FakeOrigin) -> None:
    said = health(webhooks=WebhooksHealth(configured=False, last_at=None, rejected=0))
    says(origin, "/healthz", said, date="Sun, 01 Nov 2026 12:00:00 GMT")
    table = await make_table(origin)
    await eventually(lambda: codes(table) == ["clock_skew"], within=30)


@pytest.mark.parametrize("text", ["", "yesterday", "Sun, 99 Nov 2026 12:00:00 GMT", "\x00"])
def test_a_date_that_cannot_be_read_is_none(text: str) -> None:
    assert date_of(httpx2.Response(200, headers={"date": text})) is None
    assert date_of(httpx2.Response(200)) is None


async def test_the_certificate_of_a_connection_is_read(tmp_path: Path) -> None:
    server, trust = certificate(tmp_path, "localhost", days=12)
    async with FakeTls(server) as url, httpx2.AsyncClient(verify=trust, trust_env=False) as client:
        answer = await client.get(url)
        seen = certificate_of(answer)
    assert seen
    assert 11 < (seen.not_after - stamp(time.time())).days + 1 <= 13
    assert certificate_of(httpx2.Response(200)) is None


class FakeTls:
    """Answers `{}` to everything, behind TLS."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context

    async def __aenter__(self) -> str:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
            writer.close()

        self._server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=self._context)
        return f"https://localhost:{self._server.sockets[0].getsockname()[1]}/"

    async def __aexit__(self, *_error: object) -> None:
        self._server.close()


async def test_what_an_edge_answered_visitors_is_counted_without_what_we_ask(running: Running) -> None:
    rows: list[dict[str, object]] = [
        {"status": 502, "user_agent": "curl"},
        {"status": 503},
        {"status": 200},
        {"status": 502, "user_agent": "chimney-table/1.0"},
        {"status": "502"},
    ]
    ts = stamp(time.time()).isoformat()
    records = [json.dumps({"ts": ts, "level": "info", "message": "m", "logger": "caddy.access", **row}) for row in rows]
    await running.store(*(one.encode() for one in records), source="hel1:edge")
    edges: EdgeTraffic = running.table.telemetry.edges
    await eventually(lambda: edges.of("hel1", now=time.time()))
    seen = edges.of("hel1", now=time.time())
    assert seen
    assert (seen.requests, seen.errors) == (4, 2)
    assert edges.of("hel1", now=time.time() + 61) is None
    assert edges.of("nbg1", now=time.time()) is None


async def test_a_sender_that_is_refused_is_a_finding(make_table: Make, origin: FakeOrigin) -> None:
    table = await make_table(origin, otlp_token="right")
    wrong = {"authorization": "Bearer wrong", "content-type": "application/json"}
    assert (await table.client.post("/v1/logs", content=b"{}", headers=wrong)).status_code == 401
    await eventually(lambda: codes(table) == ["telemetry_refused"], within=30)
    browser = {"authorization": "Bearer wrong", "content-type": "text/html"}
    assert (await table.client.post("/v1/logs", content=b"{}", headers=browser)).status_code == 401
    denied = table.table.telemetry.receiver.refusals.denied
    assert denied
    assert denied.count == 1


async def test_a_loop_that_fails_is_a_finding_and_health_agrees(make_table: Make, origin: FakeOrigin) -> None:
    table = await make_table(origin)

    async def fails() -> float:
        raise ValueError("it does not work")

    overview = next(loop for loop in table.table.loops.loops if loop.name == "overview")
    verb, overview._verb = overview._verb, fails
    await eventually(lambda: codes(table) == ["loop_failing"], within=30)
    said = (await table.client.get("/healthz")).json()
    assert (said["status"], said["findings"]) == ("degraded", {"critical": 0, "warning": 1, "info": 0})
    overview._verb = verb
    overview.nudge()
    await eventually(lambda: "loop_failing" not in codes(table), within=60)
