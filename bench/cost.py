"""What a record and a search cost as more is kept: 1, 10 and 100 origins, 1 and 10 million records, in processor time.

Ingest for each record is to stay flat, searches to grow no faster than what they must read. `BENCH_RECORDS` is the
larger set, 10,000,000 unless said; the smaller is a tenth of it.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import islice
from pathlib import Path

from bench.ingest import followed_line
from bench.search import AT_ONCE, DAY_MS, DAYS, HOUR_MS
from bench.table import Row
from bench.telemetry import records
from chimney.core.log_filter import LogFilter
from chimney.core.records import Record
from chimney.store.local import LocalStore
from chimney.store.telemetry import Batch, Incoming

RECORDS = int(os.environ.get("BENCH_RECORDS", "10000000"))
TIMES = 10  # the larger set to the smaller
ORIGINS = (1, 10, 100)
OF_ORIGINS = 250_000
FLAT = 1.3
LINEAR = 1.2 * TIMES  # what is not sealed yet costs less, and is a larger part of the smaller set
LEAST_MS = 10  # of less than this no growth is judged
ROUNDS = 5


async def sealed(store: LocalStore) -> None:
    while await store.seal():
        pass


async def of_origins(count: int) -> float:
    """Microseconds for a record of so many origins that are followed, 2,000 records a transaction, sealing among it."""
    with tempfile.TemporaryDirectory() as folder:
        store = LocalStore(Path(folder), seal_rows=OF_ORIGINS // 4)
        await store.open()
        each = AT_ONCE // count
        used = 0.0
        for first in range(1, OF_ORIGINS // count, each):
            batches = [_batch(origin, range(first, first + each)) for origin in range(count)]
            began = time.process_time()
            await store.append(batches)
            await sealed(store)
            used += time.process_time() - began
        stored = (await store.size()).rows
        await store.close()
    return used / stored * 1e6


def _batch(origin: int, numbers: range) -> Batch:
    """Ids of requests are like none of another origin."""
    rows = [Incoming(followed_line(origin * 10**9 + number), number) for number in numbers]
    return Batch(f"origin{origin}", rows)


async def append(store: LocalStore, made: Iterator[Record], count: int) -> tuple[float, Record]:
    """Microseconds for each, what made them and sealing among it; the last one."""
    used = time.process_time()
    last: Record | None = None
    for _ in range(count // AT_ONCE):
        batch = list(islice(made, AT_ONCE))
        last = batch[-1]
        await store.append([Batch("shop", batch)])
        await sealed(store)
    assert last is not None
    return (time.process_time() - used) / count * 1e6, last


async def used_by(ask: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds of the processors, the median."""
    took = []
    for _ in range(ROUNDS):
        used = time.process_time()
        await ask()
        took.append((time.process_time() - used) * 1000)
    return statistics.median(took)


def searches(store: LocalStore, last: Record, first_ms: int) -> dict[str, Callable[[], Awaitable[object]]]:
    now_ms = last.ts_ms + 1
    wanted = {
        "text, last hour": LogFilter(grep="customer 77", from_ms=now_ms - HOUR_MS),
        "text, everything, 100 hits": LogFilter(grep="customer 77"),
        "text that is not there": LogFilter(grep="no such text anywhere"),
        "number that is not there": LogFilter(grep="customer 77123"),
        "id as a text": LogFilter(grep=last.request_id),
        "request id": LogFilter(request_id=last.request_id),
    }
    day = LogFilter(from_ms=now_ms - DAY_MS, to_ms=now_ms)
    whole = LogFilter(from_ms=first_ms, to_ms=now_ms)
    return {
        **{name: lambda one=one: store.read(one, limit=100) for name, one in wanted.items()},  # type: ignore[misc]
        "histogram of a day": lambda: store.histogram(day, width_ms=DAY_MS // 60),
        "histogram of everything": lambda: store.histogram(whole, width_ms=DAYS * DAY_MS // 60),
    }


async def of_records(folder: Path) -> list[Row]:
    """The store grows on from the smaller set to the larger; both are asked the same."""
    store = LocalStore(folder, read_seconds=600)
    await store.open()
    first_ms = int(time.time() * 1000) - DAYS * DAY_MS
    made = records(RECORDS, first_ms=first_ms, span_ms=DAYS * DAY_MS)
    less = RECORDS // TIMES
    few_us, last = await append(store, made, less)
    few = {name: await used_by(ask) for name, ask in searches(store, last, first_ms).items()}
    await append(store, made, RECORDS - 2 * less)
    many_us, last = await append(store, made, less)
    many = {name: await used_by(ask) for name, ask in searches(store, last, first_ms).items()}
    await store.close()
    figures = f"{few_us:.1f} µs each of the first {less:,}, {many_us:.1f} µs of the last of {RECORDS:,}"
    rows = [Row("ingest: last / first", figures, many_us / few_us, FLAT)]
    for name, ms in few.items():
        times = max(many[name], LEAST_MS) / max(ms, LEAST_MS)
        rows.append(
            Row(f"{name}: times", f"{ms:.0f} ms of {less:,}, {many[name]:.0f} ms of {RECORDS:,}", times, LINEAR)
        )
    return rows


def run() -> list[Row]:
    asyncio.run(of_origins(1))  # the engine is loaded
    costs = {count: asyncio.run(of_origins(count)) for count in ORIGINS}
    rows = [
        Row(f"{count} origins: cost of a record to that of one origin", f"{us:.1f} µs", us / costs[1], FLAT)
        for count, us in costs.items()
    ]
    with tempfile.TemporaryDirectory() as folder:
        return [*rows, *asyncio.run(of_records(Path(folder)))]
