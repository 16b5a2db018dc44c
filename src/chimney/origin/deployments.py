"""Deployments: reports in, status and timeline out."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple, Protocol, cast

import msgspec
from litestar import Request, Response, get, post
from litestar.params import Body, FromQuery, QueryParameter

from chimney.core.delivery import Delivery
from chimney.core.deploy_report import BadReportError, parse_report
from chimney.core.deployment import Folded, begin, fold_reports, is_stuck, slots_as_reported, status, with_stuck
from chimney.core.github_deployment import reports_of
from chimney.origin.audit import Audit
from chimney.origin.events import Says, Silence
from chimney.origin.slots import Slots
from chimney.store.errors import StoreError
from chimney.web.asgi import Scope
from chimney.web.problem import ProblemError
from chimney.web.record import record_of
from chimney.wire.base import Page
from chimney.wire.deployment import Deployment, DeployReport, DeployStatus, Phase, ReportAccepted, SlotState
from chimney.wire.github_deployment import GitHubTelling, Telling
from chimney.wire.problem import Fault

AnyRequest = Request[Any, Any, Any]
HELD = 2_000  # reports folded in memory: about a year of three deployments a day, ~1 kB each ≈ 2 MB
TICK_SECONDS = 5.0
RECENT = 10  # deployments that the status shows
log = logging.getLogger(__name__)


class ReportStore(Protocol):
    """Keeps reports durably. Raises StoreError when the disk refuses."""

    async def add(self, report: DeployReport) -> bool: ...
    async def mark(self) -> int: ...
    async def latest(self, count: int) -> list[DeployReport]: ...


class Place(NamedTuple):
    """What this origin is about. `environments`: those that reports may be about; empty: any."""

    repo: str | None
    environment: str
    environments: Sequence[str] = ()
    stuck_after: timedelta = timedelta(minutes=30)


class Deployments:
    """The timeline of one origin. Reports are durable before they are answered.

    `configured_slot` is the active slot as the edge has it, None while that is not known. `on_change` is called when
    the timeline is another than before, also by what the other slot took. `is_speaker`: whether this one of the slots,
    which share their events, says what both see.
    """

    def __init__(
        self, store: ReportStore, place: Place, *, events: Says | None = None, slots: Slots | None = None
    ) -> None:
        self._store = store
        self.place = place
        self._events = events or Silence()
        self._slots = slots
        self._mark = -1
        self._loading = asyncio.Lock()
        self._folded: list[Folded] = []
        self._stuck: set[str] = set()
        self.timeline: list[Deployment] = []
        self.by_phase: dict[str, int] = {}
        self.configured_slot: Callable[[], str | None] = lambda: None
        self.on_change: list[Callable[[], None]] = []
        self.mark: Callable[[list[Deployment]], list[Deployment]] = lambda deployments: deployments
        self.is_speaker: Callable[[], bool] = lambda: True
        self.telling: Callable[[], GitHubTelling] = lambda: GitHubTelling(state=Telling.NOT_CONFIGURED)

    async def load(self) -> None:
        """Folds what is stored into the timeline, once for all who wait. Raises StoreError."""
        async with self._loading:
            mark = await self._store.mark()
            if mark == self._mark:
                return
            reports = await self._store.latest(HELD)
            self._folded = await asyncio.to_thread(fold_reports, reports, self.place.repo)
            self.timeline = [one.deployment for one in self._folded]
            self._mark = mark
        for changed in self.on_change:
            changed()

    async def refresh(self) -> None:
        """Takes in what the other slot wrote. What is known stays when the disk refuses."""
        try:
            await self.load()
        except StoreError as error:
            log.warning("deploy reports cannot be read: %s", error)

    async def tick(self) -> float:
        """A loop's verb: says once of each deployment that it is stuck."""
        await self.refresh()
        now = datetime.now(UTC)
        stuck = [one for one in self.timeline if is_stuck(one, after=self.place.stuck_after, now=now)]
        for one in stuck:
            if one.id not in self._stuck and self.is_speaker():
                self._say_stuck(one, now)
        self._stuck = {one.id for one in stuck}
        return TICK_SECONDS

    def _say_stuck(self, one: Deployment, now: datetime) -> None:
        minutes = (now - one.started_at).total_seconds() / 60
        text = f"deployment of {one.revision[:12]} to {one.slot or one.environment}: no end since {minutes:.0f} minutes"
        self._events.say("deployment_stuck", text, level=logging.WARNING, **_words(one), id=one.id)

    async def report(self, raw: dict[str, Any]) -> tuple[ReportAccepted, bool]:
        """Keeps one report; whether it was new comes with it. Raises ProblemError for a bad one or a refusing disk."""
        now = datetime.now(UTC)
        new_id = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        try:
            report = parse_report(raw, now=now, environment=self.place.environment, new_id=new_id)
        except BadReportError as error:
            raise ProblemError(400, "malformed", str(error), errors=error.faults) from None
        self._refuse_others(raw, report)
        try:
            new = await self.take(report)
        except StoreError as error:
            detail = f"The report was not recorded: {error}. Send it again."
            raise ProblemError(503, "storage-full", detail, headers=[(b"retry-after", b"10")]) from None
        told = next((one.deployment for one in reversed(self._folded) if report.id in one.ids), None)
        [shown] = self.marked([told or begin(report, self.place.repo).deployment], now)
        return ReportAccepted(id=report.id, deployment=shown), new

    def _refuse_others(self, raw: Mapping[str, Any], report: DeployReport) -> None:
        """Raises ProblemError 403 for a report that is about something else than this origin."""
        said = raw.get("repo") or raw.get("repository")
        here = self.place.repo
        if said is not None and here is not None and str(said).lower() != here.lower():
            detail = f"This origin is about {here}, and the report about another repository. Send it to that one's."
            raise ProblemError(403, "another-repository", detail)
        if self.place.environments and report.environment not in self.place.environments:
            allowed = ", ".join(self.place.environments)
            detail = f"Reports may be about {allowed} (CHIMNEY_DEPLOY_ENVIRONMENTS), not about this environment."
            raise ProblemError(403, "another-environment", detail)

    async def take(self, report: DeployReport) -> bool:
        """Whether it is new. Durable and in the timeline when this returns; raises StoreError."""
        new = await self._store.add(report)
        await self.load()
        if new:
            self._tell(report)
        return new

    async def hear(self, deliveries: list[Delivery]) -> None:
        """What GitHub's webhooks tell of deployments of our repository. Raises StoreError."""
        now = datetime.now(UTC)
        for delivery in deliveries:
            if (delivery.repo or "").lower() == (self.place.repo or "").lower():
                for report in reports_of(delivery, now=now):
                    await self.take(report)

    def _tell(self, report: DeployReport) -> None:
        self.by_phase[report.phase] = self.by_phase.get(report.phase, 0) + 1
        text = f"deployment of {report.revision[:12]} to {report.slot or report.environment}: {report.phase}"
        self._events.say("deployment", text, **_words(report), source=report.source)

    async def status(self) -> DeployStatus:
        """What is deployed now, with the slots as they answer."""
        await self.look()
        now = datetime.now(UTC)
        here = [one for one in self.timeline if one.environment == self.place.environment]
        shown = self.marked(here[-RECENT:], now)
        told = status(here[:-RECENT] + shown, repo=self.place.repo, now=now)
        configured = self.configured_slot()
        return msgspec.structs.replace(
            told,
            active_slot=configured or told.active_slot,
            active_source="edge" if configured else told.active_source,
            slots=self._observed(told.slots),
            stuck_after_seconds=self.place.stuck_after.total_seconds(),
            github=self.telling(),
        )

    async def look(self) -> None:
        """What is stored and what the slots say, as of now."""
        asking = [self._slots.fresh()] if self._slots else []
        await asyncio.gather(self.refresh(), *asking)

    def _observed(self, reported: dict[str, SlotState]) -> dict[str, SlotState]:
        return self._slots.states(reported) if self._slots else reported

    def slots_now(self) -> tuple[str | None, dict[str, SlotState]]:
        """The active slot, and each as it was last seen."""
        here = [one for one in self.timeline if one.environment == self.place.environment]
        live = [one.slot for one in here if one.slot and one.phase is Phase.SUCCEEDED]
        active = self.configured_slot() or (live[-1] if live else None)
        return active, self._observed(slots_as_reported(here))

    def marked(self, deployments: Sequence[Deployment], now: datetime) -> list[Deployment]:
        """As they are told: with what depends on the moment."""
        return self.mark(with_stuck(deployments, after=self.place.stuck_after, now=now))

    def revision_of(self, slot: str | None) -> str | None:
        """What was last deployed with success to `slot`, or anywhere when it is None; None when nothing was."""
        good = [one for one in self.timeline if one.phase is Phase.SUCCEEDED and slot in (None, one.slot)]
        return good[-1].revision if good else None

    async def page(self, *, limit: int, before: str | None) -> Page[Deployment]:
        await self.look()
        newest_first = self.timeline[::-1]
        if before is not None:
            place = next((i for i, one in enumerate(newest_first) if one.id == before), None)
            if place is None:
                detail = f"there is no deployment {before[:100]!r}"
                fault = Fault(path="query.before", detail=detail)
                raise ProblemError(400, "malformed", f"query.before: {detail}", errors=[fault])
            newest_first = newest_first[place + 1 :]
        items = self.marked(newest_first[:limit], datetime.now(UTC))
        return Page(items=items, next=items[-1].id if len(newest_first) > limit else None)


