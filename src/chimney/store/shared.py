"""The far tier on a RESP server: stored responses, leases and news, each under a key that says whose and what it is.

`chimney:1:<audience>:r:<key>` is a response, `:l:<key>` a lease, `:news` the channel. The audience is GitHub's address
and the token: what one token may see is never shown to those who come through another. A response lives for a day at
most, so nothing here has to be cleaned away.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec

from chimney.store.far import Hear, KeyPage, News, Word, print_of
from chimney.store.packing import VERSION, pack, unpack
from chimney.store.ports import StoredResponse
from chimney.store.redis import AwayError, RedisServer, RefusedError
from chimney.wire.health import DragonflyHealth

KEPT_SECONDS = 86_400  # long enough for a restart after a weekday's night to find everything with its validators
GONE_KEPT_SECONDS = 60
LEASE_MS = 12_000  # GitHub's deadline is 10 s: a lease outlives its fetch, and not its dead replica
LARGEST_BYTES = 1024 * 1024  # packed; larger ones would not pass within the deadline, and stay with who fetched them
BATCH = 500
PAGE = 100  # keys that are looked at without a pause
TOLD_SECONDS = 60.0  # between two warnings about garbage
log = logging.getLogger(__name__)
_encode = msgspec.msgpack.Encoder().encode
_decode_news = msgspec.msgpack.Decoder(News).decode


class SharedTier:
    """A FarTier. `boot` names this process in its news."""

    def __init__(self, server: RedisServer, *, audience: str, boot: str) -> None:
        self._server = server
        self._prefix = f"chimney:{VERSION}:{audience}:"
        self._boot = boot
        self.hits = 0
        self.misses = 0
        self.garbage = 0
        self._told = -TOLD_SECONDS

    @property
    def connected(self) -> bool:
        return self._server.connected

    def health(self) -> DragonflyHealth:
        return self._server.health()

    def _of(self, key: str) -> str:
        return f"{self._prefix}r:{key}"

    def _lease_of(self, key: str) -> str:
        return f"{self._prefix}l:{key}"

    def _news(self, word: Word, key: str | None, response: StoredResponse | None = None) -> tuple[str, str, bytes]:
        told = (print_of(response), response.validated_at) if response else ("", 0.0)
        return "PUBLISH", self._prefix + "news", _encode(News(self._boot, word, key, *told))

    async def get(self, key: str) -> StoredResponse | None:
        try:
            raw = await self._server.run("GET", self._of(key))
        except AwayError:
            return None
        except RefusedError:
            raw = b""
        if raw is None:
            self.misses += 1
            return None
        response = await unpack(raw, now=time.time())
        if response is None:
            await self._cast_out(key)
        else:
            self.hits += 1
        return response

    async def _cast_out(self, key: str) -> None:
        """What is not a stored response of this version is a miss, and goes."""
        self.misses += 1
        self.garbage += 1
        if time.monotonic() - self._told > TOLD_SECONDS:
            self._told = time.monotonic()
            log.warning("Dragonfly held something else than a stored response for %s; such are removed", key)
        with suppress(AwayError, RefusedError):
            await self._server.run("UNLINK", self._of(key))

    async def put(self, key: str, response: StoredResponse) -> bool:
        packed = await pack(response)
        seconds = KEPT_SECONDS if response.status == 200 else GONE_KEPT_SECONDS
        keep = ("SET", self._of(key), packed, "EX", seconds)
        forget = ("UNLINK", self._of(key))
        large = len(packed) > LARGEST_BYTES
        news = self._news(Word.STORED, key, response)
        try:
            answers = await self._server.run_all(forget if large else keep, ("UNLINK", self._lease_of(key)), news)
            if isinstance(answers[0], Exception) and not large:  # full: an old response must not stay in its place
                await self._server.run(*forget)
        except (AwayError, RefusedError):
            return False
        return True

    async def lease(self, key: str) -> bool:
        try:
            leased = await self._server.run("SET", self._lease_of(key), self._boot, "NX", "PX", LEASE_MS)
            if leased is not None:
                return True
            holder = await self._server.run("GET", self._lease_of(key))
        except (AwayError, RefusedError):
            return True
        return holder in (None, self._boot.encode())  # ours, from a fetch whose end could not be told

    async def release(self, key: str) -> None:
        with suppress(AwayError, RefusedError):
            await self._server.run_all(("UNLINK", self._lease_of(key)), self._news(Word.RELEASED, key))

    async def publish(self, word: Word, key: str | None = None, body: bytes = b"") -> bool:
        try:
            await self._server.run("PUBLISH", self._prefix + "news", _encode(News(self._boot, word, key, body=body)))
        except (AwayError, RefusedError):
            return False
        return True

    async def keys(self, cursor: int) -> KeyPage | None:
        start = self._of("")
        try:
            following, found = await self._server.run("SCAN", cursor, "MATCH", _literal(start) + "*", "COUNT", PAGE)
        except (AwayError, RefusedError):
            return None
        keys = [name.decode("utf-8", "replace").removeprefix(start) for name in found]
        return KeyPage(keys, int(following) or None)

    async def forget(self, key: str) -> bool:
        try:
            await self._server.run("UNLINK", self._of(key))
        except (AwayError, RefusedError):
            return False
        return True

    async def drop(self, prefix: str | None) -> int | None:
        path = prefix.rstrip("/") if prefix is not None else None
        removed = 0
        cursor = 0
        try:
            while True:
                cursor, found = await self._server.run(
                    "SCAN", cursor, "MATCH", _literal(self._of(path or "")) + "*", "COUNT", BATCH
                )
                keys = [name for name in found if path is None or self._is_below(name, path)]
                removed += await self._server.run("UNLINK", *keys) if keys else 0
                if not cursor:
                    break
            await self._server.run(*self._news(Word.DROPPED, path))
        except (AwayError, RefusedError):
            return None
        return removed

    def _is_below(self, name: bytes, path: str) -> bool:
        key = name.decode("utf-8", "replace").removeprefix(self._of(""))
        return key == path or key.startswith((path + "/", path + "?"))

    async def listen(self, hear: Hear) -> float:
        """A loop's verb: hands on the news of the other replicas; None after each (re)subscription."""
        return await self._server.listen(self._prefix + "news", lambda raw: self._heard(raw, hear))

    def _heard(self, raw: bytes | None, hear: Hear) -> None:
        if raw is None:
            hear(None)
            return
        try:
            news = _decode_news(raw)
        except (msgspec.DecodeError, RecursionError):
            log.warning("Dragonfly passed on news that are none; they are ignored")
            return
        if news.boot != self._boot:
            hear(news)

    async def probe(self) -> float:
        return await self._server.probe()

    def on_lost(self, nudge: Callable[[], None]) -> None:
        """What to call when the server should be looked for at once."""
        self._server.nudge = nudge

    async def close(self) -> None:
        await self._server.close()


def _literal(text: str) -> str:
    """As a glob pattern that matches only itself."""
    return "".join(f"\\{character}" if character in "*?[]\\^-" else character for character in text)
