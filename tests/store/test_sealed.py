"""What is sealed is found as what is not, and a segment takes the place of the journal's rows in one step."""

import asyncio
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.fakes.waiting import eventually
from tests.store.test_local_signals import NOW_MS, record, sample, span

from chimney.core.log_filter import FieldValue, LogFilter
from chimney.core.span_filter import SpanFilter
from chimney.store.frames import Signal
from chimney.store.local import LocalStore
from chimney.store.telemetry import Batch, Incoming
from chimney.store.vault import Limits
from chimney.wire.telemetry import SampleRow

ALL = LogFilter()
ROWS = 400
LIMITS = Limits(older_than_ms=dict.fromkeys(Signal, 0), max_bytes={None: 2**40})


async def seal(store: LocalStore) -> None:
    while await store.seal():
        pass


def batches() -> list[Batch]:
    """The same every time: logs of two sources, spans, samples."""
    chosen = random.Random(5)
    made = []
    for number in range(ROWS):
        ids = {"request_id": f"r-{number // 3}", "trace_id": f"{number // 5:032x}"}
        fields = {"path": f"/pulls/{number % 7}", "note": 'ÜBER 100% "quoted" c:\\x', "deep": {"ok": True, "n": number}}
        row = record(
            f"Got page {number % 11} für {number}",
            ts_ms=NOW_MS - (ROWS - number) * 1000,
            level=chosen.choice([10, 20, 20, 20, 30, 40]),
            service=chosen.choice(["shop", "cart"]),
            deployment=f"d{number // 100}",
            span_id=f"{number:016x}",
            severity="Information",
            fields=fields,
            **ids,
        )
        made.append(Batch(chosen.choice(["hel1", "nbg1"]), [row]))
    spans = [
        span(
            number,
            trace=number // 4,
            at_ms=NOW_MS - (ROWS - number) * 1000,
            service=chosen.choice(["shop", "cart"]),
            status=chosen.choice(["ok", "error", "unset"]),
            duration_ns=chosen.randrange(10**9),
            attributes={"a": "ü", "n": number},
            events=[{"name": "retry"}],
            parent_span_id=f"{number - 1:016x}" if number % 4 else None,
        )
        for number in range(ROWS)
    ]
    samples = [sample(float(n), at_ms=NOW_MS - n * 1000, code=str(200 + n % 3), host='a"b') for n in range(ROWS)]
    latency = SampleRow(
        name="latency",
        labels={},
        at_ms=NOW_MS,
        kind="histogram",
        value=3.0,
        source="shop",
        count=5,
        buckets=[(0.1, 2), (None, 5)],
    )
    samples.append(latency)
    return [*made, *(Batch("shop", spans=[one]) for one in spans), *(Batch("shop", samples=[one]) for one in samples)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[LocalStore, LocalStore]]:
    """The same rows, once not sealed at all, once in some segments and a rest."""
    hot = LocalStore(tmp_path_factory.mktemp("hot"))
    mixed = LocalStore(tmp_path_factory.mktemp("mixed"), seal_rows=120)
    await asyncio.gather(hot.open(), mixed.open())
    for batch in batches():
        await hot.append([batch])
        await mixed.append([batch])
        await seal(mixed)
    assert len(mixed._vault.kept.segments()) == 9
    yield hot, mixed
    await asyncio.gather(hot.close(), mixed.close())


