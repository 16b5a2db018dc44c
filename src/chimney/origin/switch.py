"""Sending visitors to the other slot: written down, checked, changed in one place, looked at again, drained.

A change is one PATCH of one proxy's upstreams, which Caddy takes whole or not at all: interrupted at any step, each
proxy points to exactly one slot, and to the new one only after that was checked. One switch at a time, over both slots.
"""

import asyncio
import logging
import time
from pathlib import Path

import msgspec

from chimney.core import edge as rules
from chimney.core.redact import safe
from chimney.origin.audit import Audit
from chimney.origin.caddy import Admin, CaddyError, ChangedError, Config, RefusedError
from chimney.origin.deployments import Deployments
from chimney.origin.edge_watch import EdgeWatch
from chimney.origin.events import Says
from chimney.origin.lease import Lease
from chimney.origin.slot_check import Expected
from chimney.web.problem import ProblemError
from chimney.web.record import RequestRecord
from chimney.wire.deployment import Phase
from chimney.wire.edge import Drained, Pointing, Slot, SlotCheck, Switched, SwitchRequest, SwitchResult
from chimney.wire.problem import Fault

DRAIN_SECONDS = 10.0
DRAIN_ROUND = 0.2
RETRY_AFTER = [(b"retry-after", b"5")]
log = logging.getLogger(__name__)


class Done(msgspec.Struct, frozen=True):
    """What was done to Caddy. `changed` are the paths."""

    result: SwitchResult
    before: Slot | None
    changed: list[str]
    check: SlotCheck


