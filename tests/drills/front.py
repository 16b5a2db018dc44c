"""What stands between the table and an origin, or between GitHub and the webhook; and what goes wrong there."""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

Manner = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Front:
    """Passes all on to `upstream`, unless told otherwise. Its port stays; a change of manner cuts every connection.

    It runs in a thread of its own, so that tests without an event loop may use it.
    """

    def __init__(self, upstream: int, certificate: ssl.SSLContext | None = None) -> None:
        self._upstream = upstream
        self._certificate = certificate
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.well()

    def well(self) -> None:
        self._change(self._passes, self._certificate)

    def says(self, status: str, **headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", "content-length: 0", *(f"{name}: {value}" for name, value in headers.items())]
        answer = ("\r\n".join(lines) + "\r\n\r\n").encode()

        async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(answer)
                await writer.drain()

        self._change(says, self._certificate)

    def certified(self, certificate: ssl.SSLContext) -> None:
        """Well, under another certificate."""
        self._change(self._passes, certificate)

    def _change(self, manner: Manner, certificate: ssl.SSLContext | None) -> None:
        self._run(self._begin(manner, certificate))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _begin(self, manner: Manner, certificate: ssl.SSLContext | None = None) -> None:
        await self._end()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._open.add(writer)
            try:
                await manner(reader, writer)
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                pass
            finally:
                self._open.discard(writer)
                writer.close()

        self._server = await asyncio.start_server(serve, "127.0.0.1", self.port, ssl=certificate)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        if self._server:
            self._server.close()
        for writer in list(self._open):
            writer.transport.abort()

    async def _passes(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._upstream)
        self._open.add(back)
        try:
            await asyncio.wait(
                [asyncio.create_task(_pump(reader, back)), asyncio.create_task(_pump(there, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            self._open.discard(back)
            back.close()
            writer.close()

    def close(self) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while part := await reader.read(65_536):
            writer.write(part)
            await writer.drain()
    except OSError:
        pass
