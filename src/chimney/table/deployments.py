"""Deployments over all origins: what each told, kept for good, with what was logged and what failed after each."""

import logging
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from chimney.core.log_filter import LogFilter
from chimney.store.errors import StoreError
from chimney.store.telemetry import LogStore
from chimney.store.timeline import DeploymentLog
from chimney.table.access import VIEWER
from chimney.table.errors import Errors
from chimney.table.queries import LimitQuery, unreadable
from chimney.web.problem import ProblemError
from chimney.wire.base import Page
from chimney.wire.deployment import Deployment
from chimney.wire.origin import DeploymentDetail, PlacedDeployment
from chimney.wire.telemetry import LEVELS
from chimney.wire.verdict import Verdict

HELD = 5_000  # ~1 kB each; older ones stay on disk
AFTER = timedelta(minutes=30)
MOST_LOGS = 200
SAVE_SECONDS = 1.0
log = logging.getLogger(__name__)
Key = tuple[str, str]


class Deployments:
    """`save` is the verb of a loop."""

    def __init__(self, kept: DeploymentLog, *, changed: Callable[[], None] = lambda: None) -> None:
        self._kept = kept
        self._told = changed
        self._held: dict[Key, PlacedDeployment] = {}
        self._unsaved: dict[Key, PlacedDeployment] = {}
        self._timelines: dict[str, list[tuple[float, str]]] = {}

    async def load(self) -> None:
        self._held = {(one.origin, one.id): one for one in await self._kept.latest(HELD)}
        self._draw()

    def hear(self, origin: str, deployments: Sequence[Deployment]) -> bool:
        """What an origin tells; True when some of it is new."""
        new = False
        for one in deployments:
            placed = PlacedDeployment(origin=origin, **_fields(one))
            key = (origin, one.id)
            if self._held.get(key) == placed:
                continue
            new = True
            self._held[key] = self._unsaved[key] = placed
        if new:
            self._forget()
            self._draw(origin)
            self._told()
        return new

    def _forget(self) -> None:
        if len(self._held) > HELD + 500:
            kept = self.current()[:HELD]
            self._held = {(one.origin, one.id): one for one in kept}
            self._draw()

    def _draw(self, origin: str | None = None) -> None:
        """The starts of what succeeded, by origin: of one, or of all; replaced whole, because another thread reads
        it."""
        timelines: dict[str, list[tuple[float, str]]] = {}
        for one in self._held.values():
            if one.phase == "succeeded" and origin in (None, one.origin):
                timelines.setdefault(one.origin, []).append((one.started_at.timestamp(), one.id))
        kept = {name: starts for name, starts in self._timelines.items() if origin not in (None, name)}
        self._timelines = {**kept, **{name: sorted(starts) for name, starts in timelines.items()}}

    async def save(self) -> float:
        unsaved, self._unsaved = self._unsaved, {}
        if unsaved:
            try:
                await self._kept.save(list(unsaved.values()))
            except StoreError:
                self._unsaved = {**unsaved, **self._unsaved}
                raise
        return SAVE_SECONDS

    def current(self) -> list[PlacedDeployment]:
        """Newest first."""
        return sorted(self._held.values(), key=lambda one: (one.started_at, one.id), reverse=True)

    def since(self, at: datetime) -> list[PlacedDeployment]:
        """Those that began or ended after it."""
        return [one for one in self._held.values() if (one.ended_at or one.started_at) > at]

    def of_key(self, key: Key) -> PlacedDeployment | None:
        return self._held.get(key)

    def live(self, origin: str, environment: str) -> PlacedDeployment | None:
        """The newest that succeeded there, and was not rolled back."""
        theirs = (
            one
            for one in self._held.values()
            if (one.origin, one.environment, one.phase) == (origin, environment, "succeeded") and not one.rolled_back
        )
        return max(theirs, key=lambda one: one.started_at, default=None)

    def find(self, deployment: str, origin: str | None) -> PlacedDeployment | None:
        """The newest of that id."""
        return next(
            (one for one in self.current() if one.id == deployment and (origin is None or one.origin == origin)), None
        )

    def before(self, one: PlacedDeployment) -> PlacedDeployment | None:
        """The last one of the same origin and environment that succeeded before it."""
        earlier = (
            other
            for other in self.current()
            if (other.origin, other.environment) == (one.origin, one.environment)
            and other.started_at < one.started_at
            and other.phase == "succeeded"
        )
        return next(earlier, None)

    def next_start(self, one: PlacedDeployment) -> datetime | None:
        starts = [
            other.started_at
            for other in self._held.values()
            if other.origin == one.origin and other.started_at > one.started_at
        ]
        return min(starts, default=None)

    def narrow(self, wanted: LogFilter) -> LogFilter:
        """The records of a deployment that an origin told of: that origin's, from its start to the next one's. Any
        other deployment is one that senders name."""
        one = self.find(wanted.deployment, None) if wanted.deployment else None
        if one is None:
            return wanted
        after = self.next_start(one)
        start_ms, end_ms = _ms(one.started_at), _ms(after) if after else None
        ends = [at for at in (wanted.to_ms, end_ms) if at is not None]
        return msgspec.structs.replace(
            wanted,
            deployment=None,
            source=wanted.source or one.origin,
            from_ms=max(wanted.from_ms or 0, start_ms),
            to_ms=min(ends, default=None),
        )

    def at(self, origin: str, seconds: float) -> str | None:
        """Which deployment of an origin a time falls into: the last one that had succeeded by then."""
        starts = self._timelines.get(origin, [])
        place = bisect_right(starts, seconds, key=lambda start: start[0])
        return starts[place - 1][1] if place else None


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _fields(deployment: Deployment) -> dict[str, Any]:
    return {name: getattr(deployment, name) for name in Deployment.__struct_fields__}


