"""Starting a table over a million rows that are not sealed: ready, and its page usable."""

import asyncio
import json
import tempfile
import time
import urllib.request
from pathlib import Path

from bench.process import running
from bench.table import Row
from bench.telemetry import records
from chimney.store.local import LocalStore
from chimney.store.telemetry import Batch

ROWS = 1_000_000
AT_ONCE = 2_000
PATHS = ("/healthz", "/api/overview", "/api/logs?limit=100", "/api/logs/histogram")


async def fill(folder: Path) -> None:
    store = LocalStore(folder, seal_rows=2 * ROWS)
    await store.open()
    batch = []
    for record in records(ROWS, first_ms=int(time.time() * 1000) - 3_600_000, span_ms=3_600_000):
        batch.append(record)
        if len(batch) == AT_ONCE:
            await store.append([Batch("shop", batch)])
            batch = []
    await store.close()


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(fill(folder))
        settings = {"CHIMNEY_TABLE_DATA_DIR": str(folder), "CHIMNEY_TABLE_PASSWORD": "bench"}
        began = time.perf_counter()
        with running("chimney", "table", "--listen", "127.0.0.1:0", environ=settings) as table:
            ready = time.perf_counter() - began
            token = (folder / "cli.token").read_text().strip()
            kept, began = 0, time.perf_counter()
            for path in PATHS:
                request = urllib.request.Request(table.address + path, headers={"authorization": f"Bearer {token}"})
                with urllib.request.urlopen(request, timeout=30) as answer:
                    told = json.load(answer)
                    kept = told.get("rows", 0) if path == "/healthz" else kept
            usable = time.perf_counter() - began
    return [
        Row("ready, s", f"{kept:,} rows, none of them sealed", ready, 5),
        Row("page usable, s", "what it asks for first, one after the other", usable, 2),
    ]
