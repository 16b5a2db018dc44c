"""SIGKILL under ingest, again and again: no record that was acked is lost, and none is there twice.

`BENCH_KILLS` times, 20 unless said; the figure that is promised is for 200, with 1,000,000 records and more.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench.process import ROOT
from bench.table import Row
from chimney.core.log_filter import LogFilter
from chimney.store.local import LocalStore

KILLS = int(os.environ.get("BENCH_KILLS", "20"))
SEAL_ROWS = 50_000
AT_ONCE = 500
_WRITER = f"""
import asyncio, sys
from pathlib import Path
from chimney.store.local import LocalStore
from chimney.store.telemetry import Batch, Incoming

async def main():
    store = LocalStore(Path(sys.argv[1]), seal_rows={SEAL_ROWS})
    await store.open()
    async def sealing():
        while True:
            await store.seal()
            await asyncio.sleep(0.01)
    task = asyncio.create_task(sealing())
    last = (await store.place("hel1")).last_id
    print(last, flush=True)
    for first in range(last + 1, 10**12, {AT_ONCE}):
        records = [
            Incoming(b'{{"message": "GET /api/orders took %d ms", "path": "/api/orders"}}' % number, number)
            for number in range(first, first + {AT_ONCE})
        ]
        await store.append([Batch("hel1", records)])
        print(first + {AT_ONCE} - 1, flush=True)

asyncio.run(main())
"""


def life(folder: Path, lines: int) -> int:
    """The last record that was acked before the process was killed."""
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert writer.stdout is not None
    acked = 0
    for _ in range(lines):
        acked = int(writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    rest = writer.stdout.read().split("\n")[:-1]
    writer.wait()
    writer.stdout.close()
    return max([acked, *map(int, rest)])


async def survey(folder: Path) -> tuple[int, int, int, str | None, float]:
    """Records, the highest id of the source, how many are there more than once, damage, seconds of the start."""
    began = time.perf_counter()
    store = LocalStore(folder, read_seconds=600)
    await store.open()
    took = time.perf_counter() - began
    seen: Counter[int] = Counter()
    before = None
    while True:
        found = await store.read(LogFilter(), limit=20_000, before=before)
        seen.update(row.origin_id or 0 for row in found.rows)
        if not found.more:
            break
        before = found.rows[-1].id
    damage = store.damage
    await store.close()
    return len(seen), max(seen), sum(count - 1 for count in seen.values()), damage, took


def run() -> list[Row]:
    chosen = random.Random(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        acked = 0
        for _ in range(KILLS):
            acked = max(acked, life(folder, chosen.randrange(2, 40)))
        records, highest, twice, damage, took = asyncio.run(survey(folder))
    return [
        Row("kills", f"{KILLS}, {acked:,} records acked, {records:,} found"),
        Row("acked records lost", f"ids 1 to {highest:,}", float(max(acked, highest) - records), 0),
        Row("records there twice", "", float(twice), 0),
        Row("damaged files", damage or "none", float(damage is not None), 0),
        Row("last start, s", "", took, 5),
    ]
