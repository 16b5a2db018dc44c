"""The far tier against a real server: what it keeps, tells and refuses, and that it never raises nor lasts."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from tests.fakes.dragonfly import Dragonfly, dragonfly
from tests.fakes.waiting import eventually
from tests.store.test_memory import KEYS, response

from chimney.store import redis
from chimney.store.far import FarTier, News, NoFarTier, Word, print_of
from chimney.store.packing import VERSION, pack
from chimney.store.redis import DEADLINE, RedisServer
from chimney.store.shared import LARGEST_BYTES, SharedTier
from chimney.web.loops import Loop
from chimney.web.recover import Panics

KEY = "/repos/o/r/pulls?state=open"
Make = Callable[..., Awaitable[SharedTier]]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Dragonfly]:
    async with dragonfly(tmp_path) as running:
        yield running


@pytest.fixture
async def make(server: Dragonfly) -> AsyncIterator[Make]:
    """Tiers that are connected already."""
    made: list[SharedTier] = []

    async def make(boot: str = "a", audience: str = "me", url: str | None = None) -> SharedTier:
        tier = SharedTier(RedisServer(url or server.url, on_change=lambda *_: None), audience=audience, boot=boot)
        made.append(tier)
        await tier.probe()
        return tier

    yield make
    for tier in made:
        await tier.close()


@pytest.fixture
async def tier(make: Make) -> SharedTier:
    return await make()


class Ear:
    """What one tier hears, from a task of its own."""

    def __init__(self, tier: SharedTier) -> None:
        self.heard: list[News | None] = []
        self._task = asyncio.create_task(Loop("ear", lambda: tier.listen(self.heard.append), Panics()).run())

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def test_what_one_replica_puts_another_gets_as_it_was(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "DEADLINE", 10.0)  # on a busy machine half a megabyte may take longer than the usual
    put, get = await make("a"), await make("b")
    for body in (b"{}", b"[" + b"1," * 5_000 + b"1]", b'"' + b"x" * 500_000 + b'"'):
        given = response(body, at=time.time())
        assert await put.put(KEY, given)
        assert await get.get(KEY) == given
    assert (get.hits, get.misses) == (3, 0)


async def test_what_was_not_put_is_a_miss(tier: SharedTier) -> None:
    assert await tier.get(KEY) is None
    assert (tier.hits, tier.misses, tier.garbage) == (0, 1, 0)


async def test_headers_and_hits_of_this_process_stay_here(make: Make) -> None:
    put, get = await make("a"), await make("b")
    given = response()
    given.hits, given.prepared, given.rewritten = 7, ("a", [(b"x", b"y")]), ("a", b"x", b"y")
    await put.put(KEY, given)
    got = await get.get(KEY)
    assert got is not None
    assert (got.hits, got.prepared, got.rewritten) == (0, None, None)


async def test_another_token_sees_nothing_of_it(make: Make) -> None:
    mine, other = await make(), await make("b", "other")
    await mine.put(KEY, response())
    assert await other.get(KEY) is None
    assert await other.drop(None) == 0
    assert await mine.get(KEY) is not None


async def test_every_key_says_whose_it_is_and_ends_by_itself(tier: SharedTier, server: Dragonfly) -> None:
    await tier.put(KEY, response())
    await tier.lease("/other")
    keys = await server.keys()
    assert keys == [f"chimney:{VERSION}:me:l:/other", f"chimney:{VERSION}:me:r:{KEY}"]
    for key in keys:
        assert 0 < await server.client.execute_command("TTL", key) <= 86_400


async def test_a_time_ahead_of_ours_does_not_keep_a_response_fresh_for_longer(tier: SharedTier) -> None:
    await tier.put(KEY, response(at=time.time() + 3600))
    got = await tier.get(KEY)
    assert got is not None
    assert got.validated_at <= time.time()


@pytest.mark.parametrize(
    ("prefix", "left"),
    [
        ("/repos/o/r/pulls", ["/repos/o/r", "/repos/o/r/pulls-evil", "/repos/o/r2", "/repos/o/r?page=2"]),
        ("/repos/o/r/pulls/", ["/repos/o/r", "/repos/o/r/pulls-evil", "/repos/o/r2", "/repos/o/r?page=2"]),
        ("/repos/o/r", ["/repos/o/r2"]),
        ("/repos/o/r/pul", KEYS),
        ("/repos/*/r", KEYS),
        (None, []),
    ],
)
async def test_a_prefix_is_dropped_by_whole_segments(tier: SharedTier, prefix: str | None, left: list[str]) -> None:
    for key in KEYS:
        await tier.put(key, response())
    assert await tier.drop(prefix) == len(KEYS) - len(left)
    assert [key for key in KEYS if await tier.get(key)] == left


async def test_dropping_finds_what_it_seeks_among_thousands_of_strangers(tier: SharedTier, server: Dragonfly) -> None:
    pipeline = server.client.pipeline(transaction=False)
    for number in range(5_000):
        pipeline.execute_command("SET", f"stranger:{number}", "1")
    await pipeline.execute()
    await tier.put(KEY, response())
    assert await tier.drop(None) == 1
    assert await server.client.execute_command("DBSIZE") == 5_000


async def test_one_replica_fetches_and_the_others_do_not(make: Make) -> None:
    first, second = await make("a"), await make("b")
    assert await first.lease(KEY)
    assert not await second.lease(KEY)
    await first.put(KEY, response())
    assert await second.lease(KEY)


async def test_a_lease_can_be_given_back_and_is_no_wall_to_its_own_holder(make: Make) -> None:
    first, second = await make("a"), await make("b")
    assert await first.lease(KEY)
    assert await first.lease(KEY)
    await first.release(KEY)
    assert await second.lease(KEY)


async def test_replicas_hear_of_each_other_and_not_of_themselves(make: Make) -> None:
    speaker, hearer = await make("a"), await make("b")
    ear = Ear(hearer)
    try:
        await eventually(lambda: ear.heard == [None])
        given = response(at=5.0)
        await hearer.put("/own", response())
        await speaker.put(KEY, given)
        await speaker.release("/x")
        await speaker.drop("/repos/o/")
        await speaker.drop(None)
        await eventually(lambda: len(ear.heard) == 5)
        assert ear.heard[1:] == [
            News("a", Word.STORED, KEY, print_of(given), 5.0),
            News("a", Word.RELEASED, "/x"),
            News("a", Word.DROPPED, "/repos/o"),
            News("a", Word.DROPPED, None),
        ]
    finally:
        await ear.stop()


@pytest.mark.parametrize("kill", [True, False], ids=["restarted", "subscription cut"])
async def test_after_a_lost_subscription_everything_may_be_out_of_date(
    make: Make, server: Dragonfly, kill: bool
) -> None:
    tier, other = await make("a"), await make("b")
    ear = Ear(tier)
    try:
        await eventually(lambda: ear.heard == [None])
        if kill:
            await server.kill()
            await server.start()
        else:
            await server.client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await eventually(lambda: len(ear.heard) > 1)
        assert ear.heard[1] is None
        await tier.probe()
        await other.probe()
        await other.release("/x")
        await eventually(lambda: News("b", Word.RELEASED, "/x") in ear.heard)
    finally:
        await ear.stop()


@pytest.mark.parametrize(
    "garbage", [b"", b"\xff", b"not one", b"\x93\x01\xc2\x80", msgspec.msgpack.encode([9, False, {}])]
)
async def test_news_that_are_none_are_ignored(make: Make, server: Dragonfly, garbage: bytes) -> None:
    tier, other = await make("a"), await make("b")
    ear = Ear(tier)
    try:
        await eventually(lambda: ear.heard == [None])
        await server.client.execute_command("PUBLISH", f"chimney:{VERSION}:me:news", garbage)
        await other.release("/x")
        await eventually(lambda: len(ear.heard) == 2)
        assert ear.heard[1] == News("b", Word.RELEASED, "/x")
    finally:
        await ear.stop()


async def packed(**changes: object) -> bytes:
    return await pack(msgspec.structs.replace(response(b"x" * 5_000), **changes))


GARBAGE = {
    "empty": b"",
    "text": b"hello",
    "json": b'{"status":200}',
    "another version": msgspec.msgpack.encode([9, False, msgspec.to_builtins(response())]),
    "a field too many": msgspec.msgpack.encode([VERSION, False, msgspec.to_builtins(response()), 1]),
    "not zipped": msgspec.msgpack.encode([VERSION, True, msgspec.structs.asdict(response(b"plain"))]),
    "nested": b"\x91" * 200_000,
}
UNSOUND: dict[str, dict[str, object]] = {
    "status": {"status": 500},
    "times": {"validated_at": float("nan")},
    "infinite": {"fetched_at": float("inf")},
    "header": {"content_type": "text/html\r\nset-cookie: a=b"},
    "tag": {"etag": '"a"\n'},
    "links": {"links": "<x\x00>"},
}


@pytest.mark.parametrize("name", [*GARBAGE, *UNSOUND, "cut off", "wrong type"])
async def test_garbage_is_a_miss_and_goes(tier: SharedTier, server: Dragonfly, name: str) -> None:
    place = f"chimney:{VERSION}:me:r:{KEY}"
    if name == "wrong type":
        await server.client.execute_command("LPUSH", place, "1")
    elif name == "cut off":
        await server.client.execute_command("SET", place, (await packed())[:-9])
    else:
        raw = GARBAGE[name] if name in GARBAGE else await packed(**UNSOUND[name])
        await server.client.execute_command("SET", place, raw)
    assert await tier.get(KEY) is None
    assert (tier.garbage, await server.keys()) == (1, [])
    await tier.put(KEY, response())
    assert await tier.get(KEY) is not None


async def test_a_body_that_unpacks_without_end_is_not_unpacked(tier: SharedTier, server: Dragonfly) -> None:
    bomb = await packed(body=bytes(11 * 1024 * 1024))
    assert len(bomb) < 100_000
    await server.client.execute_command("SET", f"chimney:{VERSION}:me:r:{KEY}", bomb)
    assert await tier.get(KEY) is None


async def test_a_response_too_large_to_share_leaves_no_older_one_in_its_place(make: Make) -> None:
    put, get = await make("a"), await make("b")
    await put.put(KEY, response())
    body = bytes(map(hash, range(10))) + b"".join(time.perf_counter_ns().to_bytes(8, "big") for _ in range(400_000))
    assert await put.put(KEY, response(body))
    assert len(await pack(response(body))) > LARGEST_BYTES
    assert await get.get(KEY) is None


async def test_a_full_server_keeps_nothing_old_and_costs_nothing_else(tier: SharedTier, server: Dragonfly) -> None:
    await tier.put(KEY, response(b"old"))
    await server.client.execute_command("CONFIG", "SET", "maxmemory", "1mb")
    assert await tier.put(KEY, response(b"new"))
    assert tier.connected
    assert await tier.get(KEY) is None
    assert await tier.lease(KEY)
    await server.client.execute_command("CONFIG", "SET", "maxmemory", "0")
    await tier.put(KEY, response(b"new"))
    assert await tier.get(KEY) is not None


EVERY: dict[str, Callable[[FarTier], Awaitable[object]]] = {
    "get": lambda far: far.get(KEY),
    "put": lambda far: far.put(KEY, response()),
    "lease": lambda far: far.lease(KEY),
    "release": lambda far: far.release(KEY),
    "drop": lambda far: far.drop("/repos"),
    "keys": lambda far: far.keys(0),
    "forget": lambda far: far.forget(KEY),
}
ABSENT = {"get": None, "put": False, "lease": True, "release": None, "drop": None, "keys": None, "forget": False}


async def timed(asking: Awaitable[object]) -> tuple[object, float]:
    began = time.perf_counter()
    return await asking, time.perf_counter() - began


@pytest.mark.parametrize("name", EVERY)
async def test_a_server_that_hangs_costs_its_deadline_twice_and_then_nothing(
    tier: SharedTier, server: Dragonfly, name: str
) -> None:
    server.pause()
    try:
        for _ in range(2):
            answer, seconds = await timed(EVERY[name](tier))
            assert answer == ABSENT[name]
            assert seconds < 2 * DEADLINE + 3
        assert not tier.connected
        assert (await timed(EVERY[name](tier)))[1] < DEADLINE
    finally:
        server.resume()
    await tier.probe()
    assert tier.connected


@pytest.mark.parametrize("name", EVERY)
async def test_a_server_that_is_gone_is_as_if_there_were_none(tier: SharedTier, server: Dragonfly, name: str) -> None:
    await server.kill()
    answer, seconds = await timed(EVERY[name](tier))
    assert answer == ABSENT[name]
    assert seconds < DEADLINE + 3
    assert tier.health().status == "unavailable"
    assert await tier.probe() < 10
    await server.start()
    await tier.probe()
    assert tier.health().status == "connected"
    await tier.put(KEY, response())
    assert await tier.get(KEY) is not None


@pytest.mark.parametrize("name", EVERY)
async def test_an_origin_that_stands_alone_asks_nobody(name: str) -> None:
    alone = NoFarTier()
    assert await EVERY[name](alone) == {**ABSENT, "drop": 0, "keys": ([], None), "forget": True}[name]
    assert alone.health().status == "not_configured"
    assert not alone.connected


async def test_its_health_has_the_figures_of_the_server(tier: SharedTier) -> None:
    await tier.put(KEY, response())
    await tier.probe()
    health = tier.health()
    assert (health.status, health.keys) == ("connected", 1)
    assert health.memory_bytes is not None
    assert health.memory_bytes > 100_000
    assert health.latency_ms is not None
    assert 0 < health.latency_ms < 200


async def test_waits_between_two_tries_grow_to_a_few_seconds(make: Make, server: Dragonfly) -> None:
    await server.kill()
    tier = await make()
    waits = [await tier.probe() for _ in range(8)]
    assert waits[0] < 1.5
    assert 1.7 < max(waits) <= 3.6
    assert len(set(waits)) > 4, "without jitter all replicas come back at once"


async def test_a_wrong_password_is_unavailable_and_is_not_shown(
    tmp_path: Path, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    async with dragonfly(tmp_path, "--requirepass", "right-one") as locked:
        told: list[tuple[bool, str]] = []
        wrong = RedisServer(f"redis://:wrong-one@127.0.0.1:{locked.port}", on_change=lambda *say: told.append(say))
        await wrong.probe()
        assert told == [(False, "the server refuses the user or the password")]
        assert (await make(url=f"redis://:right-one@127.0.0.1:{locked.port}")).connected
        await wrong.close()
    assert "wrong-one" not in caplog.text


async def test_something_that_is_no_such_server_is_unavailable(make: Make) -> None:
    async def chatter(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(chatter, "127.0.0.1", 0)
    async with listening:
        tier = await make(url=f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
        assert tier.health().status == "unavailable"
        assert await tier.get(KEY) is None
