"""A simulated day of GitHub through the cache: 50 viewers that poll every 15 s, 300 changes, signed webhooks.

Time is simulated (`time.time` of this process), the stand-in and the origin are whole and in process. Charged requests
beyond the first fetch of each path: at most one a change, none in an hour without a change. With webhooks it is real
time how long a change takes to show, from the change to the first answer that has it; without them, and when one was
lost, it is simulated time. Beside it, by arithmetic: the same day under fixed lifetimes without conditional requests.
"""

import asyncio
import gc
import io
import json
import logging
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from bench.table import Row
from chimney.config import OriginSettings
from chimney.core.freshness import PATCHED, Lifetimes
from chimney.core.grammar import Kind
from chimney.instrumentation import LogPipe, install
from chimney.origin.app import Origin
from chimney.standin.app import Standin, StandinSettings

DAY, HOUR, POLL, VIEWERS, CHANGES = 86_400, 3600, 15.0, 50, 300
WITHOUT = 60  # changes without webhooks
SECRET = "bench"
GITHUB = OriginSettings().github_api_url
PULLS, ISSUES, RUNS, RELEASES = (
    "pulls?state=open",
    "issues?state=open",
    "actions/runs?per_page=20",
    "releases?per_page=5",
)
PAGE = {PULLS: Kind.PULLS, ISSUES: Kind.ISSUES, RUNS: Kind.RUNS, RELEASES: Kind.RELEASES}
ACTS = (("open_pr", PULLS), ("finish_run", RUNS), ("open_bug", ISSUES), ("merge_pr", PULLS), ("release", RELEASES))


