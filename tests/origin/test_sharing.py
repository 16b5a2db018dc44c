"""Two replicas on different machines, one Dragonfly: one log, one stream of events, also when it goes away."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeOrigin, until
from tests.fakes.asgi import OpenStream
from tests.fakes.dragonfly import Dragonfly, dragonfly

from chimney.core.eventsource import ServerEvent
from chimney.instrumentation import Line
from chimney.origin.app import Origin
from chimney.origin.sharing import SharedRing

Replica = Callable[[str], Any]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Dragonfly]:
    async with dragonfly(tmp_path) as running:
        yield running


@pytest.fixture
def replica(make_origin: MakeOrigin, server: Dragonfly, tmp_path: Path) -> Replica:
    """Starts one with a folder of its own, connected."""

    async def start(name: str) -> Origin:
        origin = await make_origin(github_token=None, dragonfly_url=server.url, data_dir=tmp_path / name)
        await until(lambda: origin.ring._joined and origin.events._joined)
        return origin

    return start


async def say(ring: SharedRing, *texts: str) -> None:
    lines = [b'{"ts":"","level":"info","message":"%s"}' % text.encode() for text in texts]
    if hasattr(ring, "take"):
        await ring.take([Line(20, line) for line in lines])
    else:
        await ring.keep([line[:-1] + b',"kind":"panic"}' for line in lines])


def said(ring: SharedRing) -> list[str]:
    texts = [entry.data.decode().partition('"message":"')[2].partition('"')[0] for entry in ring._held]
    return [text for text in texts if text.startswith(("a", "b"))]


def ids(ring: SharedRing) -> list[int]:
    return [entry.id for entry in ring._held]


@pytest.mark.parametrize("which", ["ring", "events"])
async def test_what_one_replica_says_all_show_in_one_order_with_the_same_ids(replica: Replica, which: str) -> None:
    one, other = await replica("one"), await replica("other")
    first, second = getattr(one, which), getattr(other, which)
    for number in range(10):
        await asyncio.gather(say(first, f"a{number}"), say(second, f"b{number}"))
    await until(lambda: len(said(first)) == len(said(second)) == 20)
    assert said(first) == said(second)
    common = set(ids(first)) & set(ids(second))
    assert len(common) >= 20
    assert ids(first)[-20:] == ids(second)[-20:] == list(range(ids(first)[-1] - 19, ids(first)[-1] + 1))


async def test_a_restarted_replica_reads_what_the_others_said_meanwhile(
    replica: Replica, make_origin: MakeOrigin
) -> None:
    one, other = await replica("one"), await replica("other")
    await say(one.ring, "a1")
    await until(lambda: said(other.ring) == ["a1"])
    await make_origin.end(other)
    await say(one.ring, "a2", "a3")
    again = await replica("other")
    await until(lambda: said(again.ring) == ["a1", "a2", "a3"])
    assert ids(again.ring) == sorted(set(ids(again.ring)))


async def test_while_dragonfly_is_away_each_goes_on_alone_and_afterwards_together_and_nothing_is_doubled(
    replica: Replica, server: Dragonfly
) -> None:
    one, other = await replica("one"), await replica("other")
    await say(one.ring, "a1")
    await until(lambda: said(other.ring) == ["a1"])
    await server.kill()
    await say(one.ring, "a2")
    await say(other.ring, "b2")
    assert (said(one.ring), said(other.ring)) == (["a1", "a2"], ["a1", "b2"])
    await server.start()
    await until(lambda: one.ring._joined and other.ring._joined, within=10)
    await say(one.ring, "a3")
    await say(other.ring, "b3")
    await until(lambda: said(one.ring)[-2:] == said(other.ring)[-2:] == ["a3", "b3"])
    assert said(one.ring) == ["a1", "a2", "a3", "b3"]
    assert said(other.ring) == ["a1", "b2", "a3", "b3"]
    for ring in (one.ring, other.ring):
        assert ids(ring) == sorted(set(ids(ring)))


async def test_a_paused_dragonfly_costs_little_and_what_arrived_after_all_is_not_shown_twice(
    replica: Replica, server: Dragonfly
) -> None:
    one, other = await replica("one"), await replica("other")
    await say(one.ring, "a1")
    await until(lambda: said(other.ring) == ["a1"])
    server.pause()
    began = asyncio.get_running_loop().time()
    for number in range(2, 12):
        await say(one.ring, f"a{number}")
    assert asyncio.get_running_loop().time() - began < 2
    server.resume()
    await until(lambda: one.ring._joined, within=10)
    await say(one.ring, "a12")
    await until(lambda: said(one.ring)[-1] == "a12")
    assert said(one.ring) == [f"a{number}" for number in range(1, 13)]


async def heard(stream: OpenStream, count: int) -> list[ServerEvent]:
    return [await stream.next("log") for _ in range(count)]


async def test_a_reader_moves_from_one_replica_to_the_other_and_misses_nothing(replica: Replica) -> None:
    one, other = await replica("one"), await replica("other")
    await say(one.ring, "a0")
    await until(lambda: said(other.ring) == ["a0"])
    first = OpenStream(one, "/api/logs/stream?grep=wanted", {"last-event-id": str(one.ring.bounds[1])})
    await first.opened()
    await say(one.ring, "a1 wanted", "a2 wanted")
    seen = await heard(first, 2)
    await first.close()
    await say(other.ring, "a3 wanted")
    await say(one.ring, "a4 wanted")
    second = OpenStream(other, "/api/logs/stream?grep=wanted", {"last-event-id": str(seen[-1].id)})
    await second.opened()
    seen += await heard(second, 2)
    await second.close()
    texts = [event.data.partition('"message":"')[2].partition('"')[0] for event in seen]
    assert texts == ["a1 wanted", "a2 wanted", "a3 wanted", "a4 wanted"]
    assert b"event: gap" not in second.body


async def test_what_is_trimmed_before_it_is_read_is_told_as_a_gap(
    replica: Replica, make_origin: MakeOrigin, server: Dragonfly
) -> None:
    one, other = await replica("one"), await replica("other")
    await say(one.ring, "a0")
    await until(lambda: said(other.ring) == ["a0"])
    last = other.ring.bounds[1]
    await make_origin.end(other)
    for number in range(30):
        await say(one.ring, *(f"b{number}-{place}" for place in range(100)))
    again = await replica("other")
    await until(lambda: said(again.ring)[-1:] == ["b29-99"])
    oldest = again.ring.bounds[0]
    assert last is not None
    assert oldest is not None
    assert oldest > last + 1000
    opening = again.ring.opening(lambda _entry: True, last)
    assert opening.gap is not None
    assert (opening.gap.reason, opening.gap.before_id) == ("evicted", oldest)
    assert opening.gap.missed == oldest - last - 1
    assert await server.client.execute_command("XLEN", (await server.keys("*trail*logs"))[0]) < 200


async def test_garbage_in_the_stream_is_left_out(replica: Replica, server: Dragonfly) -> None:
    one = await replica("one")
    await say(one.ring, "a1")
    await until(lambda: said(one.ring) == ["a1"])
    [key] = await server.keys("*trail*logs")
    for fields in (
        ("x", "y"),
        ("first", "x", "before", "0", "mark", "m", "lines", "{}"),
        ("first", "9" * 15, "before", "1"),
    ):
        await server.client.execute_command("XADD", key, f"{(one.ring.bounds[1] or 0) + 1}-*", *fields)
    await say(one.ring, "a2")
    await until(lambda: said(one.ring)[-1] == "a2")
    assert one.shell.recover.panics == 0


async def test_without_dragonfly_at_the_start_records_are_shown_within_two_seconds(
    make_origin: MakeOrigin, tmp_path: Path
) -> None:
    async with AsyncExitStack():
        origin = await make_origin(github_token=None, dragonfly_url="redis://127.0.0.1:9", data_dir=tmp_path / "x")
    logging.getLogger("tests").warning("not seen by the pipe of this test")
    await say(origin.ring, "a1")
    assert said(origin.ring) == ["a1"]


async def test_a_replica_shows_what_it_said_itself_at_once(replica: Replica) -> None:
    one = await replica("one")
    await say(one.ring, "a1", "a2")
    assert said(one.ring) == ["a1", "a2"]
    await say(one.ring, *(f"b{place}" for place in range(8_000)))  # more than goes there in one piece
    assert said(one.ring) == [f"b{place}" for place in range(7_000, 8_000)]
    assert ids(one.ring) == list(range(ids(one.ring)[0], ids(one.ring)[0] + 1_000))


async def test_what_is_appended_without_a_word_is_heard_all_the_same(replica: Replica, server: Dragonfly) -> None:
    one = await replica("one")
    await say(one.ring, "a1")
    [key] = await server.keys("*trail*logs")
    last = one.ring.bounds[1] or 0
    line = '{"ts":"","level":"info","message":"b1"}'
    fields = ("first", str(last + 1), "before", str(last), "mark", "older:1", "lines", line)
    await server.client.execute_command("XADD", key, f"{last + 1}-0", *fields)
    await until(lambda: said(one.ring) == ["a1", "b1"])


async def test_a_reader_here_gets_every_line_said_here_once(replica: Replica) -> None:
    one, other = await replica("one"), await replica("other")
    await say(one.ring, "a0")
    await until(lambda: said(other.ring)[-1:] == ["a0"])
    stream = OpenStream(one, "/api/logs/stream?grep=wanted", {"last-event-id": str(one.ring.bounds[1])})
    await stream.opened()
    for number in range(20):
        await asyncio.gather(say(one.ring, f"a{number} wanted"), say(other.ring, f"b{number} wanted"))
    events = await heard(stream, 40)
    await stream.close()
    assert [event.id for event in events] == sorted({event.id for event in events}, key=int)


async def test_what_arrived_late_under_other_ids_and_was_shown_here_already_is_not_missed(replica: Replica) -> None:
    one = await replica("one")
    await say(one.ring, "a1")
    watching = OpenStream(one, "/api/logs/stream?grep=a", {})
    await watching.opened()
    trail, newest = one.ring._trail, ids(one.ring)[-1]
    assert trail
    one.ring._doubtful.append("late")
    assert await trail.append([b'{"message":"a1"}'], least=newest + 1_000, mark="late")
    await until(lambda: one.ring._read_to >= newest + 1_000)
    await say(one.ring, "a2")
    await heard(watching, 1)
    await watching.close()
    assert said(one.ring) == ["a1", "a2"]
    assert b"event: gap" not in watching.body
