"""Samples as figures over time."""

import pytest

from chimney.core.series import Fn, Grid, figures, grown, quantile, step_for
from chimney.wire.telemetry import SampleKind, SampleRow

GRID = Grid(from_ms=10_000, step_ms=10_000, count=3)


def sample(at_s: float, value: float, kind: SampleKind = "counter", **labels: str) -> SampleRow:
    return SampleRow(name="x", labels=labels, at_ms=int(at_s * 1000), kind=kind, value=value, source="a")


def buckets(at_s: float, total: float, *counts: int) -> SampleRow:
    bounds = (0.1, 1.0, None)
    return SampleRow(
        name="x",
        labels={},
        at_ms=int(at_s * 1000),
        kind="histogram",
        value=total,
        source="a",
        count=counts[-1],
        buckets=list(zip(bounds, counts, strict=True)),
    )


def only(samples: list[SampleRow], fn: Fn) -> list[float | None]:
    (found,) = figures(samples, fn, GRID).values()
    return found


def test_a_rate_is_growth_by_second_counted_from_the_sample_before() -> None:
    rows = [sample(5, 100), sample(15, 120), sample(20, 130), sample(25, 150)]
    assert only(rows, Fn.RATE) == [2.0, 3.0, None]


def test_a_counter_that_is_smaller_than_before_began_anew() -> None:
    assert grown(100, 30) == 30
    assert only([sample(5, 100), sample(15, 30)], Fn.RATE) == [3.0, None, None]


def test_a_single_sample_has_no_rate() -> None:
    assert only([sample(15, 30)], Fn.RATE) == [None, None, None]


def test_gauges_are_averaged_and_have_peaks_and_quantiles() -> None:
    rows = [sample(11, 1, "gauge"), sample(12, 3, "gauge"), sample(13, 8, "gauge")]
    assert only(rows, Fn.AVG) == [4.0, None, None]
    assert only(rows, Fn.MAX) == [8.0, None, None]
    assert only(rows, Fn.P50) == [3.0, None, None]
    assert only(rows, Fn.P99) == [8.0, None, None]


def test_buckets_have_rate_mean_and_quantiles_of_what_was_added() -> None:
    rows = [buckets(5, 100.0, 50, 80, 80), buckets(15, 102.0, 60, 90, 100)]
    assert only(rows, Fn.RATE) == [2.0, None, None]
    assert only(rows, Fn.AVG) == [0.1, None, None]
    assert only(rows, Fn.P50) == [0.1, None, None]
    assert only(rows, Fn.P99) == [1.0, None, None]


def test_buckets_that_began_anew_count_from_zero() -> None:
    rows = [buckets(5, 100.0, 50, 80, 80), buckets(15, 1.0, 10, 10, 10)]
    assert only(rows, Fn.RATE) == [1.0, None, None]
    assert only(rows, Fn.AVG) == [0.1, None, None]


def test_series_stand_side_by_side_or_are_put_together_by_label() -> None:
    rows = [
        one
        for route, step in (("/a", 10), ("/b", 20))
        for one in (sample(5, 0, route=route, code="2"), sample(15, step, route=route, code="2"))
    ]
    assert {labels: found[0] for labels, found in figures(rows, Fn.RATE, GRID).items()} == {
        (("code", "2"), ("route", "/a")): 1.0,
        (("code", "2"), ("route", "/b")): 2.0,
    }
    assert figures(rows, Fn.RATE, GRID, by=["code"]) == {(("code", "2"),): [3.0, None, None]}
    assert figures(rows, Fn.RATE, GRID, by=[]) == {(): [3.0, None, None]}


@pytest.mark.parametrize(
    ("share", "counts", "expected"),
    [
        (0.5, {1.0: 10, 2.0: 20, float("inf"): 20}, 1.0),
        (0.75, {1.0: 10, 2.0: 20, float("inf"): 20}, 1.5),
        (0.25, {1.0: 10, float("inf"): 10}, 0.25),
        (0.99, {1.0: 0, float("inf"): 10}, 1.0),
        (0.5, {1.0: 0, float("inf"): 0}, None),
        (0.5, {float("inf"): 5}, None),
        (0.5, {}, None),
    ],
)
def test_a_quantile_is_as_prometheus_has_it(share: float, counts: dict[float, float], expected: float | None) -> None:
    assert quantile(share, counts) == expected


@pytest.mark.parametrize(("seconds", "step"), [(60, 1), (900, 10), (86_400, 900), (14 * 86_400, 14_400)])
def test_a_step_is_round_and_fills_the_range(seconds: float, step: int) -> None:
    assert step_for(seconds) == step
