"""Fan-out: publishing never waits, a full reader is marked, nobody else notices."""

import asyncio

import pytest

from chimney.web.hub import STREAMS_PER_ADDRESS, Entry, Hub


def entries(count: int, *, start: int = 1, level: int = 20) -> list[Entry]:
    return [Entry(number, "log", b"{}", level) for number in range(start, start + count)]


def everything(_entry: Entry) -> bool:
    return True


async def test_what_is_published_reaches_every_subscriber_in_order() -> None:
    hub = Hub()
    first, second = hub.subscribe("a", everything), hub.subscribe("b", everything)
    hub.publish(entries(3))
    hub.publish(entries(2, start=4))
    for subscriber in (first, second):
        assert [entry.id for entry in await subscriber.take(within=1)] == [1, 2, 3, 4, 5]
    assert len(hub) == 2


async def test_a_subscriber_gets_what_it_accepts() -> None:
    hub = Hub()
    errors = hub.subscribe("a", lambda entry: entry.level >= 40)
    hub.publish(entries(2) + entries(1, start=3, level=40))
    assert [entry.id for entry in await errors.take(within=1)] == [3]
    hub.publish(entries(5, start=4))
    assert await errors.take(within=0.01) == []


async def test_a_waiting_subscriber_is_woken() -> None:
    hub = Hub()
    subscriber = hub.subscribe("a", everything)
    taking = asyncio.create_task(subscriber.take(within=5))
    await asyncio.sleep(0)
    hub.publish(entries(1))
    assert len(await asyncio.wait_for(taking, 1)) == 1


async def test_a_full_subscriber_loses_its_place_and_nobody_elses() -> None:
    hub = Hub(depth=10)
    slow, quick = hub.subscribe("a", everything), hub.subscribe("b", everything)
    hub.publish(entries(8))
    assert len(await quick.take(within=1)) == 8
    hub.publish(entries(8, start=9))
    assert (slow.lost, quick.lost) == (6, 0)
    assert [entry.id for entry in await slow.take(within=1)] == list(range(1, 11))
    hub.publish(entries(1, start=17))
    assert slow.lost == 7, "what comes after a hole is not sent as if there were none"
    hub.unsubscribe(slow)
    assert (hub.dropped, len(hub)) == (7, 1)


async def test_closing_wakes_every_subscriber() -> None:
    hub = Hub()
    subscribers = [hub.subscribe("a", everything) for _ in range(3)]
    taking = [asyncio.create_task(subscriber.take(within=5)) for subscriber in subscribers]
    await asyncio.sleep(0)
    hub.close()
    assert await asyncio.wait_for(asyncio.gather(*taking), 1) == [[], [], []]
    assert all(subscriber.closing for subscriber in subscribers)


def test_one_address_has_no_more_than_its_share() -> None:
    hub = Hub()
    held = [hub.subscribe("greedy", everything) for _ in range(STREAMS_PER_ADDRESS)]
    assert hub.full("greedy")
    assert not hub.full("another")
    hub.unsubscribe(held[0])
    hub.unsubscribe(held[0])
    assert not hub.full("greedy")


def test_ten_thousand_come_and_go_and_leave_nothing() -> None:
    hub = Hub()
    for number in range(10_000):
        hub.unsubscribe(hub.subscribe(str(number % 300), everything))
    assert (len(hub), len(hub._by_address)) == (0, 0)


@pytest.mark.parametrize("data", [b'{"message":"a\\nid: 999\\nevent: deploy"}', b'{"x":"\\r\\n\\r\\n\\u0000"}'])
def test_a_frame_has_one_id_one_event_and_one_line_of_data(data: bytes) -> None:
    frame = Entry(7, "log", data).frame()
    assert frame == b"id: 7\nevent: log\ndata: " + data + b"\n\n"
    assert frame.count(b"\n") == 4
