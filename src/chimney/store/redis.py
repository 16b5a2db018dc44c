"""The server behind the far tier: Dragonfly, or whatever speaks RESP. The only module that knows redis-py.

A command takes at most DEADLINE. When the server does not answer, every command costs a comparison until `probe` has
found it again. RESP2 on purpose: under RESP3 redis-py spends round trips on HELLO and CLIENT MAINT_NOTIFICATIONS, and
its pub/sub reconnects in silence, where we have to know that news were missed.
"""

import asyncio
import math
import random
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from redis import exceptions
from redis.asyncio.client import Redis
from redis.asyncio.connection import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from chimney.core.call import Attribute, Calls, NoCalls
from chimney.wire.health import DragonflyHealth

DEADLINE = 0.2
ANSWER = 0.15
CONNECTIONS = 16
SLOW = 2  # deadlines missed in a row before the server counts as gone; one may be this process being busy
TOLD_SECONDS = 0.02  # a command that takes longer is told as a call of its own
SHORTEST_WAIT, LONGEST_WAIT = 0.25, 3.0
LOOK_SECONDS = 5.0  # between two looks at a server that is well
FULL_SHARE = 0.99
QUIET_SECONDS = 2.0  # without news after which the connection is asked whether it is alive, and after which it is not
_jitter = random.Random()  # noqa: S311 — spreads retries
Command = Sequence[str | bytes | int]


class AwayError(Exception):
    """The server does not answer; the message says why."""


class RefusedError(Exception):
    """The server answers, and will not do this: it is full, the key holds something else, a right is missing."""


class RedisServer:
    """`on_change` is told True when the server answers again and False with the reason when it does not any more."""

    def __init__(self, url: str, *, on_change: Callable[[bool, str], None], calls: Calls | None = None) -> None:
        self._calls = calls or NoCalls()
        parts = urlsplit(url)
        self._server: dict[str, Attribute] = {"server.address": parts.hostname or "", "server.port": parts.port or 6379}
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=None,
            protocol=2,
            socket_timeout=ANSWER,
            socket_connect_timeout=ANSWER,
            retry=Retry(NoBackoff(), 0),
            driver_info=None,
        )
        self._pool = pool
        self._client: Any = Redis(connection_pool=pool)
        self._on_change = on_change
        self._ear: Any = None
        self._ear_asked = False
        self._slow = 0
        self._failures = 0
        self._health = DragonflyHealth(status="connecting")
        self.nudge: Callable[[], None] = lambda: None

    @property
    def connected(self) -> bool:
        return self._health.status == "connected"

    def health(self) -> DragonflyHealth:
        return self._health

    async def run(self, *command: str | bytes | int) -> Any:
        """The answer. Raises AwayError or RefusedError."""
        if not self.connected:
            raise AwayError(self._health.status)
        return await self._within(str(command[0]), self._client.execute_command(*command))

    async def run_all(self, *commands: Command) -> list[Any]:
        """The answers in one round trip; a command that the server refuses has its exception as the answer."""
        if not self.connected:
            raise AwayError(self._health.status)
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        answers: list[Any] = await self._within("PIPELINE", pipeline.execute(raise_on_error=False))
        return answers

    async def _within(self, operation: str, asking: Any) -> Any:
        about: dict[str, Attribute] = {"db.system.name": "redis", "db.operation.name": operation, **self._server}
        with self._calls.open(operation, about, least_seconds=TOLD_SECONDS):
            return await self._answer(asking)

    async def _answer(self, asking: Any) -> Any:
        try:
            async with asyncio.timeout(DEADLINE):
                answer = await asking
        except ResponseError as error:
            raise RefusedError(str(error)[:200]) from None
        except (RedisError, OSError, TimeoutError) as error:
            if self._missed(error):
                self.nudge()
            raise AwayError(_why(error)) from None
        self._slow = 0
        return answer

    def _missed(self, error: Exception) -> bool:
        """Whether the server counts as gone now."""
        self._slow += 1
        if self.connected and isinstance(error, _SLOW) and self._slow < SLOW:
            return False
        was, self._health = self._health.status, DragonflyHealth(status="unavailable")
        if was != "unavailable":
            self._on_change(False, _why(error))
        return True

    async def probe(self) -> float:
        """A loop's verb: finds out whether the server answers, and with what figures; returns when to look again."""
        try:
            async with asyncio.timeout(DEADLINE):
                if not self.connected:
                    await self._pool.disconnect()
                    await self._client.execute_command("PING")  # connects, which is no part of the latency
                began = time.perf_counter()
                await self._client.execute_command("PING")
                latency = time.perf_counter() - began
        except (RedisError, OSError, TimeoutError) as error:
            self._failures += self._missed(error)
            return min(LONGEST_WAIT, SHORTEST_WAIT * 2.0 ** min(self._failures, 10)) * _jitter.uniform(0.6, 1.2)
        await self._look(latency)
        return LOOK_SECONDS

    async def _look(self, latency: float) -> None:
        was, self._failures, self._slow = self._health.status, 0, 0
        keys = await self._figure("DBSIZE")
        memory = await self._figure("INFO", "memory")
        figures = memory if isinstance(memory, dict) else {}
        used = figures.get("used_memory")
        self._health = DragonflyHealth(
            status="connected",
            keys=keys if isinstance(keys, int) else None,
            memory_bytes=used if isinstance(used, int) else None,
            latency_ms=round(latency * 1000, 2),
            full=_is_full(figures),
        )
        if was != "connected":
            self._on_change(True, "")

    async def _figure(self, *command: str) -> object:
        """None when it cannot be had: a right may be missing, and that is no reason to do without the server."""
        try:
            async with asyncio.timeout(DEADLINE):
                figure: object = await self._client.execute_command(*command)
        except (RedisError, OSError, TimeoutError):
            return None
        return figure

    async def listen(self, channel: str, hear: Callable[[bytes | None], None]) -> float:
        """A loop's verb: hands on what is published until it is quiet. `hear(None)` after each (re)subscription."""
        if not self.connected and self._ear is None:
            return SHORTEST_WAIT
        try:
            if self._ear is None:
                self._ear, self._ear_asked = await self._subscribed(channel), False
                hear(None)
            while (message := await self._ear.read_response(timeout=QUIET_SECONDS)) is not None:
                self._ear_asked = False
                if message[0] == b"message":
                    hear(message[2])
            await self._ask_ear()
        except (RedisError, OSError, TimeoutError, LookupError, TypeError):
            await self._deafen()
            self.nudge()  # the server may be gone: the probe finds out
            return SHORTEST_WAIT * _jitter.uniform(0.6, 1.2)
        return 0.0

    async def _subscribed(self, channel: str) -> Any:
        """A connection of its own, not of the pool: nothing reconnects it in silence."""
        ear = self.connection()
        async with asyncio.timeout(DEADLINE):
            await ear.connect()
            await ear.send_command("SUBSCRIBE", channel)
            await ear.read_response()
        return ear

    def connection(self) -> Any:
        """A new one, of nobody else's; it is not connected yet."""
        return self._pool.connection_class(**self._pool.connection_kwargs)

    async def _ask_ear(self) -> None:
        """Raises TimeoutError when the connection was asked before and has said nothing since: it leads nowhere."""
        if self._ear_asked:
            raise TimeoutError
        self._ear_asked = True
        await self._ear.send_command("PING")

    async def _deafen(self) -> None:
        ear, self._ear = self._ear, None
        if ear is not None:
            await ear.disconnect(nowait=True)

    async def close(self) -> None:
        await self._deafen()
        await self._pool.disconnect()


