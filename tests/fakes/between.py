"""Standing between an origin and Caddy's admin API: sees each request, and may do something before or after it."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

Hook = Callable[[str, str], None]


@asynccontextmanager
async def between(admin_port: int, hook: Hook) -> AsyncIterator[str]:
    """The address to give to the origin. `hook` gets `before` or `after`, and the request's first line."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = re.search(r"content-length: (\d+)", head, flags=re.IGNORECASE)
            body = await reader.readexactly(int(length[1])) if length else b""
            line = head.split("\r\n")[0]
            hook("before", line)
            answer = await _asked(admin_port, head, body)
            hook("after", line)
            writer.write(answer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def _asked(port: int, head: str, body: bytes) -> bytes:
    """Caddy wants the Host that it listens on."""
    told = re.sub(r"(?im)^host: .*\r$", f"Host: 127.0.0.1:{port}\r", head)
    told = re.sub(r"(?im)^connection: .*\r\n", "", told).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(told.encode("latin-1") + body)
    try:
        return await reader.read()
    finally:
        writer.close()
