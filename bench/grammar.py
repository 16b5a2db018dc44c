"""Generated paths and queries through a whole origin: what the stand-in sees, and where the token goes.

GRAMMAR_INPUTS of them (default 100,000), hostile and harmless pieces joined at random, GRAMMAR_SEED for others. One
answer in twenty is a redirect out of GitHub. Not one request may leave the grammar, and none may leave the host.
"""

import asyncio
import io
import os
import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
from tests.fakes.hostile import HOSTILE, PIECES, SENSITIVE, within_the_grammar

from bench.table import Row
from chimney.config import OriginSettings
from chimney.core.freshness import DEFAULT
from chimney.instrumentation import LogPipe, install
from chimney.origin.app import Origin
from chimney.standin.app import Standin, StandinSettings

INPUTS = int(os.environ.get("GRAMMAR_INPUTS", "100000"))
SEED = int(os.environ.get("GRAMMAR_SEED", "1"))
TOKEN = "ghp_of_the_bench"
GITHUB = "api.github.test"
ELSEWHERE = (
    "https://evil.test/x",
    "http://169.254.169.254/latest",
    f"http://{GITHUB}/repos/acme/rocket",
    "//evil.test",
    f"https://{GITHUB}@evil.test/",
)
PREFIXES = (b"/api/github/", b"/api/v3/", b"/api/v3/repos/acme/rocket/", b"/api/github/acme/rocket/")
RIGHT = (
    b"pulls/#",
    b"issues/#/comments",
    b"actions/runs/#/jobs",
    b"deployments/#/statuses",
    b"commits/*",
    b"branches/*",
    b"compare/*...main",
    b"releases/tags/*",
    b"actions/workflows/*/runs",
    b"commits/#abc/check-runs",
)
NAMES = (b"state", b"per_page", b"page", b"labels", b"branch", b"sha", b"access_token", b"client_secret", b"", b"ref")
VALUES = (b"open", b"1", b"100", b"%26page=9", b"%0d%0aHost:evil", b"%00", b"\xff", b"main", b"..", b"999999", b"%2f")


class Spy(httpx2.AsyncBaseTransport):
    """The way to the stand-in; everything that goes over it is looked at."""

    def __init__(self, github: Standin, dice: random.Random) -> None:
        self._to = httpx2.ASGITransport(github.asgi)
        self._dice = dice
        self.asked = 0
        self.outside: list[str] = []
        self.leaked: list[str] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        path = request.url.raw_path.partition(b"?")[0].decode("latin-1")
        if request.url.host != GITHUB or request.url.scheme != "https":
            self.leaked.append(str(request.url))
        if not within_the_grammar(path):
            self.outside.append(path)
        if self._dice.random() < 0.05:
            return httpx2.Response(302, headers={"location": self._dice.choice(ELSEWHERE)})
        return await self._to.handle_async_request(request)


def path_of(dice: random.Random) -> bytes:
    return dice.choice(PREFIXES) + (nearly_right(dice) if dice.random() < 0.5 else below(dice))


def nearly_right(dice: random.Random) -> bytes:
    """A path of the grammar with a number or a ref, of which a byte may be another."""
    filled = dice.choice(RIGHT).replace(b"#", b"%d" % dice.randrange(10_000))
    if b"*" in filled:
        filled = filled.replace(b"*", bytes(dice.choices(b"abz09._-/%2fF", k=dice.randrange(1, 12))))
    if dice.random() < 0.3:
        at = dice.randrange(len(filled))
        filled = filled[:at] + dice.choice(PIECES) + filled[at + 1 :]
    return filled


def below(dice: random.Random) -> bytes:
    known = [one.encode() for one in SENSITIVE] + HOSTILE
    parts = [dice.choice(PIECES) if dice.random() < 0.8 else dice.randbytes(dice.randrange(6)) for _ in range(6)]
    return b"/".join(parts[: dice.randrange(1, 7)]) if dice.random() < 0.8 else dice.choice(known)


def query_of(dice: random.Random) -> bytes:
    pairs = (dice.choice(NAMES) + b"=" + dice.choice(VALUES) for _ in range(dice.randrange(3)))
    return b"&".join(pairs) if dice.random() < 0.5 else b""


async def ask(origin: Origin, path: bytes, query: bytes) -> int:
    status = 0

    async def send(event: Any) -> None:
        nonlocal status
        status = event.get("status", status)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path.decode("utf-8", "replace"),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"origin.localhost")],
        "client": ("127.0.0.1", 5),
        "server": ("origin.localhost", 80),
    }
    await origin(scope, receive, send)
    return status


async def measure(folder: Path) -> list[Row]:
    dice = random.Random(SEED)
    pipe = LogPipe(io.TextIOWrapper(io.BytesIO()))
    install(pipe, "error")
    github = Standin(StandinSettings(repo="acme/rocket", speed=0, rate_limit=10_000_000))
    spy = Spy(github, dice)
    settings = OriginSettings(
        repo="acme/rocket",
        github_token=TOKEN,
        github_api_url=f"https://{GITHUB}",
        data_dir=folder,
        lifetimes={DEFAULT: 1},
    )
    origin = Origin(settings, pipe, transport=spy)
    statuses: Counter[int] = Counter()
    await github.start()
    await origin.start()
    for _ in range(INPUTS):
        statuses[await ask(origin, path_of(dice), query_of(dice))] += 1
    await origin.drain()
    await origin.stop()
    await github.stop()
    said = ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))
    return [
        Row("inputs", f"{INPUTS:,} with seed {SEED}; answered {said}"),
        Row("asked upstream", f"{spy.asked:,}", float(not spy.asked), 0),
        Row("outside the grammar", "; ".join(spy.outside[:3]), float(len(spy.outside)), 0),
        Row("to another host", "; ".join(spy.leaked[:3]), float(len(spy.leaked)), 0),
        Row("failures of our own", "", float(sum(statuses[status] for status in (0, 500))), 0),
    ]


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(measure(Path(folder)))
