"""Deploy reports on several machines: what one replica took the others tell, whatever becomes of the server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.conftest import Ask, MakeOrigin, until
from tests.fakes.dragonfly import Dragonfly, dragonfly
from tests.fakes.waiting import eventually

from chimney.origin.app import Origin
from chimney.standin.app import Standin

A, B = "a" * 40, "b" * 40
EVENTS = "/api/deploy/events"
Replica = Callable[[str], Awaitable[httpx2.AsyncClient]]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Dragonfly]:
    async with dragonfly(tmp_path) as running:
        yield running


@pytest.fixture
def replicas() -> dict[str, Origin]:
    return {}


@pytest.fixture
def replica(
    make_origin: MakeOrigin, asking: Ask, server: Dragonfly, tmp_path: Path, replicas: dict[str, Origin]
) -> Replica:
    """Each on a machine, that is in a folder, of its own."""

    async def replica(name: str) -> httpx2.AsyncClient:
        origin = await make_origin(
            dragonfly_url=server.url, data_dir=tmp_path / name, github_deployments=False, demonstration=True
        )
        await until(lambda: origin.github.far and origin.github.far.connected)
        replicas[name] = origin
        return asking(origin)

    return replica


def connected(origin: Origin) -> bool:
    return origin.github.far is not None and origin.github.far.connected


async def report(visitor: httpx2.AsyncClient, name: str, **more: Any) -> int:
    said = {"phase": "succeeded", "revision": A, "id": name, **more}
    return (await visitor.post(EVENTS, json=said)).status_code


async def items(visitor: httpx2.AsyncClient) -> list[dict[str, Any]]:
    return list((await visitor.get(EVENTS)).json()["items"])


async def ids(visitor: httpx2.AsyncClient) -> list[str]:
    return [one["id"] for one in await items(visitor)]


async def test_what_one_replica_took_the_other_tells_at_once(replica: Replica) -> None:
    first, second = await replica("first"), await replica("second")
    assert await report(first, "start", phase="started", slot="green") == 201
    assert await ids(second) == ["start"]
    assert await report(second, "end", slot="green") == 201
    assert await items(first) == await items(second)
    [one] = await items(first)
    assert (one["phase"], one["reports"]) == ("succeeded", 2)


async def test_the_same_id_is_taken_once_by_all_of_them(replica: Replica) -> None:
    first, second = await replica("first"), await replica("second")
    assert await report(first, "one") == 201
    assert await report(second, "one", phase="failed") == 200
    assert [one["phase"] for one in await items(second)] == ["succeeded"]
    answers = await asyncio.gather(*(report((first, second)[number % 2], "two") for number in range(10)))
    assert sorted(answers) == [200] * 9 + [201]


async def test_a_replica_that_comes_later_gets_all_that_was_before(replica: Replica) -> None:
    first = await replica("first")
    for number in range(30):
        await report(first, f"r-{number}", revision=f"{number:040x}")
    assert await ids(await replica("late")) == await ids(first)


async def test_without_the_server_reports_are_taken_and_passed_on_when_it_is_back(
    replica: Replica, server: Dragonfly, replicas: dict[str, Origin]
) -> None:
    first, second = await replica("first"), await replica("second")
    await report(first, "before")
    await server.kill()
    assert await report(first, "alone") == 201
    assert await report(second, "also-alone", revision=B) == 201
    await server.start()  # empty: nothing of it was kept
    await until(lambda: all(one.github.far and one.github.far.connected for one in replicas.values()), within=10)

    async def same() -> bool:
        return set(await ids(first)) == set(await ids(second)) == {"before", "alone", "also-alone"}

    await eventually(same)
    assert await items(first) == await items(second)


async def test_a_server_that_hangs_keeps_no_report_waiting(replica: Replica, server: Dragonfly) -> None:
    first = await replica("first")
    server.pause()
    try:
        async with asyncio.timeout(2):
            assert await report(first, "one") == 201
            assert await ids(first) == ["one"]
    finally:
        server.resume()


async def test_garbage_there_is_left_out(replica: Replica, server: Dragonfly) -> None:
    first, second = await replica("first"), await replica("second")
    await report(first, "good")
    [key] = await server.keys("chimney:1:deploys:*:production")
    await server.client.execute_command("HSET", key, "bad", b"\xff", "worse", b'{"report": []}')
    await report(first, "more", revision=B)
    assert set(await ids(second)) == {"good", "more"}
    assert await report(second, "bad") == 201


async def test_replicas_tell_github_of_a_deployment_once(
    make_origin: MakeOrigin, asking: Ask, server: Dragonfly, tmp_path: Path, standin: Standin
) -> None:
    visitors = []
    for name in ("first", "second"):
        origin = await make_origin(
            transport=httpx2.ASGITransport(app=standin.asgi),
            dragonfly_url=server.url,
            data_dir=tmp_path / name,
        )
        await until(partial(connected, origin))
        visitors.append(asking(origin))
    head = standin.repo.branches["main"]
    assert await report(visitors[0], "start", phase="started", revision=head) == 201
    assert await report(visitors[1], "end", revision=head) == 201

    def statuses() -> list[list[str]]:
        made = [one for one in standin.repo.deployments.values() if isinstance(one.payload, dict) and one.payload]
        return [[status.state for status in one.statuses] for one in made]

    await until(lambda: statuses() == [["in_progress", "success"]], within=20)
    mirrors = [origin.deploying.mirror for origin in make_origin.running]
    await until(lambda: all(one.health().waiting == 0 for one in mirrors), within=20)
    assert statuses() == [["in_progress", "success"]]