class Switcher:
    """`drain_seconds` bounds the wait for what is in flight on the slot that was left."""

    def __init__(
        self,
        watch: EdgeWatch,
        audit: Audit,
        deployments: Deployments,
        events: Says,
        *,
        folder: Path,
        own_slot: str | None,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        self._watch = watch
        self._audit = audit
        self._deployments = deployments
        self._events = events
        self._lock = folder / "switch.lock"
        self._own_slot = own_slot
        self._drain_seconds = drain_seconds
        self._running: set[asyncio.Task[Switched]] = set()

    async def switch(self, asked: SwitchRequest, request: RequestRecord) -> Switched:
        """Raises ProblemError. Goes on to its end when whoever asked is gone."""
        admin = self._refuse_at_once(asked)
        turn = Lease(self._lock)
        if not turn.held():
            detail = "Another switch is under way. Wait for its end, then look at /api/edge."
            raise ProblemError(409, "switch-in-progress", detail, headers=RETRY_AFTER)
        task = asyncio.create_task(self._switch(admin, asked, request), name="switch")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda _done: turn.close())
        return await asyncio.shield(task)

    def _refuse_at_once(self, asked: SwitchRequest) -> Admin:
        if self._watch.admin is None or not self._watch.slots:
            unset = "CHIMNEY_CADDY_ADMIN" if self._watch.admin is None else "CHIMNEY_SLOTS"
            raise ProblemError(503, "not-configured", f"Slots cannot be switched: {unset} is not set.")
        for path, fault in _faults(asked, self._watch.slots):
            raise ProblemError(400, "malformed", f"{path}: {fault}", errors=[Fault(path=path, detail=fault)])
        return self._watch.admin

    async def _switch(self, admin: Admin, asked: SwitchRequest, request: RequestRecord) -> Switched:
        before = self._watch.active
        row = await self._note(SwitchResult.BEGUN, asked, request, before=before)
        try:
            done = await self._change(admin, asked)
        except ProblemError as error:
            result = SwitchResult.REFUSED if error.status == 409 else SwitchResult.FAILED
            await self._end(result, asked, request, before=before, detail=error.detail)
            raise
        except Exception as error:
            await self._end(
                SwitchResult.FAILED, asked, request, before=before, detail=f"{type(error).__name__}: {error}"
            )
            raise
        await self._end(done.result, asked, request, before=done.before, detail=None)
        left = done.before if done.before != asked.slot else None
        drained = await self._drain(left)
        await self._watch.look_anew()
        return Switched(
            result=done.result,
            before=done.before,
            active_slot=self._watch.active,
            changed=done.changed,
            check=done.check,
            drained=drained,
            audit_id=row,
            edge=self._watch.told(),
        )

    async def _change(self, admin: Admin, asked: SwitchRequest) -> Done:
        """Raises ProblemError; then nothing was changed, or the detail says what."""
        config = await _read(admin)
        reading = rules.read(config.value, self._watch.slots, {})
        check = await self._watch.checks.check(asked.slot, self._expected(asked))
        if check.fault:
            active = f"Visitors stay with {reading.active}." if reading.active else "Nothing was changed."
            raise ProblemError(409, "slot-not-ready", f"{asked.slot} cannot take visitors: {check.fault}. {active}")
        if reading.pointing in (Pointing.NO_PROXY, Pointing.ELSEWHERE):
            detail = f"Caddy's configuration has no reverse_proxy that points to a slot ({reading.pointing})."
            raise ProblemError(409, "edge-not-switchable", f"{detail} Nothing was changed.")
        changes = rules.plan(config.value, self._watch.slots, asked.slot)
        for place, change in enumerate(changes):
            try:
                await admin.replace(change, config if not place else await self._still(admin, change))
            except ChangedError as error:
                raise ProblemError(409, "edge-changed", f"Not switched: {error}.", headers=RETRY_AFTER) from None
            except RefusedError as error:
                raise ProblemError(409, "edge-refused", f"Not switched: {error}.") from None
            except CaddyError as error:
                log.warning("Caddy did not answer to a change: %s", error)  # it may have taken it: look
        await self._see(asked.slot)
        result = SwitchResult.DONE if changes else SwitchResult.UNCHANGED
        return Done(result, reading.active, [change.path for change in changes], check)

    async def _still(self, admin: Admin, change: rules.Change) -> Config:
        """The configuration as it is now, if what is to be changed next is still there."""
        config = await admin.config()
        if rules.at(config.value, change.path) != change.before:
            raise ChangedError
        return config

    async def _see(self, target: Slot) -> None:
        """What counts is what Caddy says afterwards. Raises ProblemError when that is something else."""
        seen = await self._watch.look_anew()
        if seen.config is None:
            detail = f"Caddy was told to switch and cannot be asked how it is now: {seen.detail}"
            raise ProblemError(503, "edge-unreachable", detail, headers=RETRY_AFTER)
        if self._watch.active != target:
            reading = self._watch.reading
            where = self._watch.active or (reading.pointing if reading else "nothing known")
            detail = f"Somebody else changed Caddy's configuration at the same time: it points to {where} now."
            raise ProblemError(409, "edge-changed", detail, headers=RETRY_AFTER)

    def _expected(self, asked: SwitchRequest) -> Expected:
        """The revision asked for; else the one of the newest deployment to that slot, unless that failed."""
        newest = [one for one in self._deployments.timeline if one.slot == asked.slot][-1:]
        good = [one.revision for one in newest if one.phase in (Phase.STARTED, Phase.SUCCEEDED)]
        return msgspec.structs.replace(
            self._watch.expected,
            revision=asked.revision or next(iter(good), None),
            revision_needed=asked.revision is not None,
        )

    async def _drain(self, left: Slot | None) -> Drained:
        """Waits until nothing is in flight on the slot that was left, as it or Caddy says; bounded."""
        began = time.monotonic()
        in_flight, streams = await self._left_on(left) if left else (None, None)
        while left and in_flight and time.monotonic() - began < self._drain_seconds:
            await asyncio.sleep(DRAIN_ROUND)
            in_flight, streams = await self._left_on(left)
        waited = round(time.monotonic() - began, 2)
        return Drained(slot=left, complete=not in_flight, waited_seconds=waited, in_flight=in_flight, streams=streams)

    async def _left_on(self, slot: Slot) -> tuple[int | None, int | None]:
        in_flight, streams = await self._watch.checks.busy(slot)
        if in_flight is not None and slot == self._own_slot:
            in_flight = max(0, in_flight - 1)  # this very request
        return in_flight, streams

    async def _note(
        self,
        result: SwitchResult,
        asked: SwitchRequest,
        request: RequestRecord,
        *,
        before: Slot | None,
        detail: str | None = None,
    ) -> int:
        """The number of the row. Raises ProblemError when it cannot be written."""
        after = self._watch.active if result is not SwitchResult.BEGUN else None
        said = {"slot": asked.slot, "reason": asked.reason, "before": before, "after": after, "detail": detail}
        row = await self._audit.note("switch", result, request=request, who=asked.actor, **said)
        return row.id

    async def _end(
        self,
        result: SwitchResult,
        asked: SwitchRequest,
        request: RequestRecord,
        *,
        before: Slot | None,
        detail: str | None,
    ) -> None:
        """Written down and told. What was done stays done when the disk refuses this second row."""
        try:
            await self._note(result, asked, request, before=before, detail=detail)
        except ProblemError as error:
            log.error("the end of a switch to %s (%s) is not in the audit: %s", asked.slot, result, error.detail)  # noqa: TRY400
        good = result in (SwitchResult.DONE, SwitchResult.UNCHANGED)
        self._events.say(
            "switch",
            f"switch to {asked.slot}: {result}" + (f": {detail}" if detail else ""),
            level=logging.INFO if good else logging.WARNING,
            result=result,
            slot=asked.slot,
            who=safe(asked.actor or request.client, longest=200),
            reason=safe(asked.reason, longest=500) if asked.reason else None,
            before=before,
            after=self._watch.active,
            request_id=request.request_id,
        )

    async def close(self) -> None:
        """Lets a switch that is under way come to its end."""
        if self._running:
            await asyncio.wait(self._running, timeout=2.0)


async def _read(admin: Admin) -> Config:
    try:
        return await admin.config()
    except CaddyError as error:
        detail = f"Caddy cannot be asked: {error}. Nothing was changed."
        raise ProblemError(503, "edge-unreachable", detail, headers=RETRY_AFTER) from None


def _faults(asked: SwitchRequest, slots: rules.Slots) -> list[tuple[str, str]]:
    known = asked.revision is None or (
        7 <= len(asked.revision) <= 64 and not asked.revision.lower().strip("0123456789abcdef")
    )
    checks = [
        ("$.slot", asked.slot in slots, f"{asked.slot} has no address in CHIMNEY_SLOTS"),
        ("$.reason", len(asked.reason or "") <= 500, "should be at most 500 characters"),
        ("$.actor", len(asked.actor or "") <= 200, "should be at most 200 characters"),
        ("$.revision", known, "should be 7 to 64 hexadecimal digits"),
    ]
    return [(path, detail) for path, good, detail in checks if not good]
