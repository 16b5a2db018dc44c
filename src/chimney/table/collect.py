"""What the table asks of one origin beside its health: its edge, version, metrics, and deployments that it missed.

Each question has its own pace, waits longer after failures, and remembers its last success. While the origin itself
does not answer nothing is asked: its probe says why.
"""

import asyncio
import itertools
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from urllib.parse import quote

import httpx2
import msgspec

from chimney.config import FollowedOrigin
from chimney.core.exposition import MOST_SAMPLES, samples_of
from chimney.core.redact import safe
from chimney.core.visitors import Visitors, reading
from chimney.store.errors import StoreError
from chimney.store.telemetry import Batch
from chimney.table.ingest import Ingest
from chimney.table.probe import classify
from chimney.table.turnstile import Turn, at_once
from chimney.wire.base import Page, stamp
from chimney.wire.deployment import Deployment
from chimney.wire.edge import Edge, TailState, Trouble
from chimney.wire.health import Version
from chimney.wire.origin import CollectorState
from chimney.wire.probe import ProbedOrigin
from chimney.wire.telemetry import SampleRow

DEADLINE_SECONDS = 10.0
LARGEST = 4 * 1024**2
EDGE_SECONDS, NO_EDGE_SECONDS = 5.0, 60.0
EDGES_A_SECOND = 40  # of a thousand origins with an edge each is asked every 25 s
HISTORY_SECONDS, NO_HISTORY_SECONDS = 10.0, 120.0
VERSION_SECONDS = 60.0
LONGEST_WAIT = 300.0
PAGE_SIZE = 200
MOST_PAGES = 25
_jitter = random.Random()  # noqa: S311 — spreads questions
log = logging.getLogger(__name__)
T = TypeVar("T")
Heard = Callable[[str, Sequence[Deployment]], bool]


def edges_every(origins: int) -> float:
    return max(EDGE_SECONDS, origins / EDGES_A_SECOND)


class CollectError(Exception):
    """Nothing was had; the message says why."""


class Question:
    """One thing that is asked again and again, every `seconds` while it goes well."""

    def __init__(self, name: str, seconds: float) -> None:
        self.name = name
        self.seconds = seconds
        self._failures = 0
        self._last: float | None = None
        self._error: str | None = None

    def well(self) -> float:
        """Returns the wait."""
        self._failures, self._error, self._last = 0, None, time.time()
        return self.seconds * _jitter.uniform(0.9, 1.1)

    def ill(self, error: Exception) -> float:
        """Returns the wait, longer after each failure."""
        self._failures = min(self._failures + 1, 10)
        self._error = str(error)
        return min(LONGEST_WAIT, self.seconds * 2.0**self._failures) * _jitter.uniform(0.8, 1.2)

    def state(self) -> CollectorState:
        late = None if self._last is None else round(max(0.0, time.time() - self._last), 1)
        last = stamp(self._last) if self._last else None
        return CollectorState(name=self.name, last_success_at=last, lag_seconds=late, error=self._error)