def _words(one: Deployment | DeployReport) -> dict[str, Any]:
    return {"phase": one.phase, "revision": one.revision, "slot": one.slot, "environment": one.environment}


class ReportBody(msgspec.Struct, kw_only=True, frozen=True):
    """A deploy report as it may be sent: `phase` or `outcome`, `revision` or `sha`; the rest is optional."""

    phase: str | None = None
    outcome: str | None = None
    revision: str | None = None
    sha: str | None = None
    environment: str | None = None
    slot: str | None = None
    pr_number: int | None = None
    pr_title: str | None = None
    message: str | None = None
    actor: str | None = None
    run_url: str | None = None
    duration_seconds: float | None = None
    duration_s: float | None = None
    at: datetime | None = None
    deployed_at: datetime | None = None
    origin_ips: list[str] | None = None
    id: str | None = None
    environment_url: str | None = None
    reason: str | None = None
    repo: str | None = None
    repository: str | None = None


Limit = Annotated[int, QueryParameter(ge=1, le=500, description="At most so many, 1 to 500.")]


def routes(deployments: Deployments, audit: Audit, *, public_scope: Any, deploy_scope: Any) -> list[Any]:
    @post("/api/deploy/events", guards=[deploy_scope], summary="Report a deployment", tags=["deployments"])
    async def report(request: AnyRequest, data: Annotated[ReportBody, Body()]) -> Response[ReportAccepted]:
        """Durable before the answer. 201 when the report is new, 200 when its `id` was known: then nothing changes."""
        raw = msgspec.structs.asdict(data)
        try:
            accepted, new = await deployments.report(raw)
        except ProblemError as error:
            if error.status == 403:
                await _note_refused(request, raw, error)
            raise
        return Response(accepted, status_code=201 if new else 200)

    async def _note_refused(request: AnyRequest, raw: Mapping[str, Any], error: ProblemError) -> None:
        asked = {name: str(raw[name]) for name in ("repo", "repository", "environment", "revision") if raw.get(name)}
        record = record_of(cast("Scope", request.scope))
        await audit.note("deploy_report", f"refused: {error.slug}", request=record, who=raw.get("actor"), **asked)

    @get("/api/deploy/events", guards=[public_scope], summary="The timeline of deployments", tags=["deployments"])
    async def events(limit: Limit = 50, before: FromQuery[str | None] = None) -> Page[Deployment]:
        """Newest first."""
        return await deployments.page(limit=limit, before=before)

    @get("/api/deploy/status", guards=[public_scope], summary="What is deployed now", tags=["deployments"])
    async def status_() -> DeployStatus:
        """`last_deploy` is null when none was ever reported."""
        return await deployments.status()

    return [report, events, status_]
