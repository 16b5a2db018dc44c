"""An origin as the table meets it: health, deployments, pipeline, and a log stream that resumes.

Speaks HTTP/1.1 by hand over asyncio, so that a test can cut, stall and garble it.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
from tests.core.origins import deployment, deploys, health, pipeline, run


class FakeOrigin:
    """`records` are (id, JSON); `answers` replaces whole answers by path: (status, headers, body).

    `acts` is what it was asked to do: path, body, the Authorization header.
    """

    def __init__(self) -> None:
        self.boot = "boot-1"
        self.records: list[tuple[int, dict[str, Any]]] = []
        self.held = 1000
        self.greets = True
        self.token: str | None = None
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        self.acts: list[tuple[str, dict[str, Any], str | None]] = []
        self.dies = False  # while it is being asked to act
        self.url = ""
        self._server: asyncio.Server | None = None
        self._streams: set[asyncio.StreamWriter] = set()
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            self.cut()
            for writer in list(self._open):
                writer.transport.abort()
            await self._server.wait_closed()
        self._server = None

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def streams(self) -> int:
        return len(self._streams)

    def log(self, message: str, **fields: Any) -> int:
        """A new record, told to every open stream."""
        number = self.records[-1][0] + 1 if self.records else 1
        return self.keep(number, message, **fields)

    def keep(self, number: int, message: str, **fields: Any) -> int:
        ts = datetime.now(UTC).isoformat()
        record = {"ts": ts, "level": "info", "message": message, "logger": "fake", **fields}
        self.records.append((number, record))
        del self.records[: -self.held]
        self.send(self._frame(number, record))
        return number

    def _frame(self, number: int, record: dict[str, Any]) -> bytes:
        return f"id: {number}\nevent: log\ndata: {json.dumps(record)}\n\n".encode()

    def send(self, raw: bytes) -> None:
        """Bytes to every open stream, as they are."""
        for writer in self._streams:
            writer.write(b"%x\r\n%s\r\n" % (len(raw), raw))

    def cut(self) -> None:
        """Every open stream ends in the middle."""
        for writer in self._streams:
            writer.transport.abort()
        self._streams.clear()

    def restart(self, boot: str) -> None:
        self.boot = boot
        self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *rest = head.decode().split("\r\n")
                headers = {name.lower(): value for name, _, value in (row.partition(": ") for row in rest if row)}
                if body := await reader.readexactly(int(headers.get("content-length", 0))):
                    self.acts.append((line.split(" ")[1], json.loads(body), headers.get("authorization")))
                    if self.dies:
                        return
                if await self._answer(line.split(" ")[1], headers, writer):
                    await reader.read()
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            self._streams.discard(writer)
            writer.close()

    async def _answer(self, target: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> bool:
        """True when the answer is a stream that goes on."""
        path, _, query = target.partition("?")
        self.asked.append(target)
        status, more, body = self.answers.get(path) or self._usual(path, headers)
        if path != "/api/logs/stream" or status != 200 or path in self.answers:
            lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *(f"{k}: {v}" for k, v in more.items())]
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            return False
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        self._streams.add(writer)
        opening = self._opening(int(query.partition("last_event_id=")[2] or 0))
        writer.write(b"%x\r\n%s\r\n" % (len(opening), opening))
        return True

    def _usual(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if self.token and path.startswith("/api/logs") and headers.get("authorization") != f"Bearer {self.token}":
            return 401, {"content-type": "application/problem+json"}, b'{"detail":"a bearer token is needed"}'
        made: dict[str, Callable[[], Any]] = {
            "/healthz": lambda: health(boot=self.boot),
            "/api/deploy/status": lambda: deploys(deployment()),
            "/api/pipeline/summary": lambda: pipeline(run()),
            "/api/logs/stream": lambda: None,
        }
        if path not in made:
            return 404, {}, b""
        return 200, {"content-type": "application/json"}, msgspec.json.encode(made[path]())

    def _opening(self, after: int) -> bytes:
        oldest = self.records[0][0] if self.records else None
        newest = self.records[-1][0] if self.records else None
        hello = {"version": "1", "boot": self.boot, "oldest_id": oldest, "newest_id": newest}
        parts = [b"retry: 1\n\nevent: hello\ndata: " + json.dumps(hello).encode() + b"\n\n"] * self.greets
        if oldest is not None and after + 1 < oldest:
            gap = {"missed": oldest - after - 1, "after_id": after, "before_id": oldest, "reason": "evicted"}
            parts.append(b"event: gap\ndata: " + json.dumps(gap).encode() + b"\n\n")
        parts += [self._frame(number, record) for number, record in self.records if number > after]
        return b"".join(parts)


@asynccontextmanager
async def fake_origin() -> AsyncIterator[FakeOrigin]:
    origin = FakeOrigin()
    await origin.start()
    try:
        yield origin
    finally:
        await origin.stop()