WANTED = [
    ALL,
    LogFilter(level=40),
    LogFilter(source="hel1"),
    LogFilter(source="unknown"),
    LogFilter(service="cart", level=30),
    LogFilter(deployment="d1"),
    LogFilter(request_id="r-17"),
    LogFilter(request_id="r-9999"),
    LogFilter(trace_id=f"{12:032x}"),
    LogFilter(grep="GOT PAGE 10"),
    LogFilter(grep="FÜR 39"),
    LogFilter(grep="/pulls/6"),
    LogFilter(grep="path"),
    LogFilter(grep="deep"),
    LogFilter(grep="R-12"),
    LogFilter(grep="true"),
    LogFilter(grep='100% "quoted" C:\\'),
    LogFilter(grep="nowhere"),
    LogFilter(having=(FieldValue("path", "/pulls/6"), FieldValue("ok", "true"))),
    LogFilter(having=(FieldValue("n", "17"),), lacking=(FieldValue("path", "/pulls/1"),)),
    LogFilter(having=(FieldValue("deep", '{"ok":true,"n":17}'),)),
    LogFilter(having=(FieldValue("note", 'ÜBER 100% "quoted" c:\\x'),), level=40),
    LogFilter(having=(FieldValue("source", "hel1"), FieldValue("kind", "log"), FieldValue("revision", ""))),
    LogFilter(lacking=(FieldValue("level", "info"), FieldValue("request_id", "r-17"), FieldValue("trace_id", ""))),
    LogFilter(from_ms=NOW_MS - 200_000, to_ms=NOW_MS - 100_000),
    LogFilter(from_ms=NOW_MS - 90_000),
]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("wanted", WANTED)
async def test_records_are_found_alike(both: tuple[LocalStore, LocalStore], wanted: LogFilter) -> None:
    hot, mixed = both
    expected = await hot.read(wanted, limit=500)
    assert await mixed.read(wanted, limit=500) == expected
    assert (await mixed.read(wanted, limit=7)).rows == expected.rows[:7]
    ids = [row.id for row in expected.rows]
    if len(ids) > 30:
        page = await mixed.read(wanted, limit=10, before=ids[20], after=ids[25])
        assert [row.id for row in page.rows] == ids[21:25]
    timed = LogFilter(**{**_given(wanted), "from_ms": NOW_MS - 500_000, "to_ms": NOW_MS + 1})
    assert await mixed.histogram(timed, width_ms=60_000) == await hot.histogram(timed, width_ms=60_000)
    assert await mixed.facets(timed) == await hot.facets(timed)


def _given(wanted: LogFilter) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in wanted.__struct_fields__}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "wanted",
    [
        SpanFilter(),
        SpanFilter(service="cart", status="error"),
        SpanFilter(name="nothing"),
        SpanFilter(least_ns=500_000_000, most_ns=700_000_000),
        SpanFilter(from_ms=NOW_MS - 300_000, to_ms=NOW_MS - 100_000),
    ],
)
async def test_traces_are_found_alike(both: tuple[LocalStore, LocalStore], wanted: SpanFilter) -> None:
    hot, mixed = both
    before = None
    for _ in range(4):
        expected = await hot.traces(wanted, limit=30, before=before)
        assert await mixed.traces(wanted, limit=30, before=before) == expected
        before = expected.next
    assert await mixed.trace(f"{3:032x}") == await hot.trace(f"{3:032x}")
    assert await mixed.services() == await hot.services()


