"""Series: what is measured, over time, with the deployments that fall into it."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get
from litestar.params import QueryParameter

from chimney.core.series import Fn, Grid, figures, step_for
from chimney.store.errors import StoreError
from chimney.store.telemetry import TelemetryStore
from chimney.table.access import VIEWER
from chimney.table.elsewhere.asking import SourceError
from chimney.table.elsewhere.sources import Elsewhere
from chimney.table.queries import FromQuery, ToQuery, malformed, moment, unreadable
from chimney.wire.base import Page, stamp
from chimney.wire.origin import PlacedDeployment
from chimney.wire.series import Marker, Point, Series, SeriesAnswer
from chimney.wire.telemetry import MetricName

DEFAULT_RANGE_MS = 3_600_000
MOST_POINTS = 1_000
MOST_SERIES = 100
LOOKBACK_MS = 300_000  # the sample before the first window is looked for this far back
Deployments = Callable[[datetime, datetime], list[PlacedDeployment]]


def labels_of(text: str | None) -> dict[str, str]:
    """`route=/api,method=GET`, or a JSON object where values have commas. Raises ProblemError 400."""
    if not text:
        return {}
    try:
        if text.startswith("{"):
            return msgspec.json.decode(text, type=dict[str, str])
    except (msgspec.DecodeError, RecursionError) as error:
        raise malformed("query.labels", f"is not a JSON object of texts: {error}") from None
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if not all(equals and name.strip() for name, equals, _ in pairs):
        raise malformed("query.labels", "should be name=value pairs with commas between them, or a JSON object")
    return {name.strip(): value.strip() for name, _, value in pairs}


def grid_of(from_ms: int | None, to_ms: int | None, step: float | None, *, now_ms: int) -> Grid:
    """Windows on whole steps, so that the same question a moment later has the same ones. Raises ProblemError 400."""
    end = now_ms if to_ms is None else to_ms
    start = end - DEFAULT_RANGE_MS if from_ms is None else from_ms
    if start >= end:
        raise malformed("query.from", "should be before query.to")
    step_ms = int((step or step_for((end - start) / 1000)) * 1000)
    start = start // step_ms * step_ms
    count = -(-(end - start) // step_ms)
    if count > MOST_POINTS:
        least = -(-(end - start) // MOST_POINTS) / 1000
        raise malformed("query.step", f"makes {count:,} points of at most {MOST_POINTS:,}; {least:.0f} s would do")

    return Grid(start, step_ms, count)


class SeriesOf:
    """Our samples and Prometheus', as one."""

    def __init__(self, store: TelemetryStore, elsewhere: Elsewhere, deployments: Deployments) -> None:
        self._store = store
        self._elsewhere = elsewhere
        self._deployments = deployments

    async def find(
        self, name: str, labels: Mapping[str, str], fn: Fn, grid: Grid, *, by: list[str] | None
    ) -> SeriesAnswer:
        partial: list[str] = []
        before = max(LOOKBACK_MS, grid.step_ms)
        found = await self._store.samples(name, labels, from_ms=grid.from_ms - before, to_ms=grid.start(grid.count))
        if found.partial:
            partial.append("table: the search was cut short; shorten the range or name more labels")
        ours = figures(found.samples, fn, grid, by=by)
        series = [_series(dict(key), values, grid, "table") for key, values in ours.items() if any_known(values)]
        if self._elsewhere.prometheus:
            try:
                theirs = await self._elsewhere.prometheus.series(name, labels, fn, grid, by=by)
                series += [_series(key, values, grid, "prometheus") for key, values in theirs if any_known(values)]
            except SourceError as error:
                partial.append(str(error))
        if len(series) > MOST_SERIES:
            partial.append(f"{len(series):,} series match, {MOST_SERIES} are given; name more labels, or `by`")

        return SeriesAnswer(
            name=name,
            fn=fn,
            step_seconds=grid.step_ms / 1000,
            series=series[:MOST_SERIES],
            deployments=self._markers(grid),
            partial=partial,
        )

    def _markers(self, grid: Grid) -> list[Marker]:
        start, end = stamp(grid.from_ms / 1000), stamp(grid.start(grid.count) / 1000)
        return [
            Marker(
                at=one.started_at,
                id=one.id,
                origin=one.origin,
                revision=one.revision,
                phase=one.phase,
                slot=one.slot,
            )
            for one in self._deployments(start, end)
        ]

    async def names(self) -> list[MetricName]:
        return await self._store.metrics()


def any_known(values: list[float | None]) -> bool:
    return any(value is not None for value in values)


def _series(labels: dict[str, str], values: list[float | None], grid: Grid, source: str) -> Series:
    points = [Point(at=stamp(grid.start(index) / 1000), value=value) for index, value in enumerate(values)]
    return Series(labels=labels, points=points, source=source)


def routes(series: SeriesOf) -> list[Any]:
    @get("/api/series", opt=VIEWER, summary="One measure over time", tags=["series"])
    async def one(
        name: Annotated[str, QueryParameter(min_length=1, max_length=200)],
        labels: Annotated[str | None, QueryParameter(max_length=2000, description="`name=value`, by comma.")] = None,
        fn: Annotated[Fn, QueryParameter()] = Fn.RATE,
        by: Annotated[str | None, QueryParameter(max_length=500, description="Labels to keep, by comma.")] = None,
        from_: FromQuery = None,
        to: ToQuery = None,
        step: Annotated[float | None, QueryParameter(ge=1, le=86_400, description="Seconds.")] = None,
    ) -> Response[SeriesAnswer]:
        """The last hour when no time is given. `rate` is by second; `avg` and quantiles of buckets are of what was
        counted in each step. With the deployments in the range."""
        now_ms = int(time.time() * 1000)
        grid = grid_of(moment(from_, "query.from"), moment(to, "query.to"), step, now_ms=now_ms)
        kept = None if by is None else [label.strip() for label in by.split(",") if label.strip()]
        try:
            answer = await series.find(name, labels_of(labels), fn, grid, by=kept)
        except StoreError as error:
            raise unreadable(error) from None
        return Response(answer, headers={"cache-control": "no-store"})

    @get("/api/series/names", opt=VIEWER, summary="What is measured", tags=["series"])
    async def names() -> Page[MetricName]:
        """The metrics that the table keeps, with their kind and labels."""
        try:
            return Page(items=await series.names())
        except StoreError as error:
            raise unreadable(error) from None

    return [one, names]
