from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.fakes.origin import FakeOrigin
from tests.fakes.waiting import eventually

from chimney.config import FollowedOrigin
from chimney.core.log_filter import LogFilter
from chimney.store.local import LocalStore
from chimney.store.telemetry import Place
from chimney.table.follow import Follower, new_place
from chimney.table.ingest import Ingest
from chimney.web.hub import Hub
from chimney.web.loops import Supervisor
from chimney.wire.event import Hello


class Following:
    """A follower and its ingest, running."""

    def __init__(self, store: LocalStore, client: httpx2.AsyncClient, origin: FakeOrigin, **more: Any) -> None:
        self.store = store
        self.ingest = Ingest(store, Hub())
        followed = FollowedOrigin(name="hel1", url=origin.url, **more)
        self.follower = Follower(followed, client=client, store=store, ingest=self.ingest)

    async def rows(self) -> list[tuple[str, str, int | None]]:
        found = await self.store.read(LogFilter(), limit=500)
        return [(row.kind, row.message, row.origin_id) for row in reversed(found.rows)]

    async def messages(self) -> list[str]:
        return [message for _, message, _ in await self.rows()]

    async def has(self, *messages: str) -> None:
        async def complete() -> bool:
            return await self.messages() == list(messages)

        await eventually(complete)


@asynccontextmanager
async def following(tmp_path: Path, origin: FakeOrigin, **more: Any) -> AsyncIterator[Following]:
    store = LocalStore(tmp_path)
    await store.open()
    loops = Supervisor()
    async with httpx2.AsyncClient() as client:
        one = Following(store, client, origin, **more)
        loops.add("ingest", one.ingest.write)
        loops.add("follow", one.follower.follow)
        loops.start()
        try:
            yield one
        finally:
            await loops.stop()
            await store.close()


async def test_what_the_origin_held_and_what_it_writes_is_stored_in_order(tmp_path: Path, origin: FakeOrigin) -> None:
    origin.log("a")
    async with following(tmp_path, origin) as one:
        await one.has("a")
        origin.log("b")
        await one.has("a", "b")
        assert one.follower.state().state == "connected"
        assert one.follower.state().last_id == 2


async def test_it_resumes_behind_the_last_record_that_is_stored(tmp_path: Path, origin: FakeOrigin) -> None:
    async with following(tmp_path, origin) as one:
        await eventually(lambda: origin.streams)
        for number in range(60):
            origin.log(f"m{number}")
            if number % 7 == 0:
                origin.cut()
        await one.has(*(f"m{number}" for number in range(60)))
        assert [number for _, _, number in await one.rows()] == list(range(1, 61))


async def test_a_restart_of_the_table_stores_nothing_twice(tmp_path: Path, origin: FakeOrigin) -> None:
    origin.log("a")
    async with following(tmp_path, origin) as one:
        await one.has("a")
    origin.log("b")
    async with following(tmp_path, origin) as one:
        await one.has("a", "b")
    assert origin.asked[-1] == "/api/logs/stream?last_event_id=1"


async def test_a_record_that_is_sent_twice_is_stored_once(tmp_path: Path, origin: FakeOrigin) -> None:
    origin.log("a")
    async with following(tmp_path, origin) as one:
        await one.has("a")
        origin.send(origin._frame(*origin.records[0]))
        origin.log("b")
        await one.has("a", "b")


async def test_a_new_start_of_the_origin_becomes_a_row(tmp_path: Path, origin: FakeOrigin) -> None:
    origin.log("a")
    async with following(tmp_path, origin) as one:
        await one.has("a")
        origin.restart("boot-2")
        await one.has("a", "hel1 restarted")
        origin.log("b")
        await one.has("a", "hel1 restarted", "b")
        assert [kind for kind, _, _ in await one.rows()] == ["log", "restart", "log"]
        origin.restart("boot-1")  # the other slot, met before
        origin.log("c")
        await one.has("a", "hel1 restarted", "b", "c")


async def test_records_that_are_gone_become_a_gap_row_once(tmp_path: Path, origin: FakeOrigin) -> None:
    origin.log("a")
    async with following(tmp_path, origin) as one:
        await one.has("a")
    origin.keep(1300, "b")
    origin.held = 1
    origin.log("c")
    for _ in range(2):
        async with following(tmp_path, origin) as one:
            await one.has("a", "1,299 records of hel1 were gone before they could be read", "c")
            sighting = one.ingest.gaps.get("hel1")
            assert sighting is None or sighting.count == 1299
    async with following(tmp_path, origin) as one:
        assert (await one.rows())[1][0] == "gap"


