"""Figures over time, as charts need them."""

from chimney.wire.base import Message, Timestamp


class Point(Message, frozen=True, kw_only=True):
    """`value` is None where nothing was measured."""

    at: Timestamp
    value: float | None


class Series(Message, frozen=True, kw_only=True):
    """`source` is `table`, or `prometheus` for one that was read there."""

    labels: dict[str, str]
    points: list[Point]
    source: str = "table"


class Marker(Message, frozen=True, kw_only=True):
    """A deployment on a chart."""

    at: Timestamp
    id: str
    origin: str
    revision: str
    phase: str
    slot: str | None


class SeriesAnswer(Message, frozen=True, kw_only=True):
    """`partial` names what could not be had, and why."""

    name: str
    fn: str
    step_seconds: float
    series: list[Series]
    deployments: list[Marker]
    partial: list[str] = []
