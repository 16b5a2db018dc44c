"""Replicas of an origin that share a real server: one fetch, one truth, and nobody fails when it is gone."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count, repeat
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from tests.conftest import Ask, MakeOrigin, until
from tests.fakes.dragonfly import Dragonfly, dragonfly
from tests.fakes.github import GitHub, says, validated

from chimney.core.grammar import Kind
from chimney.origin import replicas
from chimney.origin.answer import Key as CacheKey
from chimney.origin.answer import Result
from chimney.origin.app import Origin
from chimney.origin.replicas import LARGEST_EVENT
from chimney.store import redis
from chimney.store.ports import StoredResponse
from chimney.store.shared import SharedTier
from chimney.wire.health import DragonflyHealth

PATH = "/repos/acme/rocket/deployments"  # nothing that the origin asks by itself
Make = Callable[..., Awaitable[Origin]]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Dragonfly]:
    async with dragonfly(tmp_path) as running:
        yield running


@pytest.fixture
async def replica(make_origin: MakeOrigin, server: Dragonfly, tmp_path: Path) -> Make:
    """Starts origins that share the server; returns when they are connected and hear each other."""

    async def replica(name: str, github: GitHub, **settings: Any) -> Origin:
        said = {"dragonfly_url": server.url, "data_dir": tmp_path / name, **settings}
        origin = await make_origin(transport=github, **said)
        await until(lambda: listens(origin))
        return origin

    return replica


def listens(origin: Origin) -> bool:
    assert isinstance(origin.github.far, SharedTier)
    return origin.github.far.connected and origin.github.far._server._ear is not None


def key(origin: Origin, query: str = "") -> CacheKey:
    return origin.github.cache.key(Kind.DEPLOYMENTS, PATH, query)


def asked(github: GitHub) -> list[httpx2.Request]:
    """Without what the origin asks to keep its summary warm."""
    return [one for one in github.asked if one.url.raw_path in (PATH.encode(), PATH.encode() + b"?state=open")]


def held(origin: Origin, query: str = "") -> StoredResponse | None:
    return origin.github.near.get(key(origin, query).text)


def told(origin: Origin) -> bool:
    """Everything that was to be said to other replicas is said."""
    return not origin.github.replicas.waiting and not origin.github.cache._flights


async def age(origin: Origin, seconds: float) -> None:
    """What is held grows older, here and in the far tier."""
    for name, stored in origin.github.near.entries():
        stored.validated_at -= seconds
        origin.github.replicas.tell(name)
    await until(lambda: told(origin))


async def test_what_one_fetched_costs_the_other_nothing(replica: Make) -> None:
    first_github, second_github = GitHub(validated({"n": 1}, "one")), GitHub()
    first, second = await replica("a", first_github), await replica("b", second_github)
    await first.github.cache.get(key(first))
    await until(lambda: told(first))
    answer = await second.github.cache.get(key(second))
    assert (answer.result, answer.tier, answer.response.body) == (Result.HIT, "dragonfly", b'{"n": 1}')
    assert (await second.github.cache.get(key(second))).tier == "memory"
    assert (len(asked(first_github)), len(asked(second_github))) == (1, 0)


async def test_askers_of_a_cold_key_at_two_replicas_cost_one_request(
    replica: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        redis, "DEADLINE", 10.0
    )  # on a busy machine a lease that came late is none, and costs a request
    monkeypatch.setattr(replicas, "PATIENCE", 20.0)
    github = GitHub(validated({"n": 1}, "one"))
    first, second = await replica("a", github), await replica("b", github)
    github.gate.clear()
    asking = [
        asyncio.create_task(origin.github.cache.get(key(origin))) for origin in (first, second) for _ in range(100)
    ]
    await until(lambda: asked(github))
    github.gate.set()
    answers = await asyncio.gather(*asking)
    assert {answer.response.body for answer in answers} == {b'{"n": 1}'}
    assert len(asked(github)) == 1


async def test_a_fetch_that_fails_is_tried_by_the_other_replica(replica: Make) -> None:
    failing, good = GitHub(says(status=500)), GitHub(says({"n": 2}))
    first, second = await replica("a", failing), await replica("b", good)
    failing.gate.clear()
    asking = asyncio.create_task(first.github.cache.get(key(first)))
    await until(lambda: asked(failing))
    other = asyncio.create_task(second.github.cache.get(key(second)))
    failing.gate.set()
    await asyncio.gather(asking, return_exceptions=True)
    assert (await asyncio.wait_for(other, 10)).response.body == b'{"n": 2}'


async def test_a_replica_that_dies_while_it_fetches_is_not_waited_for_for_ever(replica: Make) -> None:
    hanging, good = GitHub(), GitHub(says({"n": 2}))
    first, second = await replica("a", hanging), await replica("b", good)
    hanging.gate.clear()
    asking = asyncio.create_task(first.github.cache.get(key(first)))
    await until(lambda: asked(hanging))
    began = time.perf_counter()
    assert (await second.github.cache.get(key(second))).response.body == b'{"n": 2}'
    assert 1.5 < time.perf_counter() - began < 10
    hanging.gate.set()
    await asking


async def test_a_new_process_finds_everything_with_its_validators(replica: Make) -> None:
    github = GitHub(validated({"n": 1}, "one"))
    first = await replica("a", github)
    await first.github.cache.get(key(first))
    await age(first, 3600)
    second = await replica("b", github)
    answer = await second.github.cache.get(key(second))
    assert (answer.result, answer.tier) == (Result.REVALIDATED, "github")
    assert asked(github)[-1].headers["if-none-match"] == 'W/"one"'


async def test_what_the_far_tier_remembers_stands_in_when_github_fails(replica: Make) -> None:
    first = await replica("a", GitHub(validated({"n": 1}, "one")))
    await first.github.cache.get(key(first))
    await age(first, 3600)
    second = await replica("b", GitHub(says(status=500)))
    answer = await second.github.cache.get(key(second))
    assert (answer.result, answer.response.body) == (Result.STALE, b'{"n": 1}')
    assert answer.problem is not None


async def test_an_invalidation_reaches_every_replica(replica: Make) -> None:
    github = GitHub(validated({"n": 1}, "one"))
    first, second = await replica("a", github), await replica("b", github)
    for query in ("", "state=open"):
        await first.github.cache.get(key(first, query))
        await until(lambda: told(first))
        await second.github.cache.get(key(second, query))
    assert await first.github.cache.invalidate(PATH) == (2, 2)
    await until(lambda: held(second) is None and held(second, "state=open") is None)
    assert (await second.github.cache.get(key(second))).result is Result.MISS
    assert "if-none-match" not in asked(github)[-1].headers


async def test_what_a_webhook_told_one_replica_is_passed_on_to_the_others(replica: Make) -> None:
    first, second = await replica("a", GitHub()), await replica("b", GitHub())
    heard: list[tuple[str, bytes]] = []
    first.github.replicas.on_event = second.github.replicas.on_event = lambda event, body: heard.append((event, body))
    await first.github.replicas.forward("push", b'{"ref": "main"}')
    await until(lambda: heard)
    assert heard == [("push", b'{"ref": "main"}')]


@pytest.mark.parametrize("why", ["too large", "away"])
async def test_what_cannot_be_passed_on_makes_the_others_look_again(replica: Make, server: Dragonfly, why: str) -> None:
    first, second = await replica("a", GitHub()), await replica("b", GitHub(validated({"n": 1}, "one")))
    await second.github.cache.get(key(second))
    await until(lambda: told(second))
    if why == "away":
        assert isinstance(first.github.far, SharedTier)
        await first.github.far._server._pool.disconnect()
        first.github.far._server._health = DragonflyHealth(status="unavailable")
    await first.github.replicas.forward("push", b"x" * (10 if why == "away" else LARGEST_EVENT + 1))
    await until(lambda: second.github.cache.fresh(key(second)) is None, within=10)


async def test_an_expired_response_is_expired_at_every_replica(replica: Make) -> None:
    github = GitHub(validated({"n": 1}, "one"))
    first, second = await replica("a", github), await replica("b", github)
    await first.github.cache.get(key(first))
    await until(lambda: told(first))
    await second.github.cache.get(key(second))
    held(first).expired = True  # type: ignore[union-attr]
    first.github.replicas.tell(key(first).text)
    await until(lambda: (stored := held(second)) and stored.expired)
    github.then(validated({"n": 2}, "two"))
    assert (await second.github.cache.get(key(second))).response.body == b'{"n": 2}'


async def test_a_newer_response_of_one_replica_reaches_the_other_without_being_asked_for(replica: Make) -> None:
    github = GitHub(validated({"n": 1}, "one"))
    first, second = await replica("a", github), await replica("b", github)
    await first.github.cache.get(key(first))
    await until(lambda: told(first))
    await second.github.cache.get(key(second))
    for origin in (second, first):
        await age(origin, 31)
    github.then(validated({"n": 2}, "two"))
    await first.github.cache.get(key(first))
    await until(lambda: (stored := held(second)) and stored.body == b'{"n": 2}')
    assert len(asked(github)) == 2


async def test_what_one_revalidated_is_fresh_at_the_other(replica: Make) -> None:
    github = GitHub(validated({"n": 1}, "one"))
    first, second = await replica("a", github), await replica("b", github)
    await first.github.cache.get(key(first))
    await until(lambda: told(first))
    await second.github.cache.get(key(second))
    for origin in (second, first):
        await age(origin, 31)
    assert second.github.cache.fresh(key(second)) is None
    await first.github.cache.get(key(first))
    await until(lambda: held(second) and time.time() - held(second).validated_at < 5)  # type: ignore[union-attr]
    assert len(asked(github)) == 2


async def test_replicas_with_another_token_share_nothing(replica: Make) -> None:
    github = GitHub(validated({"n": 1}, "one"))
    first, second = await replica("a", github), await replica("b", github, github_token="ghp_another")
    await first.github.cache.get(key(first))
    await until(lambda: told(first))
    assert (await second.github.cache.get(key(second))).result is Result.MISS


async def test_after_a_lost_subscription_what_is_held_is_stale_and_looked_at_again(
    replica: Make, server: Dragonfly
) -> None:
    github = GitHub(validated({"n": 1}, "one"))
    origin = await replica("a", github)
    await origin.github.cache.get(key(origin))
    await until(lambda: told(origin))
    assert origin.github.cache.fresh(key(origin))
    await server.kill()
    await server.start()
    await until(lambda: origin.github.cache.fresh(key(origin)) is None)
    assert (await origin.github.cache.get(key(origin))).result is Result.STALE
    await until(lambda: origin.github.cache.fresh(key(origin)))
    assert asked(github)[-1].headers["if-none-match"] == 'W/"one"'


async def test_an_invalidation_while_it_is_away_is_made_up_for(replica: Make, server: Dragonfly) -> None:
    github = GitHub(validated({"n": 1}, "one"))
    origin = await replica("a", github)
    await origin.github.cache.get(key(origin))
    await until(lambda: told(origin))
    server.pause()
    assert await origin.github.cache.invalidate(PATH) == (1, 0)
    assert origin.github.replicas.waiting == 1
    server.resume()
    await until(lambda: origin.github.replicas.waiting == 0)
    assert await server.keys("*deployments*") == []


async def test_what_was_fetched_while_it_is_away_is_told_when_it_is_back(replica: Make, server: Dragonfly) -> None:
    origin = await replica("a", GitHub(validated({"n": 1}, "one")))
    await server.kill()
    await until(lambda: not origin.github.replicas.far.connected)
    assert (await origin.github.cache.get(key(origin))).result is Result.MISS
    await server.start()
    await until(lambda: origin.github.replicas.waiting == 0)
    assert len(await server.keys("*:r:*")) == 1


async def test_what_is_told_late_does_not_replace_what_another_told_meanwhile(replica: Make, server: Dragonfly) -> None:
    github = GitHub(validated({"n": 1}, "one"))
    first, second = await replica("a", github), await replica("b", github)
    await first.github.cache.get(key(first))
    await until(lambda: told(first))
    first.github.replicas._outbox[key(first).text] = True  # as it stands after an outage
    stored = held(first)
    assert stored
    assert second.github.far
    newer = msgspec.structs.replace(stored, body=b'{"n": 2}', validated_at=time.time())
    await second.github.far.put(key(second).text, newer)
    await first.github.replicas.deliver()
    stored = held(first)
    assert stored
    assert stored.body == newer.body
    assert await first.github.replicas.far.get(key(first).text) == newer


def kinds(origin: Origin) -> list[str]:
    return [event.kind for event in reversed(origin.events.recent(100)) if event.kind.startswith("dragonfly")]


async def test_losing_and_finding_it_are_events_and_healthz_says_so(
    replica: Make, server: Dragonfly, asking: Ask
) -> None:
    origin = await replica("a", GitHub())
    visitor = asking(origin)
    connected = (await visitor.get("/healthz")).json()
    assert (connected["status"], connected["dragonfly"]["status"]) == ("ok", "connected")
    assert connected["dragonfly"].keys() == {"status", "keys", "memory_bytes", "latency_ms", "full"}
    assert "chimney_dragonfly_up 1.0" in (await visitor.get("/api/metrics")).text
    assert connected["dragonfly"]["full"] is False
    await server.client.execute_command("CONFIG", "SET", "maxmemory", "1000")
    await origin.github.replicas.far.probe()
    assert origin.github.replicas.far.health().full
    await server.kill()
    await until(lambda: not origin.github.replicas.far.connected)
    lost = (await visitor.get("/healthz")).json()
    assert (lost["status"], lost["dragonfly"]["status"]) == ("degraded", "unavailable")
    assert "chimney_dragonfly_up 0.0" in (await visitor.get("/api/metrics")).text
    await server.start()
    await until(lambda: origin.github.replicas.far.connected)
    await until(lambda: kinds(origin) == ["dragonfly_lost", "dragonfly_back"])


async def test_an_address_where_nobody_answers_delays_neither_the_start_nor_healthz(
    make_origin: MakeOrigin, asking: Ask
) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with listening:
        url = f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        origin = await make_origin(transport=GitHub(), dragonfly_url=url)
        visitor = asking(origin)
        began = time.perf_counter()
        told = (await visitor.get("/healthz")).json()
        assert time.perf_counter() - began < 5
        assert (told["status"], told["dragonfly"]["status"]) == ("ok", "connecting")
        assert (await visitor.get("/api/github/pulls")).status_code == 200
        await until(lambda: origin.github.replicas.far.health().status == "unavailable")


class Load:
    """Visitors who ask without a pause; `answers` are status and seconds."""

    def __init__(self, visitor: httpx2.AsyncClient) -> None:
        self._visitor = visitor
        self._running = True
        self.answers: list[tuple[int, float]] = []

    async def ask(self, paths: Iterator[str]) -> None:
        for path in paths:
            began = time.perf_counter()
            answer = await self._visitor.get(path)
            self.answers.append((answer.status_code, time.perf_counter() - began))
            if not self._running:
                return
            await asyncio.sleep(0.001)  # a hit in the same process never waits, and nobody else would run

    def stop(self) -> None:
        self._running = False


@pytest.mark.parametrize("how", ["killed", "paused"])
async def test_stopped_under_load_no_request_fails_and_it_is_used_again_without_a_restart(
    replica: Make, server: Dragonfly, asking: Ask, how: str
) -> None:
    """Half the requests are of keys that nobody has asked for, so that the far tier is on their way."""
    origin = await replica("a", GitHub(validated({"n": 1}, "one")))
    load = Load(asking(origin))
    cold = (f"/api/github/pulls/{number}" for number in count(1))
    asking_all = [asyncio.create_task(load.ask(paths)) for paths in (repeat("/api/github/pulls"), cold, cold)]
    began = time.perf_counter()
    await until(lambda: time.perf_counter() - began > 0.7)
    stopped = time.perf_counter()
    await server.kill() if how == "killed" else server.pause()
    await until(lambda: time.perf_counter() - stopped > 3)
    await server.start() if how == "killed" else server.resume()
    await until(lambda: origin.github.replicas.far.connected, within=10)
    back = len(await server.keys("*:r:*"))
    await until(lambda: origin.github.far and origin.github.far.misses > 0)
    load.stop()
    await asyncio.gather(*asking_all)
    await until(lambda: told(origin), within=20)
    assert {status for status, _ in load.answers} == {200}
    assert max(seconds for _, seconds in load.answers) < 5.0  # how fast: `make bench-far`
    assert len(await server.keys("*:r:*")) > back
