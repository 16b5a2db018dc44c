import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chimney.core.log_filter import LogFilter
from chimney.store.errors import NewerSchemaError, StorageFailedError, StorageFullError
from chimney.store.frames import Signal
from chimney.store.intake import BOOTS_KEPT
from chimney.store.local import LocalStore
from chimney.store.telemetry import Batch, Incoming, Place
from chimney.store.vault import Limits

ALL = LogFilter()
HOUR_MS = 3_600_000


def record(number: int, *, at_ms: int | None = None, **more: object) -> Incoming:
    ts = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime((at_ms or time.time() * 1000) / 1000)) + "Z"
    data = {"ts": ts, "level": "info", "message": f"record {number}", "logger": "test", **more}
    return Incoming(json.dumps(data).encode(), number)


def batch(*numbers: int, source: str = "hel1", place: Place | None = None) -> Batch:
    return Batch(source, [record(number) for number in numbers], place)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[LocalStore]:
    store = LocalStore(tmp_path)
    await store.open()
    yield store
    await store.close()


def limits(*, older_than_ms: int = 0, max_bytes: int = 2**40, free_bytes: int = 0) -> Limits:
    return Limits(
        older_than_ms=dict.fromkeys(Signal, older_than_ms), max_bytes={None: max_bytes}, free_bytes=free_bytes
    )


async def messages(store: LocalStore, wanted: LogFilter = ALL) -> list[str]:
    return [row.message for row in (await store.read(wanted, limit=500)).rows]


async def test_what_was_stored_is_read_newest_first(store: LocalStore) -> None:
    stored = await store.append([batch(1, 2, 3)])
    assert [one.row.origin_id for one in stored] == [1, 2, 3]
    assert await messages(store) == ["record 3", "record 2", "record 1"]
    assert json.loads(stored[0].data)["id"] == stored[0].row.id


async def test_a_record_that_is_held_already_is_not_stored_again(store: LocalStore) -> None:
    await store.append([batch(1, 2)])
    again = await store.append([batch(1, 2, 3), batch(1, source="nbg1")])
    assert [(one.row.source, one.row.origin_id) for one in again] == [("hel1", 3), ("nbg1", 1)]


async def test_records_without_an_id_of_their_own_are_all_kept(store: LocalStore) -> None:
    await store.append([Batch("table", [Incoming(b"{}"), Incoming(b"{}")])])
    assert (await store.size()).rows == 2


async def test_the_place_moves_with_the_records_and_survives_a_restart(store: LocalStore, tmp_path: Path) -> None:
    assert await store.place("hel1") == Place(1, 0, ())
    await store.append([batch(4, 7, place=Place(1, 3, ("boot",)))])
    await store.append([batch(5)])
    await store.close()
    reopened = LocalStore(tmp_path)
    assert await reopened.place("hel1") == Place(1, 7, ("boot",))
    await reopened.close()


async def test_a_new_epoch_keeps_records_whose_ids_began_anew(store: LocalStore) -> None:
    await store.append([batch(1, 2)])
    stored = await store.append([batch(1, place=Place(2, 0, ("b2",)))])
    assert len(stored) == 1
    assert (await store.place("hel1")).last_id == 1


async def test_only_the_last_starts_of_a_source_are_remembered(store: LocalStore) -> None:
    await store.append([batch(place=Place(1, 0, tuple(str(i) for i in range(100))))])
    boots = (await store.place("hel1")).boots
    assert len(boots) == BOOTS_KEPT
    assert boots[-1] == "99"


async def test_pages_follow_each_other_without_overlap(store: LocalStore) -> None:
    await store.append([batch(*range(1, 26))])
    seen: list[int | None] = []
    before = None
    while True:
        found = await store.read(ALL, limit=10, before=before)
        seen += [row.origin_id for row in found.rows]
        if not found.more:
            break
        before = found.rows[-1].id
    assert seen == list(range(25, 0, -1))


