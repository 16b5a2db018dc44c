"""The edge, watched: what Caddy is configured to do, told on /api/edge and, when it changes, as events.

Nothing is cached for long: an answer is at most a second old, and askers share one question to Caddy.
"""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from chimney.core import edge as rules
from chimney.origin.caddy import Admin, CaddyError, Config
from chimney.origin.edge_log import EdgeLog
from chimney.origin.events import Says, Silence
from chimney.origin.lease import Lease
from chimney.origin.slot_check import Expected, SlotChecks
from chimney.origin.upstreams import answering, edge_id
from chimney.wire.base import stamp
from chimney.wire.edge import Edge, Pointing, ReloadFailure, Reloads, Slot, SlotCheck, Trouble
from chimney.wire.event import Event

ROUND_SECONDS = 5.0
FRESH_SECONDS = 1.0
VERSION_SECONDS = 600.0
MOST_STRANGERS = 8
LONGEST_CADDYFILE = 4 * 1024 * 1024
_IMPORT = re.compile(rb"^([ \t]*import[ \t]+)([A-Za-z0-9._-][A-Za-z0-9._/-]*)[ \t]*$", re.MULTILINE)
log = logging.getLogger(__name__)


class Seen(msgspec.Struct, frozen=True):
    """One look at Caddy. `config` is None when it could not be had."""

    at: float
    config: Config | None = None
    counts: dict[str, rules.Counts] = {}
    checks: list[SlotCheck] = []
    trouble: Trouble | None = None
    detail: str | None = None
    answering: dict[str, bool] = {}


NEVER = Seen(0.0, trouble=Trouble.UNKNOWN, detail="Caddy was not asked yet")
UNSET = Seen(0.0, trouble=Trouble.NOT_CONFIGURED, detail="CHIMNEY_CADDY_ADMIN is not set")


class Said(Says, Protocol):
    """The event log, which can also be read."""

    def recent(self, limit: int) -> list[Event]: ...