class Waiting:
    """A connection of one's own for commands that wait: within the pool they would hold others up."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._connection: Any = None

    async def run(self, *command: str | bytes, within: float) -> Any:
        """The answer. Raises AwayError or RefusedError; the next call then connects anew."""
        if not self._server.connected:
            await self.close()
            raise AwayError(self._server.health().status)
        try:
            async with asyncio.timeout(within):
                if self._connection is None:
                    self._connection = self._server.connection()
                    await self._connection.connect()
                await self._connection.send_command(*command)
                return await self._connection.read_response(timeout=math.inf)
        except ResponseError as error:
            raise RefusedError(str(error)[:200]) from None
        except (RedisError, OSError, TimeoutError) as error:
            await self.close()
            self._server.nudge()  # it may be gone: the probe finds out
            raise AwayError(_why(error)) from None
        except asyncio.CancelledError:
            await self.close()  # an answer that is still on its way would be taken for that of the next command
            raise

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)


_SLOW = (TimeoutError, exceptions.TimeoutError)
_REASONS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (_SLOW, f"no answer within {DEADLINE * 1000:.0f} ms"),
    (exceptions.AuthenticationError, "the server refuses the user or the password"),
    (exceptions.BusyLoadingError, "the server is still loading its data"),
    (exceptions.InvalidResponse, "the answer is not RESP"),
    ((exceptions.ConnectionError, OSError), "no connection"),
)


def _why(error: Exception) -> str:
    """In words of our own: those of the library hold the address, and what the server says may hold anything."""
    return next((reason for kinds, reason in _REASONS if isinstance(error, kinds)), type(error).__name__)


def _is_full(figures: dict[str, object]) -> bool:
    """Whether it refuses what is to be kept: at its limit, and told not to evict."""
    used, most = figures.get("used_memory"), figures.get("maxmemory")
    if not (isinstance(used, int) and isinstance(most, int)):
        return False
    return 0 < most * FULL_SHARE <= used and figures.get("maxmemory_policy") == "noeviction"
