"""Server-sent events over plain ASGI."""

import asyncio
import gc
import tracemalloc
from typing import Any

import msgspec
import pytest
from tests.conftest import until

from chimney.core.eventsource import EventParser
from chimney.web.asgi import Event
from chimney.web.hub import Entry, Hub
from chimney.web.sse import NONSENSE, EventStream, Opening, asked_id
from chimney.wire.event import Gap, Hello


def everything(_entry: Entry) -> bool:
    return True


def entry(number: int) -> Entry:
    return Entry(number, "log", b'{"n":%d}' % number, 20)


class Reader:
    """One reader of a stream. While `reads` is not set it takes nothing; `leave` is the client going away."""

    def __init__(self, hub: Hub, *, gap: Gap | None = None, backlog: tuple[Entry, ...] = ()) -> None:
        self.started: Event | None = None
        self.events: list[tuple[str, Any]] = []
        self.ids: list[str] = []
        self.text = b""
        self.reads = asyncio.Event()
        self.reads.set()
        self.ended = False
        self._left = asyncio.Event()
        self._parser = EventParser("")
        newest = backlog[-1].id if backlog else 5
        hello = Hello(version="1", boot="b", oldest_id=1, newest_id=newest)
        subscriber = hub.subscribe("a", lambda _entry: True)
        self._stream = EventStream(hub, subscriber, Opening(hello, gap, backlog))
        self.task = asyncio.create_task(self._stream({}, self._receive, self._send))

    async def _receive(self) -> Event:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, event: Event) -> None:
        await self.reads.wait()
        if event["type"] == "http.response.start":
            self.started = event
            return
        self.text += event["body"]
        self.ended = not event["more_body"]
        for heard in self._parser.feed(event["body"]):
            self.events.append((heard.event, msgspec.json.decode(heard.data)))
            self.ids.append(heard.id or "")

    def leave(self) -> None:
        self._left.set()

    def named(self, name: str) -> list[Any]:
        return [data for event, data in self.events if event == name]


async def test_a_stream_begins_with_hello_then_the_gap_then_what_was_missed() -> None:
    gap = Gap(missed=3, after_id=1, before_id=5, reason="evicted")
    reader = Reader(Hub(), gap=gap, backlog=(entry(5), entry(6)))
    await until(lambda: len(reader.events) == 4)
    assert [event for event, _ in reader.events] == ["hello", "gap", "log", "log"]
    assert reader.events[0][1] == {"version": "1", "boot": "b", "oldest_id": 1, "newest_id": 6}
    assert reader.events[1][1]["missed"] == 3
    assert reader.ids == ["", "", "5", "6"]
    assert reader.started is not None
    headers = dict(reader.started["headers"])
    assert headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert headers[b"cache-control"] == b"no-cache, no-transform"
    assert headers[b"x-accel-buffering"] == b"no"
    reader.leave()
    await reader.task


async def test_what_is_published_comes_with_its_id_and_in_order() -> None:
    hub = Hub()
    reader = Reader(hub)
    for number in range(6, 106):
        hub.publish([entry(number)])
        await asyncio.sleep(0)
    await until(lambda: len(reader.named("log")) == 100)
    assert [data["n"] for data in reader.named("log")] == list(range(6, 106))
    reader.leave()
    await reader.task
    assert len(hub) == 0


async def test_a_reader_that_went_away_is_forgotten() -> None:
    hub = Hub()
    readers = [Reader(hub) for _ in range(20)]
    await until(lambda: all(reader.events for reader in readers))
    for reader in readers:
        reader.leave()
    await asyncio.wait_for(asyncio.gather(*(reader.task for reader in readers)), 1)
    assert len(hub) == 0


async def test_a_slow_reader_is_told_how_much_it_lost_and_cut_while_others_read_on() -> None:
    hub = Hub(depth=10)
    slow, quick = Reader(hub), Reader(hub)
    await until(lambda: slow.events and quick.events)
    slow.reads.clear()
    for number in range(6, 56):
        hub.publish([entry(number)])
        await until(lambda number=number: quick.ids[-1] == str(number))  # type: ignore[misc]
    slow.reads.set()
    await asyncio.wait_for(slow.task, 2)
    [gap] = slow.named("gap")
    received = [data["n"] for data in slow.named("log")]
    assert received == list(range(6, 6 + len(received)))
    assert gap["reason"] == "slow_reader"
    assert gap["missed"] == 50 - len(received)
    assert (gap["after_id"], gap["before_id"]) == (received[-1], 56)
    assert slow.ended
    assert (len(hub), hub.dropped) == (1, gap["missed"])
    assert len(quick.named("log")) == 50
    quick.leave()
    await quick.task


async def test_closing_ends_a_stream_with_a_time_to_come_back() -> None:
    hub = Hub()
    reader = Reader(hub)
    await until(lambda: reader.events)
    hub.close()
    await asyncio.wait_for(reader.task, 1)
    assert reader.ended
    last = reader.text.decode().strip().split("\n\n")[-1]
    assert last.startswith("retry: ")
    assert 200 <= int(last.removeprefix("retry: ")) <= 2000


async def test_a_stream_is_cut_when_the_reader_is_gone_in_the_middle_of_a_send() -> None:
    hub = Hub()
    reader = Reader(hub)
    await until(lambda: reader.events)
    reader.reads.clear()
    hub.publish([entry(6)])
    await asyncio.sleep(0.01)
    reader.leave()
    await asyncio.wait_for(reader.task, 1)
    assert len(hub) == 0


async def test_a_stream_costs_a_few_kilobytes_and_gives_them_back() -> None:
    """Of ours alone; bench streams measures the whole process."""

    async def nobody(_event: Event) -> None:
        """Takes everything at once."""

    async def one() -> asyncio.Task[None]:
        hello = Hello(version="1", boot="b", oldest_id=1, newest_id=1)
        never: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        stream = EventStream(hub, hub.subscribe("a", everything), Opening(hello, None, ()))
        task = asyncio.create_task(stream({}, lambda: never, nobody))
        await asyncio.sleep(0)
        return task

    hub = Hub()
    (await one()).cancel()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tasks = [await one() for _ in range(500)]
    each = (tracemalloc.get_traced_memory()[0] - before) / 500
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    tasks.clear()
    del task
    await asyncio.sleep(0)  # what was cancelled is told so in the next turn of the loop
    gc.collect()
    left = (tracemalloc.get_traced_memory()[0] - before) / 500
    tracemalloc.stop()
    assert each < 4_000
    assert left < each / 10
    assert len(hub) == 0


@pytest.mark.parametrize(
    ("header", "query", "asked"),
    [
        (None, None, None),
        (b"7", None, 7),
        (None, "7", 7),
        (b"7", "9", 7),
        (b"", "9", 9),
        (b"0", None, 0),
        (b"abc", None, NONSENSE),
        (b"-1", None, NONSENSE),
        (b"1.5", None, NONSENSE),
        (b"\xb2", None, NONSENSE),
        (b"9" * 5000, None, NONSENSE),
        (None, "\u0663", NONSENSE),
        (None, "", None),
    ],
)
def test_where_to_resume_is_an_id_or_nonsense_or_nowhere(
    header: bytes | None, query: str | None, asked: int | None
) -> None:
    headers = {b"last-event-id": header} if header is not None else {}
    assert asked_id(headers, query) == asked