class Told:
    """Deployments as they are answered: with verdicts, and one by one with what came after it."""

    def __init__(
        self,
        deployments: Deployments,
        errors: Errors,
        store: LogStore,
        verdict: Callable[[PlacedDeployment], Verdict | None],
    ) -> None:
        self._deployments = deployments
        self._errors = errors
        self._store = store
        self._verdict = verdict

    def with_verdict(self, one: PlacedDeployment) -> PlacedDeployment:
        return msgspec.structs.replace(one, verdict=self._verdict(one))

    def page(
        self, *, origin: str | None, environment: str | None, limit: int, before: str | None
    ) -> Page[PlacedDeployment]:
        placed = [
            one
            for one in self._deployments.current()
            if (not origin or one.origin == origin) and (not environment or one.environment == environment)
        ]
        if before:
            place = next((i for i, one in enumerate(placed, start=1) if _cursor(one) == before), len(placed))
            placed = placed[place:]
        items = [self.with_verdict(one) for one in placed[:limit]]
        return Page(items=items, next=_cursor(placed[limit - 1]) if len(placed) > limit else None)

    async def one(self, deployment: str, origin: str | None) -> DeploymentDetail:
        """Raises ProblemError 404, or 503 when its log cannot be read."""
        found = self._deployments.find(deployment, origin)
        if found is None:
            raise ProblemError(404, "not-found", f"No origin told of a deployment {deployment[:60]!r}.")
        until = min(filter(None, (self._deployments.next_start(found), found.started_at + AFTER)))
        wanted = LogFilter(
            source=found.origin,
            level=LEVELS["warning"],
            from_ms=_ms(found.started_at),
            to_ms=_ms(until),
        )
        try:
            rows = await self._store.read(wanted, limit=MOST_LOGS)
        except StoreError as error:
            raise unreadable(error) from None
        return DeploymentDetail(
            **msgspec.structs.asdict(self.with_verdict(found)),
            previous=self._deployments.before(found),
            logs=rows.rows,
            logs_until=until,
            errors=self._errors.after(found.origin, found.id, found.started_at),
        )


def routes(told: Told) -> list[Any]:
    @get("/api/deployments", opt=VIEWER, summary="The timeline over all origins", tags=["deployments"])
    async def listed(
        origin: Annotated[str | None, QueryParameter(max_length=100)] = None,
        environment: Annotated[str | None, QueryParameter(max_length=100)] = None,
        limit: LimitQuery = 100,
        before: Annotated[str | None, QueryParameter(max_length=300, description="`next` of the page before.")] = None,
    ) -> Page[PlacedDeployment]:
        """Every deployment that an origin told of, newest first, each with its verdict."""
        return told.page(origin=origin, environment=environment, limit=limit, before=before)

    @get("/api/deployments/{deployment_id:str}", opt=VIEWER, summary="One deployment", tags=["deployments"])
    async def one(
        deployment_id: FromPath[str], origin: Annotated[str | None, QueryParameter(max_length=100)] = None
    ) -> Response[DeploymentDetail]:
        """With its verdict, what its origin logged as warning or worse in the half hour after its start, and the errors
        in it: those that were first seen in it come first."""
        return Response(await told.one(deployment_id, origin), headers={"cache-control": "no-store"})

    return [listed, one]


def _cursor(deployment: PlacedDeployment) -> str:
    return f"{deployment.origin}:{deployment.id}"
