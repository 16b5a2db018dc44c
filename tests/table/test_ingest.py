import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fakes.waiting import eventually

from chimney.core.eventsource import EventParser
from chimney.core.log_filter import LogFilter
from chimney.instrumentation import Line
from chimney.store.local import LocalStore
from chimney.store.telemetry import Batch, Incoming
from chimney.table.ingest import OWN_QUEUE, Ingest
from chimney.web.hub import Hub
from chimney.web.loops import Supervisor


class Writing:
    def __init__(self, store: LocalStore) -> None:
        self.store = store
        self.hub = Hub()
        self.reported: list[str] = []
        self.ingest = Ingest(store, self.hub)
        self.ingest.reported = self.reported.append
        self.loops = Supervisor()
        self.loops.add("ingest", self.ingest.write)

    async def messages(self) -> list[str]:
        return [row.message for row in reversed((await self.store.read(LogFilter(), limit=500)).rows)]


@pytest.fixture
async def writing(tmp_path: Path) -> AsyncIterator[Writing]:
    store = LocalStore(tmp_path)
    await store.open()
    writing = Writing(store)
    writing.loops.start()
    yield writing
    await writing.loops.stop()
    await store.close()


def batch(*messages: str, source: str = "hel1", first: int = 1, **more: object) -> Batch:
    records = [json.dumps({"message": message, "level": "info", **more}).encode() for message in messages]
    return Batch(source, [Incoming(data, number) for number, data in enumerate(records, start=first)])


async def test_what_is_shown_is_stored_already(writing: Writing) -> None:
    stored_when_shown: list[int] = []
    subscriber = writing.hub.subscribe("x", lambda _: True)
    storing = asyncio.create_task(writing.ingest.store(batch("a", "b")))
    await subscriber.wait()
    shown = EventParser("").feed(subscriber.take())
    stored_when_shown.append(len(await writing.messages()))
    await storing
    assert [entry.event for entry in shown] == ["log", "log"]
    assert stored_when_shown == [2]
    assert str(writing.ingest.newest_id) == shown[-1].id


async def test_many_sources_share_a_commit(writing: Writing) -> None:
    await asyncio.gather(*(writing.ingest.store(batch("m", source=f"s{i}")) for i in range(50)))
    assert sum(writing.ingest.records.values()) == 50


async def test_a_full_disk_makes_batches_wait_in_order_and_it_goes_on_by_itself(writing: Writing) -> None:
    await writing.ingest.store(batch("before"))
    db = writing.store._vault._journal.connection()
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count={pages}")
    large = {f"field{number}": os.urandom(4000).hex() for number in range(9)}
    waiting = [asyncio.create_task(writing.ingest.store(batch("large", first=first, **large))) for first in range(2, 8)]
    await eventually(lambda: writing.ingest.full_since)
    assert await writing.messages() == ["before"], "what is stored stays readable"
    assert not any(task.done() for task in waiting)
    db.execute(f"PRAGMA max_page_count={2**30}")
    await asyncio.wait_for(asyncio.gather(*waiting), 5)
    rows = (await writing.store.read(LogFilter(source="hel1"), limit=500)).rows
    assert [row.origin_id for row in reversed(rows)] == [1, 2, 3, 4, 5, 6, 7]
    assert writing.ingest.full_since is None


async def test_a_failing_write_is_tried_again(writing: Writing) -> None:
    await writing.ingest.store(batch("a"))
    writing.store._vault._journal.connection().close()
    await asyncio.wait_for(writing.ingest.store(batch("b", first=2)), 5)
    assert await writing.messages() == ["a", "b"]


async def test_the_tables_own_records_are_kept_under_its_name(writing: Writing) -> None:
    lines = [
        Line(20, b'{"logger":"chimney.table.app","message":"started","level":"info"}'),
        Line(20, b'{"logger":"chimney.request","message":"GET / 200","level":"info"}'),
        Line(40, b'{"logger":"chimney.request","message":"GET / 500","level":"error"}'),
    ]
    await writing.ingest.take_own(lines)

    async def complete() -> bool:
        return await writing.messages() == ["started", "GET / 500"]

    await eventually(complete)
    (row, _) = (await writing.store.read(LogFilter(), limit=2)).rows
    assert (row.source, row.origin_id) == ("table", None)


async def test_its_own_records_never_wait_and_what_does_not_fit_is_counted(tmp_path: Path) -> None:
    ingest = Ingest(LocalStore(tmp_path), Hub())
    await ingest.take_own([Line(20, b"{}")] * (OWN_QUEUE + 5))
    assert ingest.own_dropped is not None
    assert ingest.own_dropped.count == 5


async def test_the_last_records_are_kept_when_the_table_ends(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    ingest = Ingest(store, Hub())
    await ingest.take_own([Line(20, b'{"message":"table stopped"}')])
    await ingest.write_last()
    assert [row.message for row in (await store.read(LogFilter(), limit=5)).rows] == ["table stopped"]
    await store.close()


async def test_panics_gaps_and_reports_are_noticed(writing: Writing) -> None:
    await writing.ingest.store(batch("panic in GET /", logger="chimney.web.recover", request_id="r1", level="error"))
    gap = Incoming(b'{"message":"1,204 records were gone","missed":1204}', kind="gap")
    await writing.ingest.store(Batch("hel1", [gap]))
    await writing.ingest.store(batch("POST", first=2, method="POST", route="/api/deploy/events"))
    assert writing.ingest.panics["hel1"].request_id == "r1"
    assert writing.ingest.gaps["hel1"].count == 1204
    assert writing.reported == ["hel1"]


async def test_a_new_run_recalls_what_findings_need(writing: Writing) -> None:
    await writing.ingest.store(batch("panic in GET /", logger="chimney.web.recover", level="error"))
    again = Ingest(writing.store, Hub())
    await again.recall()
    assert again.newest_id == writing.ingest.newest_id
    assert "hel1" in again.panics
