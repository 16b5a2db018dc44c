"""A real RESP server (Debian's redis-server) that tests start, pause, kill, fill and garble."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from redis.asyncio.client import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from tests.fakes.waiting import eventually


class Dragonfly:
    """`url` stays the same over restarts. `client` is the test's own way in."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        self.client: Any = Redis(port=self.port, protocol=2, socket_timeout=2, retry=Retry(NoBackoff(), 0))
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, *options: str) -> None:
        said = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder), *options]
        quiet = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec("redis-server", *said, stdout=quiet, stderr=quiet)
        await eventually(self._answers)

    async def _answers(self) -> bool:
        try:
            await self.client.execute_command("PING")
        except (RedisError, OSError) as error:
            return "NOAUTH" in str(error) or "Authentication" in str(error)
        return True

    def pause(self) -> None:
        """Connections stay open and nothing is answered."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def keys(self, pattern: str = "*") -> list[str]:
        return sorted(key.decode() for key in await self.client.execute_command("KEYS", pattern))

    async def close(self) -> None:
        await self.kill()
        await self.client.aclose()


@asynccontextmanager
async def dragonfly(folder: Path, *options: str) -> AsyncIterator[Dragonfly]:
    server = Dragonfly(folder)
    await server.start(*options)
    try:
        yield server
    finally:
        await server.close()