@pytest.mark.asyncio(loop_scope="module")
async def test_samples_are_found_alike(both: tuple[LocalStore, LocalStore]) -> None:
    hot, mixed = both
    for name, labels in (("requests", {}), ("requests", {"code": "201", "host": 'a"b'}), ("latency", {})):
        for from_ms, to_ms in ((0, 2**50), (NOW_MS - 100_000, NOW_MS - 50_000)):
            expected = await hot.samples(name, labels, from_ms=from_ms, to_ms=to_ms)
            assert await mixed.samples(name, labels, from_ms=from_ms, to_ms=to_ms) == expected
    assert await mixed.label_values("requests", "code") == ["200", "201", "202"]
    assert await mixed.metrics() == await hot.metrics()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_search_of_segments_is_cut_short_by_its_deadline(
    both: tuple[LocalStore, LocalStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, mixed = both
    monkeypatch.setattr(mixed, "_read_seconds", 0.0)
    found = await mixed.read(LogFilter(grep="nowhere"), limit=10)
    assert (found.rows, found.more, found.partial) == ([], True, True)


def incoming(first: int, count: int) -> Batch:
    return Batch("hel1", [Incoming(b'{"message":"r %d"}' % number, number) for number in range(first, first + count)])


async def opened(folder: Path, **more: Any) -> LocalStore:
    store = LocalStore(folder, **{"seal_rows": 100, "read_seconds": 60.0, **more})
    await store.open()
    return store


async def held(store: LocalStore) -> list[int | None]:
    """Ids of the source, oldest first."""
    return [row.origin_id for row in reversed((await store.read(ALL, limit=10_000)).rows)]


async def test_a_record_is_known_also_when_it_is_sealed(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    await store.append([incoming(1, 250)])
    await seal(store)
    assert await store.append([incoming(200, 52)]) != []
    await store.close()
    again = await opened(tmp_path)
    assert await again.append([incoming(1, 251)]) == []
    assert await held(again) == list(range(1, 252))
    await again.close()


async def test_a_start_with_segments_has_the_engine_ready_before_the_first_search(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    assert store._engine._db is None
    await store.append([incoming(1, 100)])
    await seal(store)
    await store.close()
    again = await opened(tmp_path)
    await eventually(lambda: again._engine._db is not None)
    await again.close()


async def test_many_unsealed_rows_are_sealed_a_segment_at_a_time(tmp_path: Path) -> None:
    store = await opened(tmp_path, seal_rows=10**6)
    for first in (1, 1_001, 2_001):
        await store.append([incoming(first, 1_000)])
    await store.close()
    again = await opened(tmp_path, seal_rows=900)
    await seal(again)
    assert [one.rows for one in again._vault.kept.segments()] == [1_000] * 3
    assert await held(again) == list(range(1, 3_001))
    await again.close()


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "empty"])
async def test_a_damaged_segment_is_set_aside_and_its_rows_are_asked_for_again(tmp_path: Path, damage: str) -> None:
    store = await opened(tmp_path)
    for first in (1, 101, 201):
        await store.append([incoming(first, 100)])
        await seal(store)
    await store.close()
    file = _segments(tmp_path)[1]
    _harm(file, damage)
    again = await opened(tmp_path)
    await again.verify()
    assert again.damage is not None
    assert file.name in again.damage
    assert "100 log rows" in again.damage
    assert await held(again) == [*range(1, 101), *range(201, 301)]
    if damage != "gone":
        assert [one.name for one in (tmp_path / "segments").iterdir() if ".corrupt-" in one.name]
    assert (await again.place("hel1")).last_id == 0
    assert len(await again.append([incoming(1, 300)])) == 100
    assert sorted(number or 0 for number in await held(again)) == list(range(1, 301))
    await again.close()


def _segments(folder: Path) -> list[Path]:
    return sorted((folder / "segments").glob("log-*.parquet"))


def _harm(file: Path, damage: str) -> None:
    if damage == "gone":
        file.unlink()
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:-100])
    else:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 4
        file.write_bytes(content)