class Day:
    """The whole arrangement, its clock and what was seen. `opaque`: GitHub's entity tags cannot be computed."""

    def __init__(self, folder: Path, *, webhooks: bool = True, opaque: bool = False) -> None:
        self.now = time.time()
        self._real = time.time
        self._opaque = opaque
        self._told = 0
        self.deaf = False
        self.waits: list[float] = []
        self.quiet_charges: list[int] = []
        self.polls = 0
        time.time = lambda: self.now
        pipe = LogPipe(io.TextIOWrapper(io.BytesIO()))
        install(pipe, "error")
        self._relay = httpx2.AsyncClient(transport=httpx2.ASGITransport(self._to_origin))
        settings = StandinSettings(
            repo="acme/rocket",
            speed=0,
            webhook="http://origin/api/webhooks/github" if webhooks else None,
            secret=SECRET,
            rate_limit=1_000_000,
        )
        self.github = Standin(settings, real=lambda: self.now, client=self._relay)
        self.origin = Origin(
            OriginSettings(
                repo="acme/rocket", github_token="bench", webhook_secret=SECRET if webhooks else None, data_dir=folder
            ),
            pipe,
            transport=httpx2.ASGITransport(self.github.asgi),
        )
        self.visitor = httpx2.AsyncClient(transport=httpx2.ASGITransport(self.origin), base_url="http://origin")
        self.operator = httpx2.AsyncClient(transport=httpx2.ASGITransport(self.github.asgi), base_url=GITHUB)

    async def _to_origin(self, scope: Any, receive: Any, send: Any) -> None:
        if self.deaf:
            raise httpx2.ConnectError("lost on its way")
        self._told += 1
        await self.origin(scope, receive, send)

    async def begin(self) -> None:
        await self.github.start()
        if self._opaque:
            await self.operator.post("/_standin/faults", content=b'{"opaque_etags": true}')
        await self.origin.start()
        await self.poll()
        await asyncio.sleep(0.5)  # the summary is warmed, and GitHub's ping came before we listened
        self._told = self.origin.events.counts["webhook"]

    async def charged(self) -> int:
        return int((await self.operator.get("/_standin/stats")).json()["charged"])

    async def look(self, path: str) -> bytes:
        return (await self.visitor.get(f"/api/github/{path}")).content

    async def act(self, act: str) -> None:
        asked: dict[str, object] = {"do": act}
        if act == "finish_run":  # one that viewers see
            runs = json.loads(await self.look(RUNS))["workflow_runs"]
            asked["id"] = next(run["id"] for run in runs if run["status"] != "completed")
        (await self.operator.post("/_standin/do", content=json.dumps(asked))).raise_for_status()

    async def settle(self, paths: Iterable[str] = PAGE) -> None:
        """Until all is fresh and every delivery worked off, for which the simulated time leaves no time."""
        for path in paths:
            while "stale" in (await self.visitor.get(f"/api/github/{path}")).headers["cache-status"]:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        while not self._all_told():  # noqa: ASYNC110 — a bench may poll
            await asyncio.sleep(0.001)

    def _all_told(self) -> bool:
        under_way = any(one.status == "pending" for one in self.github.hook.deliveries)
        return not under_way and self.origin.events.counts["webhook"] >= self._told

    async def change(self, number: int) -> None:
        """One change, and the real seconds until a viewer sees it."""
        act, path = ACTS[number % len(ACTS)]
        await self.settle()
        before = await self.look(path)
        began = time.monotonic()
        await self.act(act)
        while await self.look(path) == before and time.monotonic() - began < 5:  # noqa: ASYNC110 — a viewer polls
            await asyncio.sleep(0.002)
        self.waits.append(time.monotonic() - began)
        await self.settle()
        await self.visitor.get(
            "/api/pipeline/summary"
        )  # whose answers else only the warming loop asks for, by real time

    async def poll(self) -> None:
        """One visitor in fifty goes the whole way; the other forty-nine get the same stored answer."""
        for path in PAGE:
            await self.look(path)
        self.polls += VIEWERS * len(PAGE)

    async def live(self) -> int:
        """The day; returns the requests charged after the first fetch of each path."""
        first = hour = await self.charged()
        every, done = int(DAY / 12 / POLL), 0
        for tick in range(int(DAY / POLL)):
            self.now += POLL
            busy = (tick // every) % 2 == 0  # two hours with changes, two without
            if busy and done < CHANGES and tick % every % (every * 6 // CHANGES) == 0:
                await self.change(done)
                done += 1
            await self.poll()
            if (tick + 1) % int(HOUR / POLL) == 0:
                charged = await self.charged()
                if not busy:
                    self.quiet_charges.append(charged - hour)
                hour = charged
        return await self.charged() - first

    async def until_seen(self, path: str, *, step: float) -> float:
        """The simulated seconds until viewers who ask every `step` seconds see another answer under `path`."""
        before, began = await self.look(path), self.now
        while await self.look(path) == before and self.now - began < 2 * PATCHED.max_age:
            self.now += step
            await self.settle([path])
        return self.now - began

    async def unheard(self, number: int) -> tuple[str, float]:
        """A change that no webhook tells of, at any moment of a lifetime; how long it stays unseen."""
        act, path = ACTS[number % len(ACTS)]
        await self.settle()
        self.now += lifetime(path) * (number * 0.618 % 1)
        self.deaf = True
        await self.act(act)
        await asyncio.sleep(0.01)
        seen = await self.until_seen(path, step=POLL / VIEWERS if not self.github.hook.url else POLL)
        self.deaf = False
        return path, seen

    async def lost(self) -> float:
        """After changes of each kind, one of which no webhook tells: the longest that it stays unseen."""
        unseen = []
        for number in range(len(ACTS)):
            await self.change(number)
            for _ in range(10):
                self.now += POLL
                await self.settle()
            await self.change(number)
            unseen.append((await self.unheard(number))[1])
        return max(unseen)

    async def end(self) -> None:
        time.time = self._real
        await self.origin.drain()
        await self.origin.stop()
        await self.github.stop()


@asynccontextmanager
async def day(*, webhooks: bool = True, opaque: bool = False) -> AsyncIterator[Day]:
    with tempfile.TemporaryDirectory() as folder:
        one = Day(Path(folder), webhooks=webhooks, opaque=opaque)
        try:
            await one.begin()
            yield one
        finally:
            await one.end()


def lifetime(path: str) -> float:
    return Lifetimes().policy(PAGE[path], path.partition("?")[2]).max_age


def fixed_lifetimes() -> int:
    """Requests of the same day when every answer is fetched anew at the end of its lifetime."""
    return sum(int(DAY / max(POLL, lifetime(path))) for path in PAGE)


async def with_webhooks() -> list[Row]:
    async with day() as one:
        charged = await one.live()
    changes = len(one.waits)
    p95 = statistics.quantiles(one.waits, n=20)[18]
    return [
        Row("polls of 50 viewers", f"{one.polls:,}"),
        Row("fixed lifetimes, no conditions", f"{fixed_lifetimes():,} charged"),
        Row("charged a change", f"{charged} charged, {changes} changes", charged / max(1, changes), 1.0),
        Row("charged in an hour without a change", f"{len(one.quiet_charges)} hours", max(one.quiet_charges), 0.0),
        Row("change to visible, p95 seconds", f"median {statistics.median(one.waits):.3f} s", p95, 1.0),
    ]


async def without_webhooks() -> list[Row]:
    async with day(webhooks=False) as one:
        unseen = [await one.unheard(number) for number in range(WITHOUT)]
    seconds = [seen for _, seen in unseen]
    shares = [seen / lifetime(path) for path, seen in unseen]
    told = f"median {statistics.median(seconds):.0f} s, p95 {statistics.quantiles(seconds, n=20)[18]:.0f} s"
    return [Row("no webhooks: unseen, p95 in lifetimes", told, statistics.quantiles(shares, n=20)[18], 1.0)]


async def lost_webhooks() -> list[Row]:
    longest = max(map(lifetime, PAGE))
    async with day() as one:
        seconds = await one.lost()
    async with day(opaque=True) as one:
        hour = await one.lost()
    return [
        Row("a lost webhook: longest unseen, seconds", f"longest lifetime {longest:g} s", seconds, longest + 2 * POLL),
        Row("  the same, tags not computable", "an hour, then GitHub is asked", hour, PATCHED.max_age + 2 * POLL),
    ]


async def simulate() -> list[Row]:
    return [*await with_webhooks(), *await without_webhooks(), *await lost_webhooks()]


def run() -> list[Row]:
    handlers, level = logging.root.handlers[:], logging.root.level
    try:
        return asyncio.run(simulate())
    finally:
        logging.root.handlers[:], logging.root.level = handlers, level
        gc.collect()
