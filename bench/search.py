"""Searching what is kept: text, ids, histograms, over unsealed rows and segments; what a record costs on the disk.

`BENCH_RECORDS` is how many are kept, 1,000,000 unless said; the figures that are promised are for 10,000,000. With
`BENCH_FOLDER` the set is left there and used again the next time: times are then asked as of when it was made.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from bench.table import Row
from bench.telemetry import records
from chimney.core.log_filter import LogFilter
from chimney.store.local import LocalStore
from chimney.store.telemetry import Batch

RECORDS = int(os.environ.get("BENCH_RECORDS", "1000000"))
FOLDER = os.environ.get("BENCH_FOLDER")
DAYS = 7
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
AT_ONCE = 2_000


class Filled(msgspec.Struct):
    """How a set was made; the ids are of a record in its middle."""

    count: int
    seconds: float
    now_ms: int
    request_id: str
    trace_id: str


async def filled(store: LocalStore, folder: Path, count: int) -> Filled:
    """The set in the folder, made when it is not there."""
    note = folder / "filled.json"
    if note.exists():
        return msgspec.json.decode(note.read_bytes(), type=Filled)
    made = await fill(store, count)
    note.write_bytes(msgspec.json.encode(made))
    return made


async def fill(store: LocalStore, count: int) -> Filled:
    began = time.perf_counter()
    now_ms = int(time.time() * 1000)
    first_ms = now_ms - DAYS * DAY_MS
    batch, ids, stored = [], ("", ""), 0
    for record in records(count, first_ms=first_ms, span_ms=DAYS * DAY_MS):
        batch.append(record)
        if len(batch) == AT_ONCE:
            stored += len(await store.append([Batch("shop", batch)]))
            if stored >= count // 2 and not ids[0]:
                ids = record.request_id or "", record.trace_id or ""
            batch = []
            while await store.seal():
                pass
    await store.append([Batch("shop", batch)])
    return Filled(count, time.perf_counter() - began, now_ms, *ids)


async def timed(ask: Callable[[], Awaitable[object]], times: int = 5) -> tuple[float, object]:
    """The median in milliseconds, and the answer."""
    took = []
    answer: object = None
    for _ in range(times):
        began = time.perf_counter()
        answer = await ask()
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)[times // 2], answer


def sizes(folder: Path) -> tuple[int, int]:
    """Bytes of the segments, and of the write-ahead log."""
    segments = sum(file.stat().st_size for file in (folder / "segments").iterdir())
    return segments, (folder / "journal.sqlite-wal").stat().st_size


async def measure(folder: Path, count: int) -> list[Row]:
    store = LocalStore(folder, read_seconds=60)
    await store.open()
    made = await filled(store, folder, count)
    count, now_ms = made.count, made.now_ms
    kept, wal = sizes(folder)
    size = await store.size()
    searches: list[tuple[str, LogFilter, float]] = [
        ("text, last hour", LogFilter(grep="customer 77", from_ms=now_ms - HOUR_MS), 100),
        ("text, everything, 100 hits", LogFilter(grep="customer 77"), 300),
        ("text that is not there", LogFilter(grep="no such text anywhere"), 3_000),
        ("request id", LogFilter(request_id=made.request_id), 100),
        ("trace id", LogFilter(trace_id=made.trace_id), 100),
        ("errors, everything, 100", LogFilter(level=40), 300),
        ("newest page", LogFilter(), 100),
    ]
    rows = [
        Row("stored", f"{count:,} records in {made.seconds:.0f} s, {count / made.seconds:,.0f}/s sealed as they come"),
        Row(
            "bytes a record",
            f"{kept / 1e6:.0f} MB sealed, {wal / 1e6:.0f} MB write-ahead log",
            size.bytes / count,
            40,
        ),
    ]
    for name, wanted, most in searches:
        took, found = await timed(lambda wanted=wanted: store.read(wanted, limit=100))  # type: ignore[misc]
        rows.append(Row(f"{name}, ms", f"{len(found.rows)} rows", took, most))  # type: ignore[attr-defined]
    day = LogFilter(from_ms=now_ms - DAY_MS, to_ms=now_ms)
    took, _ = await timed(lambda: store.histogram(day, width_ms=DAY_MS // 60))
    rows.append(Row("histogram of a day, ms", "", took, 200))
    whole = LogFilter(from_ms=now_ms - DAYS * DAY_MS, to_ms=now_ms)
    took, _ = await timed(lambda: store.histogram(whole, width_ms=DAYS * DAY_MS // 60), 3)
    rows.append(Row("histogram of everything, ms", "", took))
    await store.close()
    return rows


def run() -> list[Row]:
    if FOLDER:
        return asyncio.run(measure(Path(FOLDER), RECORDS))
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(measure(Path(folder), RECORDS))