async def test_a_table_that_is_new_misses_nothing_it_never_had(tmp_path: Path, origin: FakeOrigin) -> None:
    origin.keep(5000, "a")
    async with following(tmp_path, origin) as one:
        await one.has("a")


async def test_the_gap_of_a_slow_reader_is_asked_for_again(tmp_path: Path, origin: FakeOrigin) -> None:
    async with following(tmp_path, origin) as one:
        await eventually(lambda: origin.streams)
        origin.send(b'event: gap\ndata: {"missed":3,"after_id":0,"before_id":4,"reason":"slow_reader"}\n\n')
        origin.cut()
        origin.log("a")
        await one.has("a")


async def test_an_origin_whose_folder_was_wiped_begins_a_new_epoch(tmp_path: Path, origin: FakeOrigin) -> None:
    for number in range(1, 4):
        origin.log(f"old{number}")
    async with following(tmp_path, origin) as one:
        await one.has("old1", "old2", "old3")
        origin.records.clear()
        origin.restart("boot-2")
        origin.log("new1")
        await one.has("old1", "old2", "old3", "hel1 restarted, its record ids begin anew", "new1")
        assert (await one.store.place("hel1")).epoch == 2


@pytest.mark.parametrize(
    ("place", "boot", "newest", "expected"),
    [
        (Place(1, 0, ()), "a", None, Place(1, 0, ("a",))),
        (Place(1, 5, ("a",)), "a", 3, Place(1, 5, ("a",))),  # the same process: its newest is what it was
        (Place(1, 5, ("a",)), "b", 5, Place(1, 5, ("a", "b"))),
        (Place(1, 5, ("a",)), "b", 4, Place(2, 0, ("a", "b"))),
        (Place(1, 5, ("a",)), "b", None, Place(2, 0, ("a", "b"))),
        (Place(3, 9, ("a", "b")), "a", 2, Place(3, 9, ("a", "b"))),  # two slots with rings of their own take turns
    ],
)
def test_where_to_go_on_from(place: Place, boot: str, newest: int | None, expected: Place) -> None:
    assert new_place(place, Hello(version="1", boot=boot, oldest_id=None, newest_id=newest)) == expected


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((401, {"content-type": "application/problem+json"}, b'{"detail":"a bearer token is needed"}'), "401"),
        ((404, {}, b""), "404"),
        ((200, {"content-type": "text/html"}, b"<html>"), "200 text/html"),
        ((308, {"location": "https://elsewhere"}, b""), "308"),
    ],
)
async def test_an_answer_that_is_no_stream_is_said_and_tried_again(
    tmp_path: Path, origin: FakeOrigin, answer: tuple[int, dict[str, str], bytes], error: str
) -> None:
    origin.answers["/api/logs/stream"] = answer
    async with following(tmp_path, origin) as one:
        await eventually(lambda: one.follower.state().state == "lost")
        assert (one.follower.state().error or "").startswith(error)
        origin.answers.clear()
        origin.log("a")
        await one.has("a")


async def test_the_read_token_is_sent(tmp_path: Path, origin: FakeOrigin) -> None:
    origin.token = "read-me"
    origin.log("a")
    async with following(tmp_path, origin, read_token="read-me") as one:
        await one.has("a")


@pytest.mark.parametrize(
    "raw",
    [
        b"event: hello\ndata: {\n\n",
        b"event: hello\ndata: " + b"[" * 50_000 + b"\n\n",
        b"event: gap\ndata: 7\n\n",
        b"event: log\nid: 99999999999999999999999\ndata: {}\n\n",
        b"event: unheard-of\ndata: x\n\n",
        b"\xff\xfe\x00 \r\r\n: : :\n",
    ],
)
async def test_garbage_from_an_origin_does_no_harm(tmp_path: Path, origin: FakeOrigin, raw: bytes) -> None:
    async with following(tmp_path, origin) as one:
        await eventually(lambda: origin.streams)
        origin.send(raw)
        origin.cut()
        origin.log("after")

        async def arrived() -> bool:
            return "after" in await one.messages()

        await eventually(arrived)


async def test_a_record_that_is_not_json_is_kept_all_the_same(tmp_path: Path, origin: FakeOrigin) -> None:
    async with following(tmp_path, origin) as one:
        await eventually(lambda: origin.streams)
        origin.send(b"id: 7\nevent: log\ndata: not json\n\n")
        await one.has("not json")


async def test_an_origin_that_is_not_there_is_tried_again(tmp_path: Path, origin: FakeOrigin) -> None:
    port = origin.port
    await origin.stop()
    async with following(tmp_path, origin) as one:
        await eventually(lambda: one.follower.state().state == "lost")
        await origin.start(port)
        origin.log("back")
        await one.has("back")
