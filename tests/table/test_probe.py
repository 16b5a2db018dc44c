import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from tests.fakes.origin import FakeOrigin
from tests.fakes.waiting import eventually

from chimney.config import FollowedOrigin
from chimney.core.facts import Fault
from chimney.store.database import Database
from chimney.store.uptime import Uptime
from chimney.table.probe import Probe


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(tmp_path / "table.sqlite", "table")
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(timeout=httpx2.Timeout(1.0, read=0.2), trust_env=False) as client:
        yield client


def probe(url: str, client: httpx2.AsyncClient, database: Database) -> Probe:
    return Probe(FollowedOrigin(name="hel1", url=url), client=client, uptime=Uptime(database), every=5)


async def test_an_origin_that_is_well_tells_everything(
    origin: FakeOrigin, client: httpx2.AsyncClient, database: Database
) -> None:
    one = probe(origin.url, client, database)
    assert 4 < await one.ask_health() < 6
    await one.ask_deploy()
    await one.ask_pipeline()
    assert one.failure is None
    assert one.health is not None
    assert one.health.boot == "boot-1"
    assert one.deploy is not None
    assert one.pipeline is not None
    assert len(one.latencies_ms) == 1
    assert list(one.minutes.values()) == [(1, 1)]


@pytest.mark.parametrize(
    ("answer", "fault", "detail"),
    [
        ((308, {"location": "https://hel1/healthz"}, b""), Fault.REDIRECT, "308 to https://hel1/healthz"),
        ((302, {}, b""), Fault.REDIRECT, "302 to nowhere"),
        ((502, {}, b"bad gateway"), Fault.STATUS, "502"),
        ((503, {"content-type": "text/html"}, b"busy"), Fault.STATUS, "503"),
        ((503, {"content-type": "application/problem+json"}, b"{}"), Fault.STARTING, "starting"),
        ((404, {}, b""), Fault.STATUS, "404"),
        ((200, {}, b"<html>"), Fault.UNREADABLE, "JSON"),
        ((200, {}, b"{}"), Fault.UNREADABLE, "missing required field"),
        ((200, {}, b"[" * 100_000), Fault.UNREADABLE, ""),
        ((503, {"content-type": "application/json"}, b"{}"), Fault.UNREADABLE, "missing required field"),
    ],
)
async def test_an_answer_that_is_no_health_is_a_failure_with_a_name(
    origin: FakeOrigin,
    client: httpx2.AsyncClient,
    database: Database,
    answer: tuple[int, dict[str, str], bytes],
    fault: Fault,
    detail: str,
) -> None:
    origin.answers["/healthz"] = answer
    one = probe(origin.url, client, database)
    assert await one.ask_health() < 1.2, "a failure is looked at again soon"
    assert one.failure is not None
    assert one.failure.fault is fault
    assert detail in one.failure.detail


async def test_a_refused_connection(origin: FakeOrigin, client: httpx2.AsyncClient, database: Database) -> None:
    await origin.stop()
    one = probe(origin.url, client, database)
    for _ in range(2):
        await one.ask_health()
    failure = one.failure
    assert failure is not None
    assert (failure.fault, failure.count) == (Fault.CONNECT, 2)
    assert one.well_since is None
    await origin.start(origin.port)
    await one.ask_health()
    assert one.failure is not failure
    since = one.well_since
    assert since == one.last_contact_at
    await one.ask_health()
    assert (one.well_since, one.last_contact_at != since) == (since, True)
    assert [sum(made) for made in zip(*one.minutes.values(), strict=True)] == [2, 4]


async def test_what_was_dead_and_is_starting_has_another_trouble(
    origin: FakeOrigin, client: httpx2.AsyncClient, database: Database
) -> None:
    origin.answers["/healthz"] = (502, {}, b"")
    one = probe(origin.url, client, database)
    await one.ask_health()
    dead = one.failure
    origin.answers["/healthz"] = (503, {"content-type": "application/problem+json"}, b"{}")
    for _ in range(2):
        await one.ask_health()
    assert dead is not None
    assert one.failure is not None
    assert dead.since < one.failure.since < one.failure.at


async def test_a_name_that_does_not_resolve(client: httpx2.AsyncClient, database: Database) -> None:
    one = probe("http://no-such-host.invalid", client, database)
    await one.ask_health()
    assert one.failure is not None
    assert one.failure.fault is Fault.DNS


@pytest.mark.parametrize(("sends", "fault"), [(b"", Fault.TIMEOUT), (b"SSH-2.0-OpenSSH\r\n\r\n", Fault.PROTOCOL)])
async def test_what_answers_but_does_not_speak_http(
    client: httpx2.AsyncClient, database: Database, sends: bytes, fault: Fault
) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sends)
        await reader.read(-1)
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        one = probe(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", client, database)
        await one.ask_health()
        assert one.failure is not None
        assert one.failure.fault is fault


async def test_tls_that_fails(client: httpx2.AsyncClient, database: Database) -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 This is not TLS\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        one = probe(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", client, database)
        await one.ask_health()
        assert one.failure is not None
        assert one.failure.fault is Fault.TLS


async def test_uptime_survives_a_restart_of_the_table(
    origin: FakeOrigin, client: httpx2.AsyncClient, database: Database
) -> None:
    one = probe(origin.url, client, database)
    await one.ask_health()
    await one.save()
    again = probe(origin.url, client, database)
    await again.load()
    assert again.minutes == one.minutes
    await again.ask_health()
    assert list(again.minutes.values()) == [(2, 2)]


async def test_an_origin_that_is_down_is_not_asked_for_details(
    origin: FakeOrigin, client: httpx2.AsyncClient, database: Database
) -> None:
    await origin.stop()
    one = probe(origin.url, client, database)
    await one.ask_health()
    await one.ask_deploy()
    await one.ask_pipeline()
    assert (one.deploy, one.pipeline) == (None, None)


async def test_a_refused_detail_leaves_the_last_answer(
    origin: FakeOrigin, client: httpx2.AsyncClient, database: Database
) -> None:
    one = probe(origin.url, client, database)
    await one.ask_health()
    await one.ask_pipeline()
    origin.answers["/api/pipeline/summary"] = (503, {}, b"")
    assert await one.ask_pipeline() > 10, "what it refused is not asked for every second"
    assert one.pipeline is not None


async def test_records_that_the_origin_dropped_are_noticed(
    origin: FakeOrigin, client: httpx2.AsyncClient, database: Database
) -> None:
    one = probe(origin.url, client, database)
    await one.ask_health()
    before = one.dropped
    usual = await client.get(origin.url + "/healthz")
    origin.answers["/healthz"] = (200, {}, usual.content.replace(b'"dropped":0', b'"dropped":12'))
    await one.ask_health()
    assert before is None
    assert one.dropped is not None
    assert one.dropped.count == 12


async def test_two_probes_use_one_connection(
    origin: FakeOrigin, client: httpx2.AsyncClient, database: Database
) -> None:
    one = probe(origin.url, client, database)
    await one.ask_health()
    await one.ask_health()
    await eventually(lambda: len(origin.asked) == 2)
    assert len(origin._open) == 1
