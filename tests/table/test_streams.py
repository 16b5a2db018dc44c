import asyncio
import json

import httpx2
import pytest
from tests.fakes.waiting import eventually
from tests.table.running import Running

from chimney.store.frames import Signal
from chimney.store.vault import Limits
from chimney.table.streams import REPLAYED
from chimney.web.hub import STREAMS_PER_ADDRESS


def record(number: int, **more: object) -> bytes:
    return json.dumps({"level": "info", "message": f"m{number}", "logger": "l", **more}).encode()


async def test_a_new_reader_is_greeted_and_then_told_what_comes(running: Running, operator: httpx2.AsyncClient) -> None:
    await running.store(record(1))
    stream = await running.stream("/api/logs/stream?source=hel1", operator)
    hello = json.loads((await stream.next()).data)
    assert hello["boot"] == running.table.boot
    await running.store(record(2), first=2)
    event = await stream.next("log")
    row = json.loads(event.data)
    assert (row["message"], row["origin_id"], str(row["id"])) == ("m2", 2, event.id)


async def test_a_reader_resumes_from_the_journal_without_gap_or_repeat(
    running: Running, operator: httpx2.AsyncClient
) -> None:
    await running.store(*(record(i) for i in range(1, 21)))
    first = await running.stream("/api/logs/stream?source=hel1&last_event_id=0", operator)
    seen = [await first.next("log") for _ in range(7)]
    await first.close()
    await running.store(*(record(i) for i in range(21, 31)), first=21)
    second = await running.stream("/api/logs/stream?source=hel1", operator, last_event_id=seen[-1].id)
    seen += [await second.next("log") for _ in range(23)]
    assert [json.loads(event.data)["origin_id"] for event in seen] == list(range(1, 31))


async def test_nothing_is_lost_or_repeated_while_records_arrive_during_the_opening(
    running: Running, operator: httpx2.AsyncClient
) -> None:
    async def write() -> None:
        for number in range(1, 61, 4):
            await running.store(*(record(i) for i in range(number, number + 4)), first=number)

    writing = asyncio.create_task(write())
    await eventually(lambda: running.table.ingest.records["hel1"] > 5)
    stream = await running.stream("/api/logs/stream?source=hel1&last_event_id=0", operator)
    seen = [json.loads((await stream.next("log")).data)["origin_id"] for _ in range(60)]
    assert seen == list(range(1, 61))
    await writing


@pytest.mark.parametrize("asked", ["999999", "abc", "-3"])
async def test_an_id_that_was_never_given_is_told_and_what_is_kept_is_replayed(
    running: Running, operator: httpx2.AsyncClient, asked: str
) -> None:
    await running.store(*(record(i) for i in range(1, 6)))
    stream = await running.stream(f"/api/logs/stream?source=hel1&last_event_id={asked}", operator)
    gap = json.loads((await stream.next("gap")).data)
    assert gap["reason"] == "unknown_id"
    assert [json.loads((await stream.next("log")).data)["origin_id"] for _ in range(5)] == [1, 2, 3, 4, 5]


async def test_filters_hold_for_what_is_replayed_and_what_comes(running: Running, operator: httpx2.AsyncClient) -> None:
    await running.store(record(1), record(2, level="error", note="needle"))
    stream = await running.stream("/api/logs/stream?level=error&grep=NEEDLE&last_event_id=0", operator)
    await running.store(record(3, note="needle"), record(4, level="error", note="needle"), first=3)
    assert [json.loads((await stream.next("log")).data)["origin_id"] for _ in range(2)] == [2, 4]


async def test_a_reader_that_missed_too_much_is_told_how_much(running: Running, operator: httpx2.AsyncClient) -> None:
    await running.store(*(record(i) for i in range(1, REPLAYED + 12)))
    stream = await running.stream("/api/logs/stream?source=hel1&last_event_id=0", operator)
    gap = json.loads((await stream.next("gap")).data)
    first = json.loads((await stream.next("log")).data)
    assert gap["reason"] == "too_many"
    assert (gap["after_id"], gap["before_id"], gap["missed"]) == (0, first["id"], first["id"] - 1)
    rest = [json.loads((await stream.next("log")).data) for _ in range(REPLAYED - 1)]
    assert rest[-1]["origin_id"] == REPLAYED + 11


async def test_a_reader_from_before_what_is_kept_is_told_so(running: Running, operator: httpx2.AsyncClient) -> None:
    for first in range(1, 1200, 600):
        await running.store(*(record(i) for i in range(first, first + 600)), first=first)
    limits = Limits(older_than_ms=dict.fromkeys(Signal, 0), max_bytes={None: 1})
    await running.table.store.retain(limits)
    stream = await running.stream("/api/logs/stream?last_event_id=3", operator)
    gap = json.loads((await stream.next("gap")).data)
    assert (gap["reason"], gap["after_id"]) == ("evicted", 3)
    assert json.loads((await stream.next("log")).data)["id"] == gap["before_id"]


async def test_the_page_gets_a_snapshot_and_then_changes(running: Running, operator: httpx2.AsyncClient) -> None:
    stream = await running.stream("/api/stream?topics=overview,findings", operator)
    overview = await stream.next("overview")
    findings = await stream.next("findings")
    assert json.loads(overview.data)["origins"] == []
    assert {"items", "next", "good_since"} == set(json.loads(findings.data))
    assert int(findings.id) > int(overview.id)
    running.table.watching.board.changed()
    again = await stream.next("overview")
    assert int(again.id) > int(findings.id)


async def test_a_topic_that_was_not_asked_for_is_not_sent(running: Running, operator: httpx2.AsyncClient) -> None:
    stream = await running.stream("/api/stream?topics=findings", operator)
    await stream.next("findings")
    running.table.pages.publish("overview", {})
    running.table.pages.publish("findings", {"items": []})
    assert (await stream.next()).event == "findings"


@pytest.mark.parametrize("path", ["/api/logs/stream", "/api/stream?topics=overview"])
async def test_a_stream_ends_with_its_session(running: Running, path: str) -> None:
    client, other = await running.signed_in(), await running.signed_in()
    stream, spared = await running.stream(path, client), await running.stream(path, other)
    assert (await client.delete("/api/session")).status_code == 204
    assert b"retry:" in (await stream.ended()).rpartition(b"\n\nretry")[1] + b"retry:"
    assert (await running.stream(path, client)).status == 401
    assert not spared.task.done()


async def test_streams_end_when_the_table_drains(running: Running, operator: httpx2.AsyncClient) -> None:
    stream = await running.stream("/api/logs/stream", operator)
    await running.table.drain()
    assert (await stream.ended()).splitlines()[-2].startswith(b"retry: ")


async def test_one_address_may_not_open_streams_without_end(running: Running, operator: httpx2.AsyncClient) -> None:
    hub = running.table.log_hub
    taken = [hub.subscribe("127.0.0.1", lambda _: True) for _ in range(STREAMS_PER_ADDRESS)]
    answer = await operator.get("/api/logs/stream")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
    for subscriber in taken:
        hub.unsubscribe(subscriber)


async def test_a_reader_that_left_costs_nothing(running: Running, operator: httpx2.AsyncClient) -> None:
    stream = await running.stream("/api/logs/stream", operator)
    assert len(running.table.log_hub) == 1
    await stream.close()
    assert len(running.table.log_hub) == 0
    assert running.table.operating.sessions._streams == {}
