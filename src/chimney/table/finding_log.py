"""What becomes of findings, kept: past ones for the history, current ones over a restart, and who silenced which."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from typing import Annotated, Any, cast

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from chimney.core.finding_life import Lives
from chimney.core.redact import safe
from chimney.store.errors import StoreError
from chimney.store.findings import FindingLog
from chimney.table.access import OPERATOR, VIEWER, identity_of
from chimney.table.audit import Asked, Audit
from chimney.table.queries import CursorQuery, FromQuery, LimitQuery, ToQuery, malformed, moment, unreadable
from chimney.web import asgi
from chimney.web.problem import ProblemError
from chimney.web.record import record_of
from chimney.wire.audit import Result
from chimney.wire.base import Page, stamp
from chimney.wire.finding import Alert, Finding, PastFinding, Silence, SilenceRequest

WAITING = 2_000  # what changed while the disk refused, ~1 kB each
SAVE_SECONDS, AGAIN_SECONDS = 1.0, 5.0
LONGEST_SILENCE = 30 * 86_400.0
LONGEST_REASON = 500
log = logging.getLogger(__name__)


class FindingKeeper:
    """`hear` never waits; `save` is the verb of a loop. `dropped` counts changes that the disk refused for too long."""

    def __init__(self, kept: FindingLog, lives: Lives) -> None:
        self._kept = kept
        self._lives = lives
        self._waiting: deque[Alert] = deque()
        self._saving: asyncio.Task[float] | None = None
        self.dropped = 0

    async def load(self, *, unsure_seconds: float) -> None:
        """What was current and silenced when the table ended."""
        self._lives.recall(await self._kept.current(), until=stamp(time.time() + unsure_seconds))
        self._lives.silences = await self._kept.silences()

    def hear(self, alerts: Sequence[Alert]) -> None:
        self._waiting.extend(alerts)
        while len(self._waiting) > WAITING:
            self._waiting.popleft()
            self.dropped += 1

    async def save(self) -> float:
        """Also when it is cancelled half-way what was begun is ended, and nothing is written twice."""
        if self._saving is None or self._saving.done():
            self._saving = asyncio.create_task(self._save())
            return await asyncio.shield(self._saving)
        await asyncio.wait((self._saving,))
        return await self._save()

    async def _save(self) -> float:
        taken = list(self._waiting)
        if not taken:
            return SAVE_SECONDS
        self._waiting.clear()
        try:
            await self._kept.write(taken)
        except StoreError:  # a full disk is told of by ingest
            self._waiting.extendleft(reversed(taken))
            return AGAIN_SECONDS
        return SAVE_SECONDS

    async def silence(self, finding: Finding, silence: Silence | None) -> Finding:
        """Raises StoreError. The finding as it is shown from now on."""
        await self._kept.silence(finding.id, silence, now=time.time())
        self._lives.silences.pop(finding.id, None)
        if silence:
            self._lives.silences[finding.id] = silence
        return msgspec.structs.replace(finding, silenced=silence)

    def find(self, finding_id: str) -> Finding:
        """Raises ProblemError 404 unless it is current."""
        found = next((one for one in self._lives.current.items if one.id == finding_id), None)
        if found is None:
            raise ProblemError(404, "not-found", f"There is no current finding {finding_id[:200]!r}.")
        return found

    async def past(self, **asked: Any) -> Page[PastFinding]:
        try:
            items, following = await self._kept.past(**asked)
        except StoreError as error:
            raise unreadable(error) from None
        return Page(items=items, next=str(following) if following else None)


def silence_of(asked: SilenceRequest, *, by: str, now: float) -> Silence | None:
    """None when it is to end. Raises ProblemError 400."""
    if not 0 <= asked.for_seconds <= LONGEST_SILENCE:
        raise malformed("$.for_seconds", f"should be 0 to {LONGEST_SILENCE:.0f} seconds")
    if asked.reason and len(asked.reason) > LONGEST_REASON:
        raise malformed("$.reason", f"should be at most {LONGEST_REASON} characters")
    if asked.for_seconds == 0:
        return None
    reason = safe(asked.reason, longest=LONGEST_REASON) if asked.reason else None
    return Silence(until=stamp(now + asked.for_seconds), by=by, reason=reason, at=stamp(now))


async def _silenced(
    keeper: FindingKeeper, audit: Audit, finding_id: str, asked: SilenceRequest, scope: asgi.Scope
) -> Finding:
    """Raises ProblemError."""
    finding = keeper.find(finding_id)
    who, record = identity_of(scope).who, record_of(scope)
    wanted = silence_of(asked, by=who, now=time.time())
    did = f"silence {finding.id} for {asked.for_seconds:g} s" if wanted else f"end the silence of {finding.id}"
    kept = await audit.before(
        Asked(
            act="silence",
            who=who,
            client=record.client,
            request_id=record.request_id,
            origin=finding.origin,
            did=did,
            reason=asked.reason,
            body=asked,
        )
    )
    try:
        shown = await keeper.silence(finding, wanted)
    except StoreError as error:
        await audit.after(kept, Result.FAILED, detail=str(error))
        raise ProblemError(503, "storage-full", f"The silence was not kept: {error}.") from None
    await audit.after(kept, Result.DONE, observed=shown.silenced)
    log.info("%s did %s", who, did)
    return shown


def routes(keeper: FindingKeeper, audit: Audit) -> list[Any]:
    @get("/api/findings/history", opt=VIEWER, summary="What was wrong", tags=["findings"])
    async def history(
        from_: FromQuery = None,
        to: ToQuery = None,
        code: Annotated[str | None, QueryParameter(max_length=100)] = None,
        origin: Annotated[str | None, QueryParameter(max_length=100)] = None,
        limit: LimitQuery = 100,
        before: CursorQuery = None,
    ) -> Page[PastFinding]:
        """Findings that are over and were current between `from` and `to`, the last told first."""
        start, end = moment(from_, "query.from"), moment(to, "query.to")
        return await keeper.past(
            from_seconds=(start or 0) / 1000,
            to_seconds=end / 1000 if end is not None else 2.0**40,
            code=code,
            origin=origin,
            limit=limit,
            before=int(before) if before else None,
        )

    @post(
        "/api/findings/{finding_id:str}/silence",
        opt=OPERATOR,
        status_code=200,
        summary="No notifications of a finding for a while",
        tags=["findings"],
    )
    async def silence(
        request: Request[Any, Any, Any], finding_id: FromPath[str], data: JSONBody[SilenceRequest]
    ) -> Finding:
        """It is shown as silenced, also when it goes away and comes back in that time. 0 seconds end a silence. Audited
        before and after."""
        scope = cast("asgi.Scope", request.scope)
        return await _silenced(keeper, audit, finding_id, data, scope)

    return [history, silence]
