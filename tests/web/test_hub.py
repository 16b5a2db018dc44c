"""Fan-out: publishing never waits, a full reader is marked, nobody else notices."""

import asyncio
import re

import pytest
from tests.conftest import until

from chimney.web import hub as hubs
from chimney.web.hub import AT_ONCE, PORTION, STREAMS_PER_ADDRESS, Entry, Hub, Mark, Room, Subscriber


def entries(count: int, *, start: int = 1, level: int = 20) -> list[Entry]:
    return [Entry(number, "log", b"{}", level) for number in range(start, start + count)]


def everything(_entry: Entry) -> bool:
    return True


def taken(subscriber: Subscriber) -> list[int]:
    """The ids of all that is queued now."""
    body = b""
    while part := subscriber.take():
        body += part
    return [int(number) for number in re.findall(rb"id: (\d+)\n", body)]


async def test_what_is_published_reaches_every_subscriber_in_order() -> None:
    hub = Hub()
    first, second = hub.subscribe("a", everything), hub.subscribe("b", everything)
    hub.publish(entries(3))
    hub.publish(entries(2, start=4))
    for subscriber in (first, second):
        assert taken(subscriber) == [1, 2, 3, 4, 5]
    assert len(hub) == 2


async def test_a_subscriber_gets_what_it_accepts_and_every_mark() -> None:
    hub = Hub()
    errors = hub.subscribe("a", lambda entry: entry.level >= 40)
    hub.publish(entries(2) + entries(1, start=3, level=40))
    assert taken(errors) == [3]
    hub.publish(entries(5, start=4))
    assert errors.take() == b""
    hub.publish([Mark(8, "gap", b'{"missed":1}')])
    assert errors.take() == b'event: gap\ndata: {"missed":1}\n\n'


async def test_released_streams_end_and_others_may_come() -> None:
    hub = Hub()
    here = hub.subscribe("a", everything)
    hub.release()
    later = hub.subscribe("a", everything)
    assert (here.closing, later.closing) == (True, False)
    hub.close()
    assert (later.closing, hub.subscribe("a", everything).closing) == (True, True)


async def test_a_waiting_subscriber_is_woken() -> None:
    hub = Hub()
    subscriber = hub.subscribe("a", everything)
    waiting = asyncio.create_task(subscriber.wait())
    await asyncio.sleep(0)
    hub.publish(entries(1))
    await asyncio.wait_for(waiting, 1)
    assert taken(subscriber) == [1]


async def test_an_event_is_encoded_and_judged_once_for_all_who_ask_for_the_same() -> None:
    hub = Hub()
    judged: list[int] = []

    def accept(entry: Entry) -> bool:
        judged.append(entry.id)
        return True

    subscribers = [hub.subscribe(str(number), accept) for number in range(50)]
    hub.publish(entries(3))
    bodies = [subscriber.take() for subscriber in subscribers]
    assert judged == [1, 2, 3]
    assert all(body is bodies[0] for body in bodies)


async def test_a_large_audience_is_told_in_parts_and_in_order_and_who_joins_meanwhile_gets_only_what_is_new() -> None:
    hub = Hub()
    subscribers = [hub.subscribe("a", everything) for _ in range(AT_ONCE * 3 + 7)]
    hub.publish(entries(2))
    assert [len(taken(one)) for one in (subscribers[0], subscribers[-1])] == [2, 0], "the loop is not held for all"
    hub.publish(entries(1, start=3))
    late = hub.subscribe("b", everything)
    hub.publish(entries(1, start=4))
    await until(lambda: hub._round is None and not hub._pending)
    assert taken(subscribers[0]) == [3, 4]
    assert taken(subscribers[-1]) == [1, 2, 3, 4]
    assert taken(late) == [4]


async def test_what_is_published_between_two_parts_or_two_rounds_reaches_everyone() -> None:
    """A second chain of parts once met a round that was over, and the hub never told anything again."""
    hub = Hub()
    subscribers = [hub.subscribe("a", everything) for _ in range(AT_ONCE * 2 + 1)]
    number = 0
    for pause in (0, 1, 2, 3, 4, 5, 0, 0, 1, 1, 2, 2) * 5:
        number += 1
        hub.publish(entries(1, start=number))
        for _ in range(pause):
            await asyncio.sleep(0)
    await until(lambda: hub._round is None and not hub._pending)
    assert all(taken(subscriber) == list(range(1, number + 1)) for subscriber in subscribers)


