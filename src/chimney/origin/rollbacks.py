"""Going back: which past deployment one can return to, doing it, and telling when what was left comes again."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, cast

import msgspec
from litestar import Request, post
from litestar.params import Body

from chimney.core.redact import safe
from chimney.core.rollback import Means, contained, live_deployment, live_revision, questions, way_back
from chimney.origin.audit import Audit
from chimney.origin.deployments import Deployments
from chimney.origin.diffs import Diffs
from chimney.origin.events import Says
from chimney.origin.run_acts import RunActs
from chimney.web.asgi import Scope
from chimney.web.problem import ProblemError
from chimney.web.record import RequestRecord, record_of
from chimney.wire.deployment import (
    Deployment,
    Phase,
    RollbackDone,
    RollbackRequest,
    Way,
    WayBack,
)
from chimney.wire.edge import Slot, SwitchRequest
from chimney.wire.problem import Fault
from chimney.wire.run_act import RunAct, RunActRequest

LONGEST_REASON = 500
KNOWN = 2_000  # pairs of revisions, ~200 B each
LOOKED_AT = 50  # of the newest deployments
AGAIN_SECONDS = 30.0
NEWS = timedelta(hours=1)  # a deployment older than that is told without an event
AnyRequest = Request[Any, Any, Any]
Switch = Callable[[SwitchRequest, RequestRecord], Awaitable[msgspec.Struct]]
log = logging.getLogger(__name__)


class Rollbacks:
    """`switch` makes a slot the active one at the edge, or raises ProblemError; None while there is no edge."""

    def __init__(
        self, deployments: Deployments, diffs: Diffs, acts: RunActs, audit: Audit, events: Says, *, workflow: str | None
    ) -> None:
        self._deployments = deployments
        self._diffs = diffs
        self._acts = acts
        self._audit = audit
        self._events = events
        self._workflow = workflow
        self._known: dict[tuple[str, str], bool | None] = {}
        self._said: set[tuple[str, str]] = set()
        self.switch: Switch | None = None
        self.can_dispatch = False

    def _here(self) -> list[Deployment]:
        place = self._deployments.place
        return [one for one in self._deployments.timeline if one.environment == place.environment]

    def _means(self) -> Means:
        active, slots = self._deployments.slots_now()
        return Means(active, slots, self.switch is not None, self._workflow, self.can_dispatch)

    def _contains(self, bad: str, head: str) -> bool | None:
        return True if bad == head else self._known.get((bad, head))

    def mark(self, deployments: Sequence[Deployment]) -> list[Deployment]:
        """Each with its way back, and with what it brings again."""
        here, means = self._here(), self._means()
        live = live_revision(here, means)
        brings = contained(here[-LOOKED_AT:], self._contains)
        elsewhere = WayBack(possible=False, why="it is of another environment than this origin's")
        return [
            msgspec.structs.replace(
                one,
                contains=brings.get(one.id),
                way_back=way_back(one, live=live, means=means)
                if one.environment == self._deployments.place.environment
                else elsewhere,
            )
            for one in deployments
        ]

    async def look(self) -> float:
        """A loop's verb: asks GitHub what deployments after a rollback contain, and says which bring it again."""
        here = self._here()[-LOOKED_AT:]
        wait = 300.0
        for bad, head in questions(here):
            if (bad, head) in self._known:
                continue
            try:
                answer = await self._diffs.contains(bad, head)
            except ProblemError as error:
                log.info("GitHub does not say yet whether %s contains %s: %s", head[:12], bad[:12], error.detail)
                wait = AGAIN_SECONDS
                break
            self._known[bad, head] = answer
            if len(self._known) > KNOWN:
                self._known.pop(next(iter(self._known)))
        self._say(here)
        return wait

    def _say(self, here: Sequence[Deployment]) -> None:
        recent = datetime.now(UTC) - NEWS
        for number, bad in contained(here, self._contains).items():
            one = next(one for one in here if one.id == number)
            if (number, bad.deployment) in self._said or one.started_at < recent:
                continue
            self._said.add((number, bad.deployment))
            if not self._deployments.is_speaker():
                continue
            self._events.say(
                "deployment_contains_bad",
                f"deployment of {one.revision[:12]} contains {bad.revision[:12]}, which {bad.by or 'somebody'}"
                f" rolled back: {bad.reason or 'nobody said why'}",
                level=logging.WARNING,
                id=number,
                revision=one.revision,
                bad_revision=bad.revision,
                by=bad.by,
                reason=bad.reason,
            )

    async def roll_back(self, asked: RollbackRequest, request: RequestRecord) -> RollbackDone:
        """Raises ProblemError: 400 without a reason, 404, 409 without a way back, or what the way itself says."""
        if not asked.reason.strip() or len(asked.reason) > LONGEST_REASON:
            detail = f"should say why, in at most {LONGEST_REASON} characters"
            raise ProblemError(400, "malformed", f"$.reason: {detail}", errors=[Fault(path="$.reason", detail=detail)])
        await self._deployments.look()
        here, means = self._here(), self._means()
        goal = next((one for one in here if one.id == asked.deployment), None)
        if goal is None:
            raise ProblemError(404, "not-found", f"There is no deployment {asked.deployment[:100]!r} here.")
        way = way_back(goal, live=live_revision(here, means), means=means)
        if not way.possible or way.how is None:
            raise ProblemError(409, "no-way-back", f"One cannot go back to {goal.revision[:12]}: {way.why}.")
        left = live_deployment(here, means)
        said = {"deployment": goal.id, "revision": goal.revision, "left": left.revision if left else None}
        noted = {**said, "how": way.how, "reason": asked.reason}
        await self._audit.note("rollback", "begun", request=request, who=asked.actor, **noted)
        try:
            observed = await self._go(goal, way, asked.reason, request)
        except ProblemError as error:
            await self._audit.note("rollback", f"failed: {error.detail}", request=request, who=asked.actor, **noted)
            raise
        marked = await self._leave(left, goal, asked) if left else None
        await self._audit.note("rollback", "done", request=request, who=asked.actor, **noted)
        [told] = self._deployments.marked([goal], datetime.now(UTC))
        return RollbackDone(deployment=told, left=marked, how=way.how, observed=observed)

    async def _go(
        self, goal: Deployment, way: WayBack, reason: str, request: RequestRecord
    ) -> dict[str, object] | None:
        if way.how is Way.SWITCH and self.switch and way.slot:
            switch = SwitchRequest(slot=cast("Slot", way.slot), reason=reason, revision=goal.revision)
            return cast("dict[str, object]", msgspec.to_builtins(await self.switch(switch, request)))
        dispatch = RunActRequest(workflow=self._workflow, inputs={"revision": goal.revision}, reason=reason)
        return cast("dict[str, object]", msgspec.to_builtins(await self._acts.do(RunAct.DISPATCH, dispatch)))

    async def _leave(self, left: Deployment, goal: Deployment, asked: RollbackRequest) -> Deployment:
        """Marks what was left as bad: durable, and in the timeline of every slot and replica."""
        accepted, _ = await self._deployments.report(
            {
                "phase": Phase.ROLLED_BACK,
                "revision": left.revision,
                "environment": left.environment,
                "slot": left.slot,
                "actor": safe(asked.actor, longest=190) if asked.actor else None,
                "reason": safe(asked.reason, longest=LONGEST_REASON),
                "message": f"Back to {goal.revision[:12]}",
            }
        )
        return accepted.deployment


def routes(rollbacks: Rollbacks, *, operate_scope: Any) -> list[Any]:
    @post(
        "/api/deploy/rollback",
        guards=[operate_scope],
        status_code=200,
        summary="Go back to an earlier deployment",
        tags=["deployments"],
    )
    async def roll_back(request: AnyRequest, data: Annotated[RollbackRequest, Body()]) -> RollbackDone:
        """Switches to the slot that still runs it, or starts the workflow that deploys it again. Marks what is left."""
        return await rollbacks.roll_back(data, record_of(cast("Scope", request.scope)))

    return [roll_back]