async def test_rows_after_an_id_only(store: LocalStore) -> None:
    ids = [one.row.id for one in await store.append([batch(1, 2, 3)])]
    assert [row.id for row in (await store.read(ALL, limit=9, after=ids[1])).rows] == [ids[2]]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (LogFilter(level=30), ["b"]),
        (LogFilter(source="nbg1"), ["c"]),
        (LogFilter(source="unknown"), []),
        (LogFilter(request_id="r-1"), ["a"]),
        (LogFilter(trace_id="t-1"), ["b"]),
        (LogFilter(grep="PULLS"), ["a"]),
        (LogFilter(grep="100%"), ["b"]),
        (LogFilter(grep="1_0"), []),
        (LogFilter(grep='"quoted"'), ["b"]),
        (LogFilter(grep="übel"), ["c"]),
        (LogFilter(grep="ÜBEL"), ["c"]),
        (LogFilter(grep="path"), []),
        (LogFilter(grep="\\"), ["c"]),
    ],
)
async def test_filters_mean_the_same_as_on_a_live_stream(
    store: LocalStore, wanted: LogFilter, expected: list[str]
) -> None:
    rows = [
        Batch("hel1", [record(1, message="a", path="/pulls", request_id="r-1")]),
        Batch("hel1", [record(2, message="b", level="error", note='100% "quoted"', trace_id="t-1")]),
        Batch("nbg1", [record(1, message="c", note="übel c:\\x")]),
    ]
    stored = await store.append(rows)
    assert await messages(store, wanted) == expected
    assert [one.row.message for one in stored if wanted.accepts(one.row)] == expected


async def test_a_time_range_includes_its_beginning_and_not_its_end(store: LocalStore) -> None:
    now_ms = int(time.time()) * 1000
    await store.append([Batch("hel1", [record(i, at_ms=now_ms - i * HOUR_MS) for i in (3, 2, 1)])])
    wanted = LogFilter(from_ms=now_ms - 2 * HOUR_MS, to_ms=now_ms - HOUR_MS)
    assert await messages(store, wanted) == ["record 2"]
    assert await messages(store, LogFilter(from_ms=now_ms - 2 * HOUR_MS)) == ["record 1", "record 2"]


async def test_a_histogram_counts_by_time_and_level(store: LocalStore) -> None:
    now_ms = int(time.time()) * 1000
    rows = [record(1, at_ms=now_ms - 3000), record(2, at_ms=now_ms - 1000, level="error", x="yes")]
    await store.append([Batch("hel1", rows)])
    wanted = LogFilter(from_ms=now_ms - 4000, to_ms=now_ms)
    counted, partial = await store.histogram(wanted, width_ms=2000)
    assert ([one.counts for one in counted.buckets], counted.width_seconds, partial) == (
        [{"info": 1}, {"error": 1}],
        2,
        False,
    )
    sought, _ = await store.histogram(LogFilter(from_ms=now_ms - 4000, to_ms=now_ms, grep="yes"), width_ms=2000)
    assert [one.counts for one in sought.buckets] == [{}, {"error": 1}]


async def test_a_search_is_cut_short_by_its_deadline_and_says_so(store: LocalStore, tmp_path: Path) -> None:
    await store.append([batch(*range(1, 3_001))])
    await store.close()
    hurried = LocalStore(tmp_path, read_seconds=0.0)
    await hurried.open()
    found = await hurried.read(LogFilter(grep="not there"), limit=10)
    assert found.partial
    assert found.more
    _, partial = await hurried.histogram(LogFilter(from_ms=0, to_ms=2**50), width_ms=2**49)
    assert partial
    await hurried.close()


async def test_a_full_disk_refuses_the_whole_batch_and_everything_stays_readable(store: LocalStore) -> None:
    await store.append([batch(1)])
    db = store._vault._journal.connection()
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count={pages + 5}")
    large = Batch("hel1", [record(number, text=os.urandom(500).hex()) for number in range(2, 200)])
    with pytest.raises(StorageFullError):
        await store.append([large])
    assert await messages(store) == ["record 1"]
    assert (await store.place("hel1")).last_id == 1
    db.execute(f"PRAGMA max_page_count={2**30}")
    assert len(await store.append([large])) == 198


async def test_a_failing_file_is_opened_anew(store: LocalStore) -> None:
    await store.append([batch(1)])
    store._vault._journal.connection().close()  # every statement fails from here on
    with pytest.raises(StorageFailedError):
        await store.append([batch(2)])
    assert len(await store.append([batch(2)])) == 1


async def damaged(file: Path, records: int, *offsets: int) -> int:
    """A journal whose pages are overwritten; returns the id of its last row."""
    store = LocalStore(file.parent)
    last = 0
    for first in range(1, records + 1, 50):
        rows = [record(number, text=os.urandom(60).hex()) for number in range(first, first + 50)]
        last = (await store.append([Batch("hel1", rows)]))[-1].row.id
    await store.close()
    with file.open("r+b") as stream:
        for offset in offsets:
            stream.seek(offset)
            stream.write(random.Random(offset).randbytes(600))
    return last


