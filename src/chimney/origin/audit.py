"""The audit of this origin: every act, and every report that was refused, once and for good."""

import time
from typing import Annotated, Any

from litestar import get
from litestar.params import FromQuery, QueryParameter

from chimney.core.redact import safe
from chimney.store.audit import AuditLog
from chimney.store.errors import StoreError
from chimney.web.problem import ProblemError
from chimney.web.record import RequestRecord
from chimney.wire.audit import AuditRecord
from chimney.wire.base import Page, stamp
from chimney.wire.problem import Fault


class Audit:
    def __init__(self, kept: AuditLog) -> None:
        self._kept = kept

    async def note(
        self, act: str, result: str, *, request: RequestRecord | None, who: str | None = None, **detail: str | None
    ) -> AuditRecord:
        """One record, durable when this returns. Raises ProblemError 503 when it cannot be written."""
        record = AuditRecord(
            id=0,
            at=stamp(time.time()),
            act=act,
            who=safe(who, longest=200) if who else None,
            client=request.client if request else None,
            request_id=request.request_id if request else None,
            result=result,
            detail={name: safe(value, longest=500) if value else value for name, value in detail.items()},
        )
        try:
            return await self._kept.add(record)
        except StoreError as error:
            detail_ = f"The audit record cannot be written, so nothing was done: {error}."
            raise ProblemError(503, "storage-full", detail_, headers=[(b"retry-after", b"10")]) from None

    async def page(self, *, limit: int, before: str | None) -> Page[AuditRecord]:
        if before is not None and not (before.isascii() and before.isdigit() and len(before) < 19):
            detail = "should be the `next` of a page"
            fault = Fault(path="query.before", detail=detail)
            raise ProblemError(400, "malformed", f"query.before: {detail}", errors=[fault])
        items, following = await self._kept.page(limit=limit, before=int(before) if before else None)
        return Page(items=items, next=str(following) if following else None)


Limit = Annotated[int, QueryParameter(ge=1, le=500, description="At most so many, 1 to 500.")]


def routes(audit: Audit, *, read_scope: Any) -> list[Any]:
    @get("/api/audit", guards=[read_scope], summary="What was asked of this origin", tags=["audit"])
    async def records(limit: Limit = 50, before: FromQuery[str | None] = None) -> Page[AuditRecord]:
        """Every act and every refused report, newest first. Nothing is ever changed or removed."""
        return await audit.page(limit=limit, before=before)

    return [records]
