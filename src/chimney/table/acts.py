"""Acts of operators: written down, done through an origin, written down again, and answered with what was seen.

What cannot be written down before it is not done. When the origin went away half way, what became of the act is not
known, and both the answer and the audit say so.
"""

import logging
from typing import Any

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody

from chimney.config import FollowedOrigin
from chimney.core.acts import ActFaultError, call_of, described, said
from chimney.table.access import OPERATOR, VIEWER, AnyRequest, asker_of
from chimney.table.audit import Asked, Audit
from chimney.table.reach import Reach, RefusedError, UnansweredError
from chimney.web.problem import ProblemError
from chimney.wire.act import Act, ActAnswer, ActDescription, ActRequest
from chimney.wire.audit import Result
from chimney.wire.base import Page
from chimney.wire.problem import Fault

log = logging.getLogger(__name__)


class Acts:
    def __init__(self, reach: Reach, audit: Audit) -> None:
        self._reach = reach
        self._audit = audit

    async def do(self, act: Act, asked: ActRequest, *, who: str, client: str, request_id: str) -> ActAnswer:
        """Raises ProblemError: 400 when it makes no sense, 503 when it cannot be audited, else what the origin says."""
        origin = self._reach.find(asked.origin, "$.origin")
        try:
            call = call_of(act, asked)
        except ActFaultError as fault:
            errors = [Fault(path=fault.path, detail=fault.detail)]
            raise ProblemError(400, "malformed", str(fault), errors=errors) from None
        words = said(act, asked)
        kept = await self._audit.before(
            Asked(
                act=act,
                who=who,
                client=client,
                request_id=request_id,
                origin=origin.name,
                did=words,
                reason=asked.reason,
                body=call.body,
            )
        )
        try:
            observed = await self._reach.act(origin, call.path, call.body, seconds=call.seconds)
        except RefusedError as refused:
            await self._audit.after(kept, Result.REFUSED, detail=refused.detail)
            raise _refused(origin, refused) from None
        except UnansweredError as error:
            await self._audit.after(kept, Result.UNKNOWN if error.sent else Result.FAILED, detail=error.detail)
            raise _unanswered(origin, error) from None
        await self._audit.after(kept, Result.DONE, observed=observed)
        log.info("%s did %s at %s", who, words, origin.name, extra={"act": act, "origin": origin.name})
        return ActAnswer(id=kept.id, act=act, origin=origin.name, at=kept.at, did=words, observed=observed)


def _refused(origin: FollowedOrigin, refused: RefusedError) -> ProblemError:
    """4xx of the origin are the operator's to know as they are; that it wants another token is the table's fault."""
    if refused.status in (401, 403):
        name = origin.name.upper().replace("-", "_")
        detail = (
            f"{origin.name} does not take the table's operate token: {refused.detail} "
            f"Set CHIMNEY_TABLE_ORIGIN_{name}_OPERATE_TOKEN to one of the origin's CHIMNEY_OPERATE_TOKEN."
        )
        return ProblemError(502, "origin-refused-token", detail)
    status = refused.status if 400 <= refused.status < 500 else 502
    return ProblemError(status, "origin-refused", f"{origin.name}: {refused.detail}", errors=refused.errors)


def _unanswered(origin: FollowedOrigin, error: UnansweredError) -> ProblemError:
    if error.sent:
        detail = (
            f"{origin.name} got the request and did not answer ({error.detail}): it may have been done. Look first."
        )
        return ProblemError(504, "act-outcome-unknown", detail)
    return ProblemError(
        502, "origin-unreachable", f"{origin.name} cannot be reached: {error.detail}. Nothing was done."
    )


def routes(acts: Acts) -> list[Any]:
    @post("/api/acts/{act:str}", opt=OPERATOR, status_code=200, summary="Have an origin do something", tags=["acts"])
    async def do(request: AnyRequest, act: FromPath[str], data: JSONBody[ActRequest]) -> ActAnswer:
        """Written to the audit before and after. 409 when the origin finds that it cannot be done now."""
        if act not in list(Act):
            raise NotFoundException
        who, record = asker_of(request)
        return await acts.do(Act(act), data, who=who, client=record.client, request_id=record.request_id)

    @get("/api/acts", opt=VIEWER, summary="What can be done", tags=["acts"])
    async def described_acts() -> Page[ActDescription]:
        """Each act, what it does, what it needs and takes, and whether it hurts."""
        return Page(items=described())

    return [do, described_acts]
