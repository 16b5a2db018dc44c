"""A receiver of notifications: a small HTTP server that keeps what it was sent, and fails when it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple


class Got(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.body)
        return read


class Hook:
    """`got` is everything that came. `status` is what it answers; `hangs`: it answers nothing."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.status = 200
        self.location: str | None = None
        self.hangs = False
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def titles(self) -> list[str]:
        """Of Apprise's JSON, and of our own."""
        return [one.json["title"] for one in self.got if one.body]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *rest = head.split("\r\n")
            headers = {name.lower(): value for name, _, value in (row.partition(": ") for row in rest if row)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            method, path, _ = line.split(" ")
            self.got.append(Got(method, path, headers, body))
            if self.hangs:
                await reader.read()
            moved = f"location: {self.location}\r\n" if self.location else ""
            writer.write(f"HTTP/1.1 {self.status} X\r\n{moved}content-length: 0\r\nconnection: close\r\n\r\n".encode())
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()


@asynccontextmanager
async def listening() -> AsyncIterator[Hook]:
    hook = Hook()
    server = await asyncio.start_server(hook.serve, "127.0.0.1", 0)
    hook.port = server.sockets[0].getsockname()[1]
    try:
        yield hook
    finally:
        server.close()
        hook.cut()
        await server.wait_closed()