class Collector:
    """One origin. `edge` and `version` are the last answers, None before the first. `reachable` is its probe's word."""

    def __init__(
        self,
        origin: FollowedOrigin,
        *,
        client: httpx2.AsyncClient,
        ingest: Ingest,
        scrape_seconds: float,
        reachable: Callable[[], bool],
        deployed: Heard,
        turn: Turn = at_once,
        edge_seconds: float = EDGE_SECONDS,
    ) -> None:
        self._turn = turn
        self.changed: Callable[[], None] = lambda: None
        self._edge_seconds = edge_seconds
        self.origin = origin
        self._client = client
        self._ingest = ingest
        self._reachable = reachable
        self._deployed = deployed
        self.edge: Edge | None = None
        self.version: Version | None = None
        self.visitors = Visitors()
        self.history: tuple[ProbedOrigin, ...] = ()
        self._asks_edge = Question("edge", edge_seconds)
        self._asks_history = Question("history", HISTORY_SECONDS)
        self._asks_version = Question("version", VERSION_SECONDS)
        self._scrapes = Question("metrics", scrape_seconds)
        self._catches_up = Question("deployments", LONGEST_WAIT)

    @property
    def has_edge_log(self) -> bool:
        return self.edge is not None and self.edge.access_log.state is not TailState.NOT_CONFIGURED

    def states(self) -> list[CollectorState]:
        asked = (self._asks_edge, self._asks_version, self._scrapes, self._catches_up, self._asks_history)
        return [one.state() for one in asked]

    async def ask_edge(self) -> float:
        async def ask() -> None:
            self.edge = await self._json("/api/edge", Edge)
            none = self.edge.trouble is Trouble.NOT_CONFIGURED
            self._asks_edge.seconds = NO_EDGE_SECONDS if none else self._edge_seconds

        return await self._ask(self._asks_edge, ask)

    async def ask_history(self) -> float:
        """How the addresses are that the origin probes."""

        async def ask() -> None:
            self.history = tuple((await self._json("/api/health/history?limit=1", Page[ProbedOrigin])).items)
            self._asks_history.seconds = HISTORY_SECONDS if self.history else NO_HISTORY_SECONDS

        return await self._ask(self._asks_history, ask)

    async def ask_version(self) -> float:
        async def ask() -> None:
            self.version = await self._json("/api/version", Version)

        return await self._ask(self._asks_version, ask)

    async def catch_up(self) -> float:
        """Deployments of while the table was away: page by page, until one is known."""

        async def ask() -> None:
            before = ""
            for _ in range(MOST_PAGES):
                page = await self._json(f"/api/deploy/events?limit={PAGE_SIZE}{before}", Page[Deployment])
                if not self._deployed(self.origin.name, page.items) or page.next is None:
                    return
                before = f"&before={quote(page.next, safe='')}"

        return await self._ask(self._catches_up, ask)

    async def scrape(self) -> float:
        async def ask() -> None:
            body = await self._get("/api/metrics", "text/plain;version=0.0.4")
            at_ms = int(time.time() * 1000)
            rows = await asyncio.to_thread(read_metrics, body, self.origin.name, at_ms)
            self.visitors.note(reading(rows, at_ms=at_ms))
            try:
                await self._ingest.offer(Batch(self.origin.name, samples=rows))
            except StoreError as error:
                raise CollectError(f"not stored: {error}") from None

        return await self._ask(self._scrapes, ask)

    async def _ask(self, question: Question, ask: Callable[[], Awaitable[None]]) -> float:
        if not self._reachable():
            return min(question.seconds, 2.0) * _jitter.uniform(0.8, 1.2)
        try:
            await ask()
        except CollectError as error:
            return question.ill(error)
        finally:
            self.changed()
        return question.well()

    async def _json(self, path: str, answer: type[T]) -> T:
        body = await self._get(path, "application/json")
        try:
            return msgspec.json.decode(body, type=answer)
        except (msgspec.DecodeError, RecursionError) as error:
            raise CollectError(f"the answer is not understood: {safe(str(error), longest=200)}") from None

    async def _get(self, path: str, accept: str) -> bytes:
        """Raises CollectError."""
        headers = {"accept": accept}
        token = self.origin.read_token or self.origin.operate_token
        if token:
            headers["authorization"] = f"Bearer {token.get_secret_value()}"
        await self._turn()
        try:
            async with (
                asyncio.timeout(DEADLINE_SECONDS),
                self._client.stream("GET", self.origin.url + path, headers=headers) as response,
            ):
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > LARGEST:
                        raise CollectError(f"the answer is larger than {LARGEST:,} bytes")
        except TimeoutError:
            raise CollectError(f"no answer within {DEADLINE_SECONDS:.0f} s") from None
        except httpx2.HTTPError as error:
            raise CollectError(classify(error).detail) from None
        if response.status_code != 200:
            raise CollectError(f"{response.status_code} {response.reason_phrase}".strip())
        return bytes(body)


def read_metrics(body: bytes, source: str, at_ms: int) -> list[SampleRow]:
    """Raises CollectError when it is not Prometheus' text format."""
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415

    try:
        families = text_string_to_metric_families(body.decode("utf-8", "replace"))
        return list(itertools.islice(samples_of(families, source=source, at_ms=at_ms), MOST_SAMPLES))
    except (ValueError, KeyError, IndexError) as error:
        raise CollectError(f"the metrics are not understood: {safe(str(error), longest=200)}") from None
