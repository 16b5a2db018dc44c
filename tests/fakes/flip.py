"""Visitors and readers of a stream while Caddy is switched: what failed, who had to come back, who missed what.

Half of the requests open a connection of their own; the others reuse one. A reused connection that the server closed
before it took the request is tried once more on a new one, as every browser does (RFC 9110 §9.2.2); those are counted.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import msgspec

from chimney.core.eventsource import EventParser, EventTooLongError

MARKER = "flip-marker"
MARKS_PER_SECOND = 5
PATIENCE = 15.0
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class StaleError(Exception):
    """A connection was closed before the request was taken."""


class Visitors:
    """Requests at a steady rate, whatever the answers take."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[Connection] = []
        self.sent = 0
        self.retried = 0
        self.marks = 0
        self.failed: list[str] = []
        self.by_slot: Counter[str] = Counter()
        self.latencies: list[float] = []

    async def keep_up(self, rate: float, count: int) -> None:
        """Returns when `count` requests were answered or failed."""
        began = time.perf_counter()
        every = max(1, int(rate / MARKS_PER_SECOND))
        running: set[asyncio.Task[None]] = set()
        for number in range(count):
            wait = began + number / rate - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            mark = None
            if number % every == 0:
                mark, self.marks = self.marks, self.marks + 1
            task = asyncio.create_task(self._visit(number, mark))
            running.add(task)
            task.add_done_callback(running.discard)
        if running:
            await asyncio.wait(running)
        for _, writer in self._idle:
            writer.close()

    async def _visit(self, number: int, mark: int | None) -> None:
        began = time.perf_counter()
        self.sent += 1
        try:
            async with asyncio.timeout(PATIENCE):
                status, body = await self._ask(mark, reuse=number % 2 == 0)
        except (OSError, TimeoutError, StaleError, asyncio.IncompleteReadError, ValueError) as error:
            self.failed.append(f"{number}: {type(error).__name__}: {error}")
            return
        self.latencies.append(time.perf_counter() - began)
        if status != 200:
            self.failed.append(f"{number}: {status}")
        else:
            self.by_slot[msgspec.json.decode(body)["slot"]] += 1

    async def _ask(self, mark: int | None, *, reuse: bool) -> tuple[int, bytes]:
        if reuse and self._idle:
            try:
                return await self._spoken(self._idle.pop(), mark, keep=True)
            except StaleError:
                self.retried += 1
        connection = await asyncio.open_connection("127.0.0.1", self._port)
        return await self._spoken(connection, mark, keep=reuse)

    async def _spoken(self, connection: Connection, mark: int | None, *, keep: bool) -> tuple[int, bytes]:
        reader, writer = connection
        who = f"user-agent: {MARKER}\r\nx-request-id: mark-{mark}\r\n" if mark is not None else ""
        end = "keep-alive" if keep else "close"
        head = f"GET /api/version HTTP/1.1\r\nhost: 127.0.0.1:{self._port}\r\n{who}connection: {end}\r\n\r\n"
        try:
            writer.write(head.encode())
            answer = await reader.readuntil(b"\r\n\r\n")
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            writer.close()
            if getattr(error, "partial", b""):
                raise
            raise StaleError("closed before an answer") from None
        headers = answer.decode("latin-1").lower().split("\r\n")
        length = next((int(line[15:]) for line in headers if line.startswith("content-length:")), 0)
        body = await reader.readexactly(length)
        if keep and "connection: close" not in headers:
            self._idle.append(connection)
        else:
            writer.close()
        return int(answer[9:12]), body


class Reader:
    """One reader of the log stream, asking for the marks, that comes back as a browser does."""

    def __init__(self, url: str, token: str, visitors: Visitors) -> None:
        self._url = f"{url}/api/logs/stream?grep={MARKER}"
        self._headers = {"authorization": f"Bearer {token}"}
        self._visitors = visitors
        self._last_id: str | None = None
        self.first_mark = 0
        self.greeted = asyncio.Event()
        self.connections = 0
        self.turned_away: list[str] = []
        self.gaps: list[Any] = []
        self.seen: Counter[int] = Counter()

    async def read(self) -> None:
        """Until it is cancelled."""
        async with httpx2.AsyncClient(timeout=httpx2.Timeout(40, connect=5), trust_env=False) as client:
            while True:
                retry = await self._once(client)
                await asyncio.sleep(retry / 1000)

    async def _once(self, client: httpx2.AsyncClient) -> int:
        """How many milliseconds to wait before coming back."""
        parser = EventParser()
        headers = {**self._headers, **({"last-event-id": self._last_id} if self._last_id else {})}
        try:
            async with client.stream("GET", self._url, headers=headers) as answer:
                if answer.status_code != 200:
                    self.turned_away.append(str(answer.status_code))
                    return 500
                self.connections += 1
                async for chunk in answer.aiter_bytes():
                    for event in parser.feed(chunk):
                        self._take(event.event, event.data, event.id)
        except (httpx2.HTTPError, EventTooLongError) as error:
            if not isinstance(error, httpx2.RemoteProtocolError | httpx2.ReadError):
                self.turned_away.append(f"{type(error).__name__}: {error}")
        return parser.retry or 1000

    def _take(self, event: str, data: str, number: str) -> None:
        told = msgspec.json.decode(data)
        if event == "hello" and self._last_id is None:
            self._last_id = str(told["newest_id"] or 0)
            self.first_mark = self._visitors.marks
            self.greeted.set()
        elif event == "gap":
            self.gaps.append(told)
        elif event == "log":
            self._last_id = number
            self.seen[int(told["request_id"].removeprefix("mark-"))] += 1

    def on_its_way(self) -> bool:
        """Whether it has not heard everything, or not come back: the slot that was left may end its stream late."""
        return self.connections < 2 or bool(self.missed())

    def missed(self) -> list[int]:
        return [mark for mark in range(self.first_mark, self._visitors.marks) if mark not in self.seen]

    def repeated(self) -> list[int]:
        return [mark for mark, count in self.seen.items() if count > 1]


class Flip(msgspec.Struct):
    """What was seen of one switch under load."""

    visitors: Visitors
    readers: list[Reader]
    switch_seconds: float
    seconds: float

    @property
    def reconnections(self) -> list[int]:
        return sorted(reader.connections - 1 for reader in self.readers)


async def flip(
    port: int, token: str, switch: Callable[[], Awaitable[None]], *, rate: float, count: int, readers: int
) -> Flip:
    """`count` requests at `rate` a second through Caddy at `port`; `switch` is called in the middle."""
    visitors = Visitors(port)
    reading = [Reader(f"http://127.0.0.1:{port}", token, visitors) for _ in range(readers)]
    tasks = [asyncio.create_task(reader.read()) for reader in reading]
    try:
        async with asyncio.timeout(PATIENCE):
            for reader in reading:
                await reader.greeted.wait()
        began = time.perf_counter()
        visiting = asyncio.create_task(visitors.keep_up(rate, count))
        await asyncio.sleep(count / rate / 2)
        switched = time.perf_counter()
        await switch()
        took = time.perf_counter() - switched
        await visiting
        seconds = time.perf_counter() - began
        deadline = time.monotonic() + PATIENCE
        while any(reader.on_its_way() for reader in reading) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return Flip(visitors, reading, took, seconds)
