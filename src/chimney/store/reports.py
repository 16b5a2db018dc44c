"""Deploy reports that replicas on several machines share through a RESP server.

Each replica's own log stays the record that must not be lost; the server only passes reports on. It may be empty, full
or gone at any moment: what could not be passed on is, when it is back. A hash holds the reports by id, a counter next
to it says that there is something new.
"""

import logging
import time
from collections.abc import Sequence
from typing import Protocol

import msgspec

from chimney.store.ports import Kept
from chimney.store.redis import AwayError, RedisServer, RefusedError
from chimney.wire.deployment import DeployReport

SHARED = 2_000  # the latest reports, ~1 kB each; twice as many are there before old ones are removed
BATCH = 100
log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Kept).decode


class OwnReports(Protocol):
    """This replica's own log, on disk. Raises StorageFullError or StorageFailedError."""

    async def add(self, report: DeployReport, *, at: float | None = None) -> bool: ...
    async def adopt(self, kept: Sequence[Kept]) -> None: ...
    async def ids(self) -> set[str]: ...
    async def mark(self) -> int: ...
    async def kept(self, count: int) -> list[Kept]: ...
    async def latest(self, count: int) -> list[DeployReport]: ...


class SharedReportLog:
    """A log of reports that is the same on every replica. Raises what its own log does, and never for the server."""

    def __init__(self, own: OwnReports, server: RedisServer, *, name: str) -> None:
        self._own = own
        self._server = server
        self._reports = f"chimney:1:deploys:{name}"
        self._counter = f"{self._reports}:changes"
        self._seen: bytes | None = None
        self._behind = True

    async def add(self, report: DeployReport) -> bool:
        """True when the report is new on every replica, as far as they can be asked. Durable here in any case."""
        kept = Kept(report, time.time())
        new = await self._own.add(report, at=kept.received_at)
        if not new:
            return False
        try:
            if await self._server.run("HSETNX", self._reports, report.id, _encode(kept)):
                await self._server.run("INCR", self._counter)
                return True
            [there] = await self._fetch([report.id])
        except (AwayError, RefusedError):
            self._behind = True
            return True
        except ValueError:
            return True  # what is there is no report: ours stands
        await self._own.adopt([there])
        return False

    async def mark(self) -> int:
        """Another number after every change, here or on another replica."""
        try:
            await self._take_in()
        except (AwayError, RefusedError):
            self._behind = True
        return await self._own.mark()

    async def latest(self, count: int) -> list[DeployReport]:
        return await self._own.latest(count)

    async def _take_in(self) -> None:
        """Both sides get what they lack, unless nothing was said to have changed."""
        changes = await self._server.run("GET", self._counter)
        if changes == self._seen and not self._behind:
            return
        there = {name.decode("utf-8", "replace") for name in await self._server.run("HKEYS", self._reports)}
        latest, here = await self._own.kept(SHARED), await self._own.ids()
        missing = sorted(there - here)
        for start in range(0, len(missing), BATCH):
            found = await self._fetch(missing[start : start + BATCH])
            await self._own.adopt(sorted(found, key=lambda one: one.received_at))
        await self._pass_on([one for one in latest if one.report.id not in there])
        if len(there) > 2 * SHARED:
            await self._trim(there - {one.report.id for one in latest})
        self._seen, self._behind = changes, False

    async def _fetch(self, ids: list[str]) -> list[Kept]:
        """What can be read of them."""
        rows = await self._server.run("HMGET", self._reports, *ids)
        found: list[Kept] = []
        for row in rows:
            try:
                found.append(_decode(row or b""))
            except (msgspec.DecodeError, RecursionError) as error:
                log.warning("a deploy report of another replica cannot be read and is left out: %s", error)
        return found

    async def _pass_on(self, kept: list[Kept]) -> None:
        for start in range(0, len(kept), BATCH):
            commands = [("HSETNX", self._reports, one.report.id, _encode(one)) for one in kept[start : start + BATCH]]
            answers = await self._server.run_all(*commands, ("INCR", self._counter))
            refused = next((one for one in answers if isinstance(one, Exception)), None)
            if refused is not None:
                raise RefusedError(str(refused)[:200])

    async def _trim(self, old: set[str]) -> None:
        names = sorted(old)
        for start in range(0, len(names), BATCH):
            await self._server.run("HDEL", self._reports, *names[start : start + BATCH])
