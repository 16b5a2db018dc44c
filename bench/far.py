"""Dragonfly (here a redis-server) killed, and paused, under load: no request fails, and how long it is felt.

Half of the requests ask for what nobody has asked for, so that the far tier is on their way. The p99 from two seconds
after it went is compared with the p99 before, in the same run; it is used again without a restart.
"""

import asyncio
import itertools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx2
from tests.fakes.dragonfly import Dragonfly
from tests.fakes.waiting import eventually

from bench.process import Measured, origin_with_standin
from bench.table import Row

BEFORE, AWAY, AFTER = 4.0, 6.0, 4.0
FELT_SECONDS = 2.0
PER_SECOND = 100
HOT = "/api/github/pulls?state=open"


class Seen(NamedTuple):
    at: float
    seconds: float
    status: int


class Visitors:
    """They ask at a steady rate whatever the answers take, a known path and an unknown one in turns."""

    def __init__(self, client: httpx2.AsyncClient, numbers: Iterator[int]) -> None:
        self._client = client
        self._numbers = numbers
        self.seen: list[Seen] = []

    async def ask(self, path: str) -> None:
        began = time.perf_counter()
        try:
            status = (await self._client.get(path)).status_code
        except httpx2.HTTPError:
            status = 0
        self.seen.append(Seen(began, time.perf_counter() - began, status))

    async def keep_up(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as asking:
            for number in self._numbers:
                cold = f"/api/github/issues?per_page={number % 100 + 1}&page={number // 100 + 1}"
                asking.create_task(self.ask(cold if number % 2 else HOT))
                await asyncio.sleep(1 / PER_SECOND)

    def p99_ms(self, since: float, until: float) -> float:
        waits = sorted(one.seconds for one in self.seen if since <= one.at < until)
        return waits[int(0.99 * len(waits))] * 1000


async def _connected(client: httpx2.AsyncClient) -> bool:
    return bool((await client.get("/healthz")).json()["dragonfly"]["status"] == "connected")


async def felt(origin: Measured, server: Dragonfly, how: str, numbers: Iterator[int]) -> list[Row]:
    limits = httpx2.Limits(max_connections=64)
    async with httpx2.AsyncClient(base_url=origin.address, timeout=20, limits=limits, trust_env=False) as client:
        await eventually(lambda: _connected(client), within=30)
        visitors = Visitors(client, numbers)
        asking = asyncio.create_task(visitors.keep_up())
        began = time.perf_counter()
        await asyncio.sleep(BEFORE)
        gone = time.perf_counter()
        await server.kill() if how == "killed" else server.pause()
        await asyncio.sleep(AWAY)
        back = time.perf_counter()
        await server.start() if how == "killed" else server.resume()
        await eventually(lambda: _connected(client), within=30)
        found = time.perf_counter()
        kept = len(await server.keys("*:r:*"))
        await asyncio.sleep(AFTER)
        more = len(await server.keys("*:r:*")) - kept
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    failed = [one for one in visitors.seen if one.status != 200]
    usual, away = visitors.p99_ms(began, gone), visitors.p99_ms(gone + FELT_SECONDS, back)
    worst = max(one.seconds for one in visitors.seen if one.at >= gone - 1) * 1000
    figures = f"before {usual:.1f} ms, first {FELT_SECONDS:.0f} s {visitors.p99_ms(gone, gone + FELT_SECONDS):.0f} ms"
    return [
        Row(f"{how}: failed of {len(visitors.seen):,}", f"longest {worst:.0f} ms", float(len(failed)), 0),
        Row(f"{how}: p99 after {FELT_SECONDS:.0f} s", f"{figures}, then {away:.1f} ms", away / usual, 1.5),
        Row(f"{how}: used again", f"connected {found - back:.1f} s after its return", float(more == 0), 0),
    ]


async def measure(folder: Path) -> list[Row]:
    server = Dragonfly(folder)
    await server.start()
    numbers = itertools.count()
    rows: list[Row] = []
    try:
        with origin_with_standin({"CHIMNEY_DRAGONFLY_URL": server.url}) as (origin, _):
            for how in ("killed", "paused"):
                rows += await felt(origin, server, how, numbers)
    finally:
        await server.close()
    return rows


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(measure(Path(folder)))
