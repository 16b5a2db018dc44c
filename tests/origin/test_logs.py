"""The log ring: recent records, their stream, across restarts."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import msgspec
import pytest
from tests.conftest import Ask, MakeOrigin, Serving, until
from tests.fakes.hostile import TEXTS

from chimney.core.eventsource import EventParser
from chimney.instrumentation import LogPipe
from chimney.origin.app import Origin
from chimney.origin.ring import HELD

log = logging.getLogger("tests.somewhere")


async def kept(origin: Origin) -> None:
    """Waits until every record so far is in the ring."""
    await until(lambda: not origin._pipe._pending and not origin._pipe._scheduled)


async def records(visitor: httpx2.AsyncClient, **query: Any) -> list[Any]:
    answer = await visitor.get("/api/logs", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


@pytest.fixture
async def origin(make_origin: MakeOrigin, installed: LogPipe) -> Origin:
    """With every log call of the process in its ring; it asks no GitHub by itself."""
    return await make_origin(github_token=None)


async def test_every_request_and_every_log_call_is_a_record(origin: Origin, visitor: httpx2.AsyncClient) -> None:
    answer = await visitor.get("/healthz?x=1", headers={"user-agent": "tests"})
    log.warning("from %s", "elsewhere", extra={"what": "else"})
    await kept(origin)
    told = await records(visitor)
    request = next(one for one in told if one.get("path") == "/healthz")
    assert request["request_id"] == answer.headers["x-request-id"]
    assert (request["route"], request["status"], request["method"]) == ("/healthz", 200, "GET")
    call = next(one for one in told if one["logger"] == "tests.somewhere")
    assert (call["level"], call["message"], call["what"]) == ("warning", "from elsewhere", "else")
    assert any("origin started" in one["message"] for one in told)


async def test_records_are_newest_first_and_their_ids_grow(origin: Origin, visitor: httpx2.AsyncClient) -> None:
    for number in range(20):
        log.info("number %d", number)
    await kept(origin)
    told = [one for one in await records(visitor, grep="number") if one["logger"] == log.name]
    assert [one["message"] for one in told] == [f"number {n}" for n in range(19, -1, -1)]
    assert [one["id"] for one in told] == sorted((one["id"] for one in told), reverse=True)


async def test_the_ring_holds_a_thousand_and_pages_through_them(origin: Origin, visitor: httpx2.AsyncClient) -> None:
    for number in range(1200):
        log.info("line %d", number)
    await kept(origin)
    seen: list[int] = []
    query: dict[str, Any] = {"limit": 300}
    while True:
        page = (await visitor.get("/api/logs", params=query)).json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        query["before"] = page["next"]
    assert HELD == 1000
    assert len(seen) >= HELD
    assert seen == list(range(seen[0], seen[0] - len(seen), -1))
    assert origin.ring.health(0).records == HELD


@pytest.mark.parametrize(
    ("query", "messages"),
    [
        ({"level": "warning"}, ["Größe", "boom", "careful"]),
        ({"level": "ERROR"}, ["boom"]),
        ({"grep": "CAREFUL"}, ["careful"]),
        ({"grep": "größe"}, ["Größe"]),
        ({"grep": "nothing like it"}, []),
        ({"grep": '"quoted"'}, ['say "quoted"']),
        ({"grep": "careful", "level": "error"}, []),
        ({"since": "2999-01-01T00:00:00Z"}, []),
        ({"since": "2000-01-01T00:00:00Z", "grep": "boom"}, ["boom"]),
        ({"request_id": "none-such"}, []),
    ],
)
async def test_records_are_found_by_level_text_and_time(
    origin: Origin, visitor: httpx2.AsyncClient, query: dict[str, str], messages: list[str]
) -> None:
    log.info('say "quoted"')
    log.warning("careful")
    log.error("boom")
    log.warning("Größe")
    await kept(origin)
    assert [one["message"] for one in await records(visitor, **query) if one["logger"] == log.name] == messages


async def test_records_are_found_by_the_id_in_the_visitors_hands(origin: Origin, visitor: httpx2.AsyncClient) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    await visitor.get("/livez", headers={"x-request-id": "mine-1", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    await visitor.get("/livez", headers={"x-request-id": "mine-12"})
    await kept(origin)
    assert [one["request_id"] for one in await records(visitor, request_id="mine-1")] == ["mine-1"]
    assert [one["request_id"] for one in await records(visitor, trace_id=trace)] == ["mine-1"]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("level=loud", "query.level"),
        ("limit=0", "query.limit"),
        ("limit=501", "query.limit"),
        ("before=x", "query.before"),
        ("since=yesterday", "query.since"),
        ("since=0001-01-01T00:00:00%2B14:00", "query.since"),
        ("grep=" + "x" * 257, "query.grep"),
    ],
)
async def test_a_wrong_filter_is_a_400_that_names_it(visitor: httpx2.AsyncClient, query: str, path: str) -> None:
    answer = await visitor.get(f"/api/logs?{query}")
    assert answer.status_code == 400
    assert [fault["path"] for fault in answer.json()["errors"]] == [path]


@pytest.mark.parametrize("query", ["grep=%ED%A0%80", "grep=%ff", "grep=%00", "request_id=%22%0a", "grep=", "unknown=1"])
async def test_an_odd_filter_finds_nothing_or_all_and_never_fails(
    origin: Origin, visitor: httpx2.AsyncClient, query: str
) -> None:
    assert (await visitor.get(f"/api/logs?{query}")).status_code in (200, 400)
    assert origin.shell.recover.panics == 0


async def test_hostile_records_are_pages_of_json(origin: Origin, visitor: httpx2.AsyncClient) -> None:
    for text in TEXTS:
        log.warning("%s", text, extra={"field": text})
    await visitor.get("/%1b[2J%0d%0aid:%20999", headers={b"user-agent": b"x\x9by"})
    await kept(origin)
    answer = await visitor.get("/api/logs")
    assert len(answer.json()["items"]) >= len(TEXTS)
    assert not set(answer.text) & set("\x1b\x9b\x00\u202e\r")


async def test_a_restart_forgets_nothing_and_gives_no_id_again(make_origin: MakeOrigin, asking: Ask) -> None:
    first = await make_origin(github_token=None)
    for _ in range(5):
        await asking(first).get("/livez")
    await kept(first)
    before = await records(asking(first))
    await make_origin.end(first)
    after = await records(asking(await make_origin(github_token=None)))
    known = {one["id"]: one for one in after}
    assert all(known[one["id"]] == one for one in before)
    assert len({one["id"] for one in after}) == len(after)


async def test_an_origin_logs_to_stderr_what_it_keeps(origin: Origin, written: Any) -> None:
    log.info("one line")
    await kept(origin)
    lines = [msgspec.json.decode(line) for line in written.getvalue().splitlines()]
    assert "one line" in [line["message"] for line in lines]
    assert all(
        {"ts", "level", "message", "logger", "request_id", "trace_id", "span_id"} <= line.keys() for line in lines
    )


class Reader:
    """A client of the stream, over the network."""

    def __init__(self, address: str, *, query: str = "", **headers: str) -> None:
        self.events: list[tuple[str, Any, str | None]] = []
        self.task = asyncio.create_task(self._read(f"{address}/api/logs/stream{query}", headers))

    async def _read(self, url: str, headers: dict[str, str]) -> None:
        parser = EventParser("")
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx2.AsyncClient(timeout=10) as client, client.stream("GET", url, headers=told) as answer:
            self.answer = answer
            async for chunk in answer.aiter_bytes():
                for event in parser.feed(chunk):
                    self.events.append((event.event, msgspec.json.decode(event.data), event.id))

    def named(self, name: str) -> list[Any]:
        return [data for event, data, _ in self.events if event == name]

    @property
    def ids(self) -> list[int]:
        return [int(number or 0) for event, _, number in self.events if event == "log"]

    async def has(self, count: int, name: str = "log") -> None:
        await until(lambda: len(self.named(name)) >= count)

    async def leave(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


@pytest.fixture
async def address(origin: Origin, serving: Serving) -> AsyncIterator[str]:
    """The origin on a real port. It is started a second time, which changes nothing of what is tested here."""

    class Started:
        """The running origin; only its serving is begun and ended."""

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await origin(scope, receive, send)

        async def start(self) -> None: ...

        async def drain(self) -> None:
            origin.ring.hub.close()

        async def stop(self) -> None: ...

    async with serving(Started()) as address:
        yield address


async def test_a_stream_greets_and_then_tells_what_happens(origin: Origin, address: str) -> None:
    reader = Reader(address)
    await reader.has(1, "hello")
    [hello] = reader.named("hello")
    assert hello.keys() == {"version", "boot", "oldest_id", "newest_id"}
    assert hello["boot"] == origin.boot
    log.info("live")
    await until(lambda: any(one["message"] == "live" for one in reader.named("log")))
    assert reader.answer.headers["content-type"].startswith("text/event-stream")
    assert reader.answer.headers["x-request-id"]
    await reader.leave()
    await until(lambda: len(origin.ring.hub) == 0)


@pytest.mark.parametrize("way", ["header", "query"])
async def test_a_stream_resumes_exactly_after_the_last_id(origin: Origin, address: str, way: str) -> None:
    for number in range(50):
        log.info("line %d", number)
    await kept(origin)
    oldest, newest = origin.ring.bounds
    assert oldest is not None
    assert newest is not None
    place = str(newest - 20)
    reader = (
        Reader(address, last_event_id=place) if way == "header" else Reader(address, query=f"?last_event_id={place}")
    )
    await reader.has(20)
    for number in range(10):
        log.info("more %d", number)
    await reader.has(30)
    assert reader.ids[:30] == list(range(newest - 19, newest + 11))
    assert reader.named("gap") == []
    await reader.leave()


async def test_a_stream_that_resumes_too_late_is_told_what_is_gone(origin: Origin, address: str) -> None:
    await kept(origin)
    early = origin.ring.bounds[1]
    for number in range(HELD + 300):
        log.info("line %d", number)
    await kept(origin)
    oldest, newest = origin.ring.bounds
    assert early is not None
    assert oldest is not None
    assert newest is not None
    reader = Reader(address, last_event_id=str(early))
    await reader.has(newest - oldest + 1)
    [gap] = reader.named("gap")
    assert gap == {"missed": oldest - early - 1, "after_id": early, "before_id": oldest, "reason": "evicted"}
    assert [event for event, _, _ in reader.events[:3]] == ["hello", "gap", "log"]
    assert reader.ids[: newest - oldest + 1] == list(range(oldest, newest + 1))
    await reader.leave()


@pytest.mark.parametrize("asked", ["5", "999999999999999999", "abc", "1\u0663", "0x10"])
async def test_an_id_that_was_never_given_here_is_told_and_everything_held_is_replayed(
    origin: Origin, address: str, asked: str
) -> None:
    for number in range(20):
        log.info("line %d", number)
    await kept(origin)
    oldest, newest = origin.ring.bounds
    reader = Reader(address, query="?" + httpx2.QueryParams({"last_event_id": asked}).__str__())
    await reader.has(20)
    [gap] = reader.named("gap")
    assert (gap["reason"], gap["missed"], gap["before_id"]) == ("unknown_id", 0, oldest)
    assert reader.ids[0] == oldest
    assert newest in reader.ids
    await reader.leave()


async def test_a_stream_tells_what_was_asked_for(origin: Origin, address: str) -> None:
    reader = Reader(address, query="?level=error&grep=wanted")
    await reader.has(1, "hello")
    for text in ("wanted", "other"):
        log.error("%s error", text)
        log.info("%s info", text)
    log.error("wanted last")
    await reader.has(2)
    assert [one["message"] for one in reader.named("log")] == ["wanted error", "wanted last"]
    await reader.leave()


async def test_a_wrong_filter_of_a_stream_is_a_problem_not_a_stream(address: str) -> None:
    async with httpx2.AsyncClient() as client:
        answer = await client.get(f"{address}/api/logs/stream?level=loud")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


async def test_hostile_text_forges_no_event(origin: Origin, address: str) -> None:
    reader = Reader(address)
    await reader.has(1, "hello")
    for text in TEXTS:
        log.info("%s", text)
    log.info("the end")
    await until(lambda: any(one["message"] == "the end" for one in reader.named("log")))
    assert {event for event, _, _ in reader.events} == {"hello", "log"}
    assert reader.ids == list(range(reader.ids[0], reader.ids[0] + len(reader.ids)))
    await reader.leave()


async def test_a_hundred_streams_of_one_address_are_enough(origin: Origin, visitor: httpx2.AsyncClient) -> None:
    held = [origin.ring.hub.subscribe("127.0.0.1", lambda _entry: True) for _ in range(100)]
    answer = await visitor.get("/api/logs/stream")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
    for subscriber in held:
        origin.ring.hub.unsubscribe(subscriber)