async def test_a_full_subscriber_loses_its_place_and_nobody_elses() -> None:
    hub = Hub(depth=10)
    slow, quick = hub.subscribe("a", everything), hub.subscribe("b", everything)
    hub.publish(entries(8))
    assert len(taken(quick)) == 8
    hub.publish(entries(8, start=9))
    assert (slow.lost, slow.lost_id, quick.lost) == (8, 16, 0)
    assert taken(slow) == list(range(1, 9))
    hub.publish(entries(1, start=17))
    assert slow.lost == 9, "what comes after a hole is not sent as if there were none"
    hub.unsubscribe(slow)
    assert (hub.dropped, len(hub)) == (9, 1)


async def test_what_is_published_at_once_fits_a_reader_that_has_read_all_up_to_its_depth() -> None:
    hub = Hub(depth=PORTION * 2)
    reader = hub.subscribe("a", everything)
    hub.publish(entries(PORTION * 3))
    assert (len(taken(reader)), reader.lost) == (PORTION * 2, PORTION)


async def test_a_queue_is_bounded_in_bytes_too() -> None:
    hub = Hub()
    slow = hub.subscribe("a", everything)
    for number in range(100):
        hub.publish([Entry(number + 1, "log", b"x" * 50_000)])
    assert slow.lost > 80
    first = slow.take()
    assert hubs.SEND_BYTES <= len(first) < hubs.SEND_BYTES + 51_000, "the server is handed a part only"
    assert 0 < len(taken(slow)) * 50_000 < hubs.QUEUE_BYTES


async def test_closing_wakes_every_subscriber_and_whoever_comes_later_is_not_kept() -> None:
    hub = Hub()
    subscribers = [hub.subscribe("a", everything) for _ in range(3)]
    waiting = [asyncio.create_task(subscriber.wait()) for subscriber in subscribers]
    await asyncio.sleep(0)
    hub.close()
    await asyncio.wait_for(asyncio.gather(*waiting), 1)
    assert all(subscriber.closing for subscriber in [*subscribers, hub.subscribe("a", everything)])


async def test_heartbeats_end_what_is_old_and_cut_what_is_stalled() -> None:
    hub = Hub()
    well, old, stalled = (hub.subscribe("a", everything) for _ in range(3))
    cut: list[bool] = []
    old.ends_at = 1.0
    stalled.sending_since, stalled.cut = 1.0, lambda: cut.append(True)
    well.sending_since, well.cut = 0.0, lambda: cut.append(False)
    for _ in range(hubs.BEAT_SECONDS):
        hub._tick()
    assert old.closing
    assert cut == [True]
    assert well.take().startswith(b": keep-alive\n\nevent: heartbeat\ndata: {")


async def test_one_address_has_no_more_than_its_share_of_all_streams_of_the_process() -> None:
    room = Room(in_all=150)
    logs, events = Hub(room=room), Hub(room=room)
    held = [hub.subscribe("greedy", everything) for hub in (logs, events) for _ in range(STREAMS_PER_ADDRESS // 2)]
    assert logs.full("greedy")
    assert not events.full("another")
    logs.unsubscribe(held[0])
    logs.unsubscribe(held[0])
    assert not events.full("greedy")
    more = [events.subscribe(str(number), everything) for number in range(51)]
    assert logs.full("somebody")
    for subscriber in more:
        events.unsubscribe(subscriber)
    assert room.taken == STREAMS_PER_ADDRESS - 1


async def test_ten_thousand_come_and_go_and_leave_nothing() -> None:
    hub = Hub()
    for number in range(10_000):
        hub.unsubscribe(hub.subscribe(str(number % 300), everything))
    assert (len(hub), hub.room.taken, hub._audiences, hub._ticking) == (0, 0, {}, None)
    assert not any(hub._beats)
    assert not hub.room._by_address


@pytest.mark.parametrize("data", [b'{"message":"a\\nid: 999\\nevent: deploy"}', b'{"x":"\\r\\n\\r\\n\\u0000"}'])
def test_a_frame_has_one_id_one_event_and_one_line_of_data(data: bytes) -> None:
    frame = Entry(7, "log", data).frame()
    assert frame == b"id: 7\nevent: log\ndata: " + data + b"\n\n"
    assert frame.count(b"\n") == 4