async def test_a_search_that_meets_a_damaged_segment_answers_with_the_rest(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    for first in (1, 101):
        await store.append([incoming(first, 100)])
        await seal(store)
    await store.close()
    _harm(_segments(tmp_path)[0], "flip")
    again = await opened(tmp_path)
    assert await held(again) == list(range(101, 201))
    await again.size()
    assert again.damage
    await again.close()


async def test_without_the_journal_segments_are_taken_in_and_ids_go_on(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    await store.append([incoming(1, 100)])
    await seal(store)
    last = (await store.read(ALL, limit=1)).rows[0].id
    await store.close()
    for name in ("journal.sqlite", "journal.sqlite-wal"):
        (tmp_path / name).write_bytes(b"no database at all" * 100)
    again = await opened(tmp_path)
    assert again.damage
    assert await held(again) == list(range(1, 101))
    assert (await again.append([incoming(500, 1)]))[0].row.id > last
    await again.close()


async def test_a_file_whose_rows_are_in_the_journal_is_left_over_of_a_sealing(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    await store.append([incoming(1, 100)])
    chunks = store._vault.due(Signal.LOG)
    store._files.seal(Signal.LOG, chunks)
    await store.close()
    again = await opened(tmp_path)
    assert await held(again) == list(range(1, 101))
    assert list((tmp_path / "segments").glob("*.parquet")) == []
    await again.close()


async def test_the_oldest_segments_go_when_there_is_too_much_or_they_are_too_old(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    for first in range(1, 501, 100):
        await store.append([incoming(first, 100)])
        await seal(store)
    whole = (await store.size()).bytes
    less = Limits(older_than_ms=dict.fromkeys(Signal, 0), max_bytes={None: whole - 10})
    assert await store.retain(less)
    assert not await store.retain(less)
    assert await held(store) == list(range(101, 501))
    of_logs = Limits(older_than_ms=dict.fromkeys(Signal, 0), max_bytes={None: 2**40, Signal.LOG: 1})
    while await store.retain(of_logs):
        pass
    assert await held(store) == []
    assert not list((tmp_path / "segments").iterdir())
    assert (await store.place("hel1")).last_id == 500
    await store.close()


async def test_with_little_room_on_the_disk_only_what_is_older_than_a_day_goes(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    two_days_ago = NOW_MS - 2 * 86_400_000
    for ts_ms in (two_days_ago, NOW_MS):
        await store.append([Batch("shop", [record("x", ts_ms=ts_ms) for _ in range(100)])])
        await seal(store)
    short = Limits(older_than_ms=dict.fromkeys(Signal, 0), max_bytes={None: 2**40}, free_bytes=2**60)
    assert await store.retain(short)
    assert not await store.retain(short)
    assert len((await store.read(ALL, limit=500)).rows) == 100
    await store.close()


async def test_a_full_disk_while_sealing_leaves_the_rows_in_the_journal(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    await store.append([incoming(1, 100)])
    (tmp_path / "segments").write_text("in the way")
    with pytest.raises(Exception, match="cannot seal"):
        await store.seal()
    assert await held(store) == list(range(1, 101))
    (tmp_path / "segments").unlink()
    assert await store.seal()
    assert await held(store) == list(range(1, 101))
    await store.close()


_WRITER = """
import asyncio, sys
from pathlib import Path
from chimney.store.local import LocalStore
from chimney.store.telemetry import Batch, Incoming

async def main():
    store = LocalStore(Path(sys.argv[1]), seal_rows=300)
    await store.open()
    async def sealing():
        while True:
            await store.seal()
            await asyncio.sleep(0.001)
    task = asyncio.create_task(sealing())
    last = (await store.place("hel1")).last_id
    for first in range(last + 1, last + 10_000_000, 50):
        records = [Incoming(b'{"message": "r"}', number) for number in range(first, first + 50)]
        await store.append([Batch("hel1", records)])
        print(first + 49, flush=True)

asyncio.run(main())
"""


def test_kill_9_while_rows_are_sealed_loses_none_and_stores_none_twice(tmp_path: Path) -> None:
    acked = 0
    chosen = random.Random(3)
    for _ in range(5):
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for _ in range(chosen.randrange(10, 120)):
            acked = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        acked = max([acked, *(int(line) for line in writer.stdout.read().split("\n")[:-1])])
        writer.wait()
        writer.stdout.close()
    ids = asyncio.run(_all_held(tmp_path))
    assert ids == list(range(1, len(ids) + 1))
    assert len(ids) >= acked


async def _all_held(folder: Path) -> list[int | None]:
    store = await opened(folder)
    assert store.damage is None
    assert store._vault.kept.segments()
    rows = [row.origin_id for row in reversed((await store.read(ALL, limit=10**6)).rows)]
    await store.close()
    return rows


@pytest.mark.parametrize("what", ["journal.sqlite", "segments"])
def test_after_damages_at_random_it_starts_and_says_what_may_be_missing(tmp_path: Path, what: str) -> None:
    """Eight of each; forty of each were tried by hand."""
    whole = tmp_path / "whole"
    whole.mkdir()
    asyncio.run(_filled(whole))
    chosen = random.Random(what)
    for number in range(8):
        folder = tmp_path / str(number)
        shutil.copytree(whole, folder)
        files = [folder / what] if (folder / what).is_file() else sorted((folder / what).glob("*.parquet"))
        file = chosen.choice(files)
        content = bytearray(file.read_bytes())
        place = chosen.randrange(len(content))
        end = len(content) if number % 4 == 3 else min(place + chosen.choice([1, 600]), len(content))
        content[place:end] = bytes(end - place) if number % 2 else chosen.randbytes(end - place)
        file.write_bytes(content)
        began = time.monotonic()
        kept, damage = asyncio.run(_survey(folder))
        assert time.monotonic() - began < 30
        assert damage is not None or kept == 1_000, "what is missing is told"
        shutil.rmtree(folder)


async def _filled(folder: Path) -> None:
    store = await opened(folder)
    for first in range(1, 1_001, 50):
        await store.append([incoming(first, 50)])
        if first < 600:
            await seal(store)
    await store.close()


async def _survey(folder: Path) -> tuple[int, str | None]:
    store = await opened(folder, seal_rows=10**6)
    await store.verify()
    kept = len((await store.read(ALL, limit=5_000)).rows)
    await store.size()
    await store.close()
    return kept, store.damage
