"""Deployments: reports in, status and timeline out."""

import asyncio
import secrets
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol

import msgspec
from litestar import Response, get, post
from litestar.params import Body, FromQuery, QueryParameter

from chimney.core import deployment as rules
from chimney.origin.events import Says, Silence
from chimney.store.errors import StoreError
from chimney.web.problem import ProblemError
from chimney.wire.base import Page
from chimney.wire.deployment import Deployment, DeployReport, DeployStatus, Phase, ReportAccepted
from chimney.wire.problem import Fault

HELD = 2_000  # reports folded in memory: about a year of three deployments a day, ~1 kB each ≈ 2 MB


class ReportStore(Protocol):
    """Keeps reports durably. Raises StoreError when the disk refuses."""

    async def add(self, report: DeployReport) -> bool: ...
    async def latest(self, count: int) -> list[DeployReport]: ...


class Deployments:
    """The timeline of one origin. Reports are durable before they are answered."""

    def __init__(self, store: ReportStore, *, repo: str | None, environment: str, events: Says | None = None) -> None:
        self._store = store
        self._events = events or Silence()
        self._repo = repo
        self._environment = environment
        self.timeline: list[Deployment] = []
        self.by_phase: dict[str, int] = {}

    async def load(self) -> list[DeployReport]:
        """Folds what is stored into the timeline. Both slots write, so it is read anew after each report."""
        reports = await self._store.latest(HELD)
        self.timeline = await asyncio.to_thread(rules.fold, reports, self._repo)
        return reports

    async def report(self, raw: dict[str, Any]) -> tuple[ReportAccepted, bool]:
        """Keeps one report; whether it was new comes with it. Raises ProblemError for a bad one or a refusing disk."""
        now = datetime.now(UTC)
        new_id = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        try:
            report = rules.parse_report(raw, now=now, environment=self._environment, new_id=new_id)
            new = await self._store.add(report)
            reports = await self.load()
        except rules.BadReportError as error:
            raise ProblemError(400, "malformed", str(error), errors=error.faults) from None
        except StoreError as error:
            detail = f"The report was not recorded: {error}. Send it again."
            raise ProblemError(503, "storage-full", detail, headers=[(b"retry-after", b"10")]) from None
        if new:
            self._tell(report)
        kept = next((one for one in reports if one.id == report.id), report)
        told = max((one for one in self.timeline if _tells(one, kept)), key=lambda one: one.started_at, default=None)
        return ReportAccepted(id=report.id, deployment=told or rules.begin(kept, self._repo)), new

    def _tell(self, report: DeployReport) -> None:
        self.by_phase[report.phase] = self.by_phase.get(report.phase, 0) + 1
        self._events.say(
            "deployment",
            f"deployment of {report.revision[:12]} to {report.slot or report.environment}: {report.phase}",
            phase=report.phase,
            revision=report.revision,
            slot=report.slot,
            environment=report.environment,
        )

    def status(self) -> DeployStatus:
        here = [one for one in self.timeline if one.environment == self._environment]
        return rules.status(here, repo=self._repo, now=datetime.now(UTC))

    def revision_of(self, slot: str | None) -> str | None:
        """What was last deployed with success to `slot`, or anywhere when it is None; None when nothing was."""
        good = [one for one in self.timeline if one.phase is Phase.SUCCEEDED and slot in (None, one.slot)]
        return good[-1].revision if good else None

    def page(self, *, limit: int, before: str | None) -> Page[Deployment]:
        newest_first = self.timeline[::-1]
        if before is not None:
            place = next((i for i, one in enumerate(newest_first) if one.id == before), None)
            if place is None:
                detail = f"there is no deployment {before[:100]!r}"
                fault = Fault(path="query.before", detail=detail)
                raise ProblemError(400, "malformed", f"query.before: {detail}", errors=[fault])
            newest_first = newest_first[place + 1 :]
        items = newest_first[:limit]
        return Page(items=items, next=items[-1].id if len(newest_first) > limit else None)


def _tells(deployment: Deployment, report: DeployReport) -> bool:
    return (deployment.revision, deployment.environment) == (report.revision, report.environment) and (
        report.slot in (None, deployment.slot)
    )


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


Limit = Annotated[int, QueryParameter(ge=1, le=500, description="At most so many, 1 to 500.")]


def routes(deployments: Deployments, *, deploy_scope: Any) -> list[Any]:
    @post("/api/deploy/events", guards=[deploy_scope], summary="Report a deployment", tags=["deployments"])
    async def report(data: Annotated[ReportBody, Body()]) -> Response[ReportAccepted]:
        """Durable before the answer. 201 when the report is new, 200 when its `id` was known: then nothing changes."""
        accepted, new = await deployments.report(msgspec.structs.asdict(data))
        return Response(accepted, status_code=201 if new else 200)

    @get("/api/deploy/events", summary="The timeline of deployments", tags=["deployments"])
    async def events(limit: Limit = 50, before: FromQuery[str | None] = None) -> Page[Deployment]:
        """Newest first."""
        return deployments.page(limit=limit, before=before)

    @get("/api/deploy/status", summary="What is deployed now", tags=["deployments"])
    async def status() -> DeployStatus:
        """`last_deploy` is null when none was ever reported."""
        return deployments.status()

    return [report, events, status]