@pytest.mark.parametrize("offset", [0, 20, 100, 4096, 8200, 12_288])
async def test_a_damaged_file_is_set_aside_and_a_new_one_begun(tmp_path: Path, offset: int) -> None:
    file = tmp_path / "journal.sqlite"
    last = await damaged(file, 300, offset)
    store = LocalStore(file.parent)
    await store.open()
    assert store.damage is not None
    assert [name for name in os.listdir(tmp_path) if name.startswith("journal.sqlite.corrupt-")]  # noqa: PTH208
    stored = await store.append([batch(10_001)])
    assert stored[0].row.id > last, "ids grow for ever, so that no reader takes new records for known ones"
    await store.close()
    again = LocalStore(file.parent)
    await again.open()
    assert again.damage is None
    await again.close()


async def test_everything_but_the_damaged_pages_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "journal.sqlite"
    await damaged(file, 5000, 200_000)
    store = LocalStore(file.parent)
    await store.open()
    assert store.damage is not None
    kept = (await store.read(ALL, limit=9999)).rows
    assert 4900 < len(kept) < 5000
    assert "50 records in journal.sqlite were damaged" in store.damage
    again = await store.append([batch(*range(1, 5001))])
    ids = {row.origin_id for row in kept} | {one.row.origin_id for one in again}
    assert ids >= set(range(1, 5001)), "what was lost is stored when the origin tells it again"
    assert len(again) < 100
    await store.close()


async def test_a_file_of_a_later_version_is_refused_politely(tmp_path: Path) -> None:
    file = tmp_path / "journal.sqlite"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    store = LocalStore(file.parent)
    with pytest.raises(NewerSchemaError, match="later version of chimney"):
        await store.open()
    await store.close()
    assert file.exists()


async def test_records_that_are_too_old_are_shown_no_more(store: LocalStore) -> None:
    now_ms = int(time.time() * 1000)
    old = [record(i, at_ms=now_ms - HOUR_MS) for i in range(1, 501)]
    await store.append([Batch("hel1", [record(9999, at_ms=now_ms), *old])])
    await store.retain(limits(older_than_ms=now_ms - HOUR_MS // 2))
    assert await messages(store) == ["record 9999"]


async def test_the_oldest_records_go_when_there_is_too_much(store: LocalStore) -> None:
    for start in range(1, 3001, 500):
        records = [record(i, text=os.urandom(300).hex()) for i in range(start, start + 500)]
        await store.append([Batch("hel1", records)])
    before = (await store.size()).bytes
    steps = 0
    while await store.retain(limits(max_bytes=600_000)):
        steps += 1
    assert steps > 1
    assert (await store.size()).bytes <= 600_000 < before
    assert (await messages(store))[0] == "record 3000"
    assert (await store.place("hel1")).last_id == 3000


_WRITER = """
import asyncio, sys
from pathlib import Path
from chimney.store.local import LocalStore
from chimney.store.telemetry import Batch, Incoming

async def main():
    store = LocalStore(Path(sys.argv[1]))
    last = (await store.place("hel1")).last_id
    for first in range(last + 1, last + 10_000_000, 7):
        records = [Incoming(b'{"message": "r"}', number) for number in range(first, first + 7)]
        await store.append([Batch("hel1", records)])
        print(first + 6, flush=True)

asyncio.run(main())
"""


def test_kill_9_of_the_writer_loses_no_acked_record_and_stores_none_twice(tmp_path: Path) -> None:
    acked = 0
    for lines in (1, 40, 15):
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for _ in range(lines):
            acked = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        acked = max([acked, *(int(line) for line in writer.stdout.read().split("\n")[:-1])])
        writer.wait()
        writer.stdout.close()
    ids = asyncio.run(_stored(tmp_path))
    assert ids == list(range(len(ids), 0, -1))
    assert len(ids) >= acked


async def _stored(folder: Path) -> list[int | None]:
    store = LocalStore(folder)
    await store.open()
    assert store.damage is None
    rows = (await store.read(ALL, limit=10**6)).rows
    await store.close()
    return [row.origin_id for row in rows]
