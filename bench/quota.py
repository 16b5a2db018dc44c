"""A simulated day of GitHub through the cache: 50 viewers that poll every 15 s, 300 changes, signed webhooks.

Time is simulated (`time.time` of this process), the stand-in and the origin are whole and in process. Charged requests
beyond the first fetch of each path: at most one a change, none in an hour without a change. How long a change takes to
show is real time, from the change to the first answer that has it. Beside it, by arithmetic: the same day under fixed
lifetimes without conditional requests.
"""

import asyncio
import gc
import io
import json
import logging
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2

from bench.table import Row
from chimney.config import OriginSettings
from chimney.core.freshness import Lifetimes
from chimney.core.grammar import Kind
from chimney.instrumentation import LogPipe, install
from chimney.origin.app import Origin
from chimney.standin.app import Standin, StandinSettings

DAY, POLL, VIEWERS, CHANGES = 86_400, 15, 50, 300
SECRET = "bench"
PAGE = (
    ("pulls?state=open", Kind.PULLS),
    ("issues?state=open", Kind.ISSUES),
    ("actions/runs?per_page=20", Kind.RUNS),
    ("releases?per_page=5", Kind.RELEASES),
)
ACTS = (("open_pr", "pulls?state=open"), ("open_bug", "issues?state=open"), ("release", "releases?per_page=5"))


class Day:
    """The whole arrangement, its clock and what was seen."""

    def __init__(self, folder: Path) -> None:
        self.now = time.time()
        self._real = time.time
        self.waits: list[float] = []
        self.quiet_charges: list[int] = []
        self.polls = 0
        time.time = lambda: self.now
        pipe = LogPipe(io.TextIOWrapper(io.BytesIO()))
        install(pipe, "error")
        relay = httpx2.AsyncClient(transport=httpx2.ASGITransport(self._to_origin))
        settings = StandinSettings(
            repo="acme/rocket",
            speed=0,
            webhook="http://origin/api/webhooks/github",
            secret=SECRET,
            rate_limit=1_000_000,
        )
        self.github = Standin(settings, real=lambda: self.now, client=relay)
        self.origin = Origin(
            OriginSettings(repo="acme/rocket", github_token="bench", webhook_secret=SECRET, data_dir=folder),
            pipe,
            transport=httpx2.ASGITransport(self.github.asgi),
        )
        self.visitor = httpx2.AsyncClient(transport=httpx2.ASGITransport(self.origin), base_url="http://origin")
        self.operator = httpx2.AsyncClient(transport=httpx2.ASGITransport(self.github.asgi), base_url="http://github")

    async def _to_origin(self, scope: Any, receive: Any, send: Any) -> None:
        await self.origin(scope, receive, send)

    async def charged(self) -> int:
        return int((await self.operator.get("/_standin/stats")).json()["charged"])

    async def look(self, path: str) -> bytes:
        return (await self.visitor.get(f"/api/github/{path}")).content

    async def change(self, number: int) -> None:
        """One change, and the real seconds until a viewer sees it."""
        act, path = ACTS[number % len(ACTS)]
        before = await self.look(path)
        began = time.monotonic()
        await self.operator.post("/_standin/do", content=json.dumps({"do": act}))
        while await self.look(path) == before and time.monotonic() - began < 5:  # noqa: ASYNC110 — a viewer polls
            await asyncio.sleep(0.002)
        self.waits.append(time.monotonic() - began)

    async def poll(self) -> None:
        """One visitor in fifty goes the whole way; the other forty-nine get the same stored answer."""
        for path, _kind in PAGE:
            await self.look(path)
        self.polls += VIEWERS * len(PAGE)

    async def live(self) -> int:
        """The day; returns the requests charged after the first fetch of each path."""
        await self.github.start()
        await self.origin.start()
        await self.poll()
        await asyncio.sleep(0.5)
        first = hour = await self.charged()
        every, done = DAY // 12 // POLL, 0
        for tick in range(DAY // POLL):
            self.now += POLL
            busy = (tick // every) % 2 == 0  # two hours with changes, two without
            if busy and done < CHANGES and tick % every % (every * 6 // CHANGES) == 0:
                await self.change(done)
                done += 1
            await self.poll()
            if (tick + 1) % (3600 // POLL) == 0:
                charged = await self.charged()
                if not busy:
                    self.quiet_charges.append(charged - hour)
                hour = charged
        return await self.charged() - first

    async def end(self) -> None:
        time.time = self._real
        await self.origin.drain()
        await self.origin.stop()
        await self.github.stop()


def fixed_lifetimes() -> int:
    """Requests of the same day when every answer is fetched anew at the end of its lifetime."""
    return sum(int(DAY / max(POLL, Lifetimes().policy(kind, path).max_age)) for path, kind in PAGE)


async def simulate() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        day = Day(Path(folder))
        try:
            charged = await day.live()
        finally:
            await day.end()
    changes = len(day.waits)
    p95 = statistics.quantiles(day.waits, n=20)[18]
    return [
        Row("polls of 50 viewers", f"{day.polls:,}"),
        Row("fixed lifetimes, no conditions", f"{fixed_lifetimes():,} charged"),
        Row("charged a change", f"{charged} charged, {changes} changes", charged / max(1, changes), 1.0),
        Row("charged in an hour without a change", f"{len(day.quiet_charges)} hours", max(day.quiet_charges), 0.0),
        Row("change to visible, p95 seconds", f"median {statistics.median(day.waits):.3f} s", p95, 1.0),
    ]


def run() -> list[Row]:
    handlers, level = logging.root.handlers[:], logging.root.level
    try:
        return asyncio.run(simulate())
    finally:
        logging.root.handlers[:], logging.root.level = handlers, level
        gc.collect()
