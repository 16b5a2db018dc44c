"""The audit of the table: each act of an operator, kept before it is done, and its outcome."""

import contextlib
import logging
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.params import QueryParameter
from litestar.response import Stream

from chimney.core.redact import safe
from chimney.store.audit import AuditLog
from chimney.store.errors import StoreError
from chimney.table.access import VIEWER
from chimney.table.queries import unreadable
from chimney.web.problem import ProblemError
from chimney.web.record import RequestRecord
from chimney.wire.audit import AuditChain, AuditedAct, AuditRecord, Result
from chimney.wire.base import Page, stamp

LONGEST_OBSERVED = 4_000
DOWNLOADED_AT_ONCE = 500
_encode = msgspec.json.Encoder().encode
_lines = msgspec.json.Encoder().encode_lines
log = logging.getLogger(__name__)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is about to be done; `body` is what is asked, of the origin or of the table itself, without its secrets."""

    act: str
    who: str
    client: str
    request_id: str
    origin: str | None
    did: str
    reason: str | None
    body: Any


def asked_of_table(who: str, record: RequestRecord, *, act: str, did: str, body: Any) -> Asked:
    """A change of the table's own, by whoever sent the request."""
    return Asked(
        act=act,
        who=who,
        client=record.client,
        request_id=record.request_id,
        origin=None,
        did=did,
        reason=None,
        body=body,
    )


class Audit:
    def __init__(self, kept: AuditLog) -> None:
        self._kept = kept

    async def before(self, asked: Asked) -> AuditRecord:
        """Durable when this returns. Raises ProblemError 503 when it cannot be written: then it must not be done."""
        record = AuditRecord(
            id=0,
            at=stamp(time.time()),
            act=asked.act,
            who=asked.who,
            client=asked.client,
            request_id=asked.request_id,
            result=Result.UNKNOWN,
            detail={
                "origin": asked.origin,
                "did": safe(asked.did, longest=500),
                "reason": safe(asked.reason, longest=500) if asked.reason else None,
                "asked": _text(asked.body),
            },
        )
        try:
            return await self._kept.add(record)
        except StoreError as error:
            detail = f"The audit record cannot be written, so nothing was done: {error}."
            raise ProblemError(503, "audit-unwritable", detail, headers=[(b"retry-after", b"10")]) from None

    async def after(
        self, asked: AuditRecord, result: Result, *, detail: str | None = None, observed: Any = None
    ) -> None:
        """The outcome. It is told in any case; when it cannot be kept, the act stays one of unknown outcome."""
        told = {"detail": detail, "observed": None if observed is None else _text(observed)}
        outcome = msgspec.structs.replace(
            asked, id=0, at=stamp(time.time()), result=result, of=asked.id, detail=told, hash=""
        )
        try:
            await self._kept.add(outcome)
        except StoreError as error:
            log.error("the outcome of act %d (%s) could not be written to the audit: %s", asked.id, result, error)  # noqa: TRY400

    @contextlib.asynccontextmanager
    async def doing(self, asked: Asked) -> AsyncIterator[None]:
        """Around a change of the table's own: written before it is made, and what became of it after.

        Raises ProblemError 503 when either the audit or the change cannot be written; nothing was changed then.
        """
        kept = await self.before(asked)
        try:
            yield
        except ProblemError as problem:
            await self.after(kept, Result.REFUSED, detail=problem.detail)
            raise
        except StoreError as error:
            await self.after(kept, Result.FAILED, detail=str(error))
            detail = f"It cannot be stored, so nothing was changed: {error}."
            raise ProblemError(503, "storage-full", detail, headers=[(b"retry-after", b"10")]) from None
        await self.after(kept, Result.DONE)

    async def chain(self) -> AuditChain:
        """Raises ProblemError 503 when it cannot be read."""
        try:
            newest, _ = await self._kept.page(limit=1, before=None)
            broken = await self._kept.broken()
        except StoreError as error:
            raise unreadable(error) from None
        records = newest[0].id if newest else 0
        return AuditChain(records=records, whole=broken is None, broken_at=broken, checked_at=stamp(time.time()))

    async def lines(self) -> AsyncIterator[bytes]:
        before: int | None = None
        while True:
            records, before = await self._kept.page(limit=DOWNLOADED_AT_ONCE, before=before)
            yield _lines(records)
            if before is None:
                return

    async def page(self, *, limit: int, before: int | None) -> Page[AuditedAct]:
        found, following = await self._kept.acts(limit=limit, before=before)
        items = [_folded(asked, outcome) for asked, outcome in found]
        return Page(items=items, next=str(following) if following else None)


def _text(value: Any) -> str:
    return safe(_encode(value).decode(), longest=LONGEST_OBSERVED)


def _value(text: str | None) -> Any:
    """As it was; the text itself when it was cut."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _folded(asked: AuditRecord, outcome: AuditRecord | None) -> AuditedAct:
    told = outcome.detail if outcome else {}
    return AuditedAct(
        id=asked.id,
        at=asked.at,
        act=asked.act,
        who=asked.who,
        client=asked.client,
        request_id=asked.request_id,
        origin=asked.detail.get("origin"),
        did=asked.detail.get("did"),
        reason=asked.detail.get("reason"),
        asked=_value(asked.detail.get("asked")),
        result=Result(outcome.result if outcome else asked.result),
        finished_at=outcome.at if outcome else None,
        detail=told.get("detail"),
        observed=_value(told.get("observed")),
        hash=asked.hash,
    )


LimitQuery = Annotated[int, QueryParameter(ge=1, le=500)]
CursorQuery = Annotated[str | None, QueryParameter(pattern="^[0-9]{1,18}$", description="`next` of the page before.")]


def routes(audit: Audit) -> list[Any]:
    @get("/api/audit", opt=VIEWER, summary="What operators had done", tags=["audit"])
    async def acts(limit: LimitQuery = 100, before: CursorQuery = None) -> Page[AuditedAct]:
        """Newest first, one item an act. Nothing is ever changed or removed."""
        return await audit.page(limit=limit, before=int(before) if before else None)

    @get("/api/audit/chain", opt=VIEWER, summary="Whether the audit is whole", tags=["audit"])
    async def chain() -> AuditChain:
        """Reads every record and its hash: one that was changed, or before which one is missing, is named."""
        return await audit.chain()

    @get("/api/audit/download", opt=VIEWER, summary="The audit as a file", tags=["audit"])
    async def download() -> Stream:
        """Every record as it is kept, newest first, with its hash, as NDJSON."""
        headers = {"cache-control": "no-store", "content-disposition": 'attachment; filename="chimney-audit.ndjson"'}
        return Stream(audit.lines(), media_type="application/x-ndjson", headers=headers)

    return [acts, chain, download]