class EdgeWatch:
    """`on_left` is called when visitors were taken from this process's own slot."""

    def __init__(
        self,
        admin: Admin | None,
        checks: SlotChecks,
        access: EdgeLog,
        events: Said,
        *,
        repo: str | None = None,
        own_slot: str | None = None,
        caddyfile: Path | None = None,
        lease: Lease,
    ) -> None:
        self.admin = admin
        self.checks = checks
        self.slots = checks.addresses
        self._access = access
        self._log = events
        self._lease = lease
        self._own_slot = own_slot
        self.expected = Expected(repo=repo, named=own_slot is not None)
        self._caddyfile = caddyfile
        self._file_mark: tuple[int, int] | None = None
        self._file_turn = asyncio.Lock()
        self._file_refusal: ReloadFailure | None = None
        self._file_failures = 0
        self._seen = NEVER if admin else UNSET
        self._looking: asyncio.Task[Seen] | None = None
        self._version: str | None = None
        self._version_at = 0.0
        self._told_slot: Slot | None = None
        self._told_reachable = True
        self.on_left: Callable[[], None] = lambda: None
        access.on_refused = self._tell_refused

    @property
    def _events(self) -> Says:
        """Of two slots that watch one Caddy, the holder of the lease says what happened."""
        return self._log if self._lease.held() else Silence()

    @property
    def reading(self) -> rules.Reading | None:
        """Where the configuration pointed when it was last seen; None when it could not be seen."""
        seen = self._seen
        return rules.read(seen.config.value, self.slots, seen.counts) if seen.config else None

    @property
    def active(self) -> Slot | None:
        """The slot that visitors are sent to, as the configuration says; None while that is not one, or not known."""
        reading = self.reading
        return reading.active if reading else None

    async def round(self) -> float:
        """A loop's verb."""
        await self.look(within=0.0)
        await self._look_at_file()
        return ROUND_SECONDS

    async def look(self, *, within: float = FRESH_SECONDS) -> Seen:
        """Caddy as it was seen at most `within` seconds ago. Trouble is part of what is seen, and raises nothing."""
        if self.admin is None or time.time() - self._seen.at < within:
            return self._seen
        return await asyncio.shield(self._look_of(self.admin))

    async def look_anew(self) -> Seen:
        """Caddy as it is after this call: not by a look that began before it."""
        if self._looking and not self._looking.done():
            await asyncio.wait((self._looking,))
        return await self.look(within=0.0)

    def _look_of(self, admin: Admin) -> asyncio.Task[Seen]:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._ask(admin), name="look at Caddy")
        return self._looking

    async def _ask(self, admin: Admin) -> Seen:
        checking = asyncio.gather(*(self.checks.check(slot, self.expected) for slot in self.slots))
        try:
            config = await admin.config()
            counts = await admin.upstreams()
            if time.time() - self._version_at > VERSION_SECONDS:
                self._version, self._version_at = await admin.version(), time.time()
            self._seen = Seen(time.time(), config, counts, await checking, answering=await self._strangers(config))
        except CaddyError as error:
            self._seen = Seen(time.time(), checks=await checking, trouble=error.trouble, detail=str(error))
        self._tell()
        return self._seen

    async def _strangers(self, config: Config) -> dict[str, bool]:
        """Where visitors are sent to no slot: whether anything answers where they are sent."""
        reading = rules.read(config.value, self.slots, {})
        if reading.pointing is not Pointing.ELSEWHERE:
            return {}
        addresses = {one.address for proxy in reading.proxies for one in proxy.upstreams}
        return await answering(sorted(addresses)[:MOST_STRANGERS])

    def _tell(self) -> None:
        """Events for what is news, and what this process does about it."""
        seen, reachable = self._seen, self._seen.config is not None
        if reachable is not self._told_reachable:
            self._told_reachable = reachable
            if reachable:
                self._events.say("edge_back", "Caddy's admin API answers again")
            else:
                text = f"Caddy's admin API does not answer: {seen.detail}"
                self._events.say("edge_lost", text, level=logging.WARNING, trouble=seen.trouble)
        after, before = self.active, self._told_slot
        if after is None or after == before:
            return
        self._told_slot = after
        if before is not None:
            self._events.say("edge_changed", f"Caddy points to {after}, before to {before}", before=before, after=after)
        if self._own_slot not in (None, after):  # also when it was not seen that visitors came here before
            self.on_left()

    def _tell_refused(self, why: str) -> None:
        text = f"Caddy refused a configuration: {why}"
        self._events.say("edge_reload_failed", text, level=logging.ERROR, source="log", reason=why)

    async def _look_at_file(self) -> None:
        """Asks Caddy what it thinks of the Caddyfile, whenever that was changed. What it imports is not watched."""
        if self.admin is None or self._caddyfile is None:
            return
        async with self._file_turn:
            await self._ask_about(self.admin, self._caddyfile)

    async def _ask_about(self, admin: Admin, caddyfile: Path) -> None:
        mark, text = await asyncio.to_thread(_contents, caddyfile, self._file_mark)
        if mark is None or mark == self._file_mark:
            return
        try:
            why = await admin.would_refuse(text)
        except CaddyError:
            return
        self._file_mark = mark
        self._file_refusal = None
        if why:
            self._file_failures += 1
            self._file_refusal = ReloadFailure(at=stamp(mark[0] / 1e9), source="file", message=f"{caddyfile}: {why}")
            text_ = f"Caddy would refuse {caddyfile}: {why}"
            self._events.say("edge_reload_failed", text_, level=logging.ERROR, source="file", reason=why)

    def reloads(self) -> Reloads:
        refusals, last = self._access.refusals, self._file_refusal
        if last is None and refusals.last:
            last = ReloadFailure(at=stamp(refusals.last[0] / 1000), source="log", message=refusals.last[1])
        watched = ([str(self._caddyfile)] if self._caddyfile else []) + self._access.watched
        return Reloads(watched=watched, failures=refusals.count + self._file_failures, last=last)

    def told(self) -> Edge:
        """The answer of /api/edge, from what was seen last."""
        seen = self._seen
        reading = self.reading or rules.Reading([], Pointing.UNKNOWN, None)
        reloads = self.reloads()
        return Edge(
            reachable=seen.config is not None,
            trouble=seen.trouble,
            detail=seen.detail,
            admin=self.admin.address if self.admin else None,
            version=self._version,
            checked_at=stamp(seen.at) if seen.at else None,
            pointing=reading.pointing,
            active_slot=reading.active,
            slots=dict(self.slots.items()),
            upstreams=[
                msgspec.structs.replace(one, answers=seen.answering.get(one.address))
                for one in rules.upstreams(reading, self.slots, seen.counts)
            ],
            proxies=reading.proxies,
            reloads=reloads,
            access_log=self._access.status(),
            checks=seen.checks,
            last_switch=next((event for event in self._log.recent(1000) if event.kind == "switch"), None),
            said=rules.said(reading, seen.checks, reloads),
            id=edge_id(self.admin.address) if self.admin else None,
        )

    async def close(self) -> None:
        if self._looking:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError, CaddyError):
                await self._looking
        await self.checks.close()
        if self.admin:
            await self.admin.close()


def _contents(file: Path, known: tuple[int, int] | None) -> tuple[tuple[int, int] | None, bytes]:
    """The file's mark (time of change, size) and its text, which is empty when the mark is known."""
    try:
        facts = file.stat()
        mark = (facts.st_mtime_ns, facts.st_size)
        if mark == known or facts.st_size > LONGEST_CADDYFILE:
            return known, b""
        return mark, _with_whole_paths(file.read_bytes(), file.parent)
    except OSError:
        return None, b""


def _with_whole_paths(text: bytes, folder: Path) -> bytes:
    """What is imported by a relative path is sought by Caddy in the folder that it runs in: here, beside the file."""

    def whole(line: re.Match[bytes]) -> bytes:
        named = line[2].decode("utf-8", "replace")
        return line[1] + str((folder / named).absolute()).encode() if (folder / named).is_file() else line[0]

    return _IMPORT.sub(whole, text)
