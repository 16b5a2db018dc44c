"""Metrics of OTLP as samples."""

import time
from typing import Any

import pytest
from tests.fakes import otlp as sent

from chimney.core.otlp import metrics
from chimney.core.otlp.metrics import Series
from chimney.core.otlp.rejected import Rejected
from chimney.table.unpack import JSON, Signal, message_of
from chimney.wire.telemetry import SampleRow

NOW_MS = int(time.time() * 1000)


def read(*given: Any, series: Series | None = None, rejected: Rejected | None = None) -> list[SampleRow]:
    request = sent.metrics(*given, **{"service.instance.id": "a1"})
    message = message_of(Signal.METRICS, sent.as_json(request), media=JSON)
    made = metrics.samples(
        message,
        rejected or Rejected(),
        Series() if series is None else series,
        now_ms=NOW_MS,
        named=lambda service: service,
    )
    return list(made)


def counted(*figures: float, delta: bool = False, monotonic: bool = True) -> dict[str, Any]:
    points = [sent.point(figure) for figure in figures]
    return {
        "name": "jobs",
        "sum": {"dataPoints": points, "aggregationTemporality": 1 if delta else 2, "isMonotonic": monotonic},
    }


def buckets(counts: list[int], *, delta: bool = False, **more: Any) -> dict[str, Any]:
    point = {
        "timeUnixNano": str(time.time_ns()),
        "count": str(sum(counts)),
        "sum": 1.5,
        "bucketCounts": [str(count) for count in counts],
        "explicitBounds": [0.1, 1],
        **more,
    }
    return {"name": "took", "histogram": {"dataPoints": [point], "aggregationTemporality": 1 if delta else 2}}


def test_a_gauge_keeps_its_labels_and_where_it_comes_from() -> None:
    at_ns = (NOW_MS - 7) * 1_000_000
    (row,) = read({"name": "heat", "gauge": {"dataPoints": [sent.point(3.5, at_ns=at_ns, room="a", floor=2)]}})
    assert row == SampleRow(
        name="heat",
        labels={"service": "shop", "instance": "a1", "room": "a", "floor": "2"},
        at_ms=NOW_MS - 7,
        kind="gauge",
        value=3.5,
        source="shop",
    )


def test_a_sum_that_only_grows_is_a_counter_and_any_other_a_gauge() -> None:
    assert [row.kind for row in read(counted(1), counted(1, monotonic=False))] == ["counter", "gauge"]


def test_deltas_are_added_up_by_series() -> None:
    series = Series()
    assert [row.value for row in read(counted(2, 3, delta=True), series=series)] == [2, 5]
    assert [row.value for row in read(counted(1, delta=True), series=series)] == [6]


def test_buckets_are_cumulative() -> None:
    (row,) = read(buckets([1, 2, 3]))
    assert (row.kind, row.value, row.count) == ("histogram", 1.5, 6)
    assert row.buckets == [(0.1, 1), (1.0, 3), (None, 6)]


def test_deltas_of_buckets_are_added_up() -> None:
    series = Series()
    read(buckets([1, 2, 3], delta=True), series=series)
    (row,) = read(buckets([1, 0, 0], delta=True), series=series)
    assert (row.value, row.count, row.buckets) == (3.0, 7, [(0.1, 2), (1.0, 4), (None, 7)])


def test_exponential_buckets_become_plain_ones() -> None:
    point = {
        "count": "4",
        "sum": 7.0,
        "scale": 0,
        "zeroCount": "1",
        "positive": {"offset": 0, "bucketCounts": ["2", "1"]},
    }
    (row,) = read({"name": "x", "exponentialHistogram": {"dataPoints": [point], "aggregationTemporality": 2}})
    assert row.buckets == [(0.0, 1), (2.0, 3), (4.0, 4), (None, 4)]


def test_a_summary_becomes_quantiles_count_and_sum() -> None:
    point = {"count": "4", "sum": 8.0, "quantileValues": [{"quantile": 0.5, "value": 2.0}]}
    rows = read({"name": "x", "summary": {"dataPoints": [point]}})
    assert [(row.name, row.kind, row.value, row.labels.get("quantile")) for row in rows] == [
        ("x_count", "counter", 4.0, None),
        ("x_sum", "counter", 8.0, None),
        ("x", "gauge", 2.0, "0.5"),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        {"name": "x", "gauge": {"dataPoints": [{"asDouble": "NaN"}]}},
        {"name": "x", "gauge": {"dataPoints": [{"asDouble": "Infinity"}]}},
        {"name": "", "gauge": {"dataPoints": [{"asDouble": 1}]}},
        {"name": "x"},
        buckets([1, 2]),
        {"name": "x", "exponentialHistogram": {"dataPoints": [{"scale": -9, "positive": {"bucketCounts": ["1"] * 9}}]}},
        {"name": "x", "exponentialHistogram": {"dataPoints": [{"positive": {"bucketCounts": ["1"] * 999}}]}},
    ],
)
def test_what_has_no_meaning_is_rejected_with_the_reason(bad: dict[str, Any]) -> None:
    rejected = Rejected()
    assert read(bad, rejected=rejected) == []
    assert rejected.count == 1
    assert rejected.reason


def test_a_point_that_says_there_is_none_is_no_point() -> None:
    rejected = Rejected()
    assert read({"name": "x", "gauge": {"dataPoints": [{"asDouble": 1, "flags": 1}]}}, rejected=rejected) == []
    assert rejected.count == 0


def test_there_are_only_so_many_series() -> None:
    rejected = Rejected()
    points = [sent.point(1, user=f"u{number}") for number in range(5)]
    assert len(read({"name": "x", "gauge": {"dataPoints": points}}, series=Series(3), rejected=rejected)) == 3
    assert (rejected.count, rejected.reason) == (2, "there are 3 series already (2)")


@pytest.mark.parametrize("delta", [False, True])
def test_a_count_that_began_a_moment_ago_grew_from_zero(delta: bool) -> None:
    series, began_ms = Series(), NOW_MS - 30_000
    given = counted(20, delta=delta)
    given["sum"]["dataPoints"][0]["startTimeUnixNano"] = str(began_ms * 1_000_000)
    first, second = read(given, series=series)
    assert ((first.at_ms, first.value), second.value) == ((began_ms, 0.0), 20.0)
    assert len(read(given, series=series)) == 1


def test_a_histogram_that_began_a_moment_ago_grew_from_nothing() -> None:
    first, second = read(buckets([1, 2, 3], startTimeUnixNano=str((NOW_MS - 30_000) * 1_000_000)))
    assert (first.value, first.count, first.buckets) == (0.0, 0, None)
    assert (second.count, second.value) == (6, 1.5)


@pytest.mark.parametrize("ago_ms", [301_000, 0, -5_000])
def test_a_count_that_began_long_ago_or_says_nonsense_is_no_growth_of_this_moment(ago_ms: int) -> None:
    given = counted(20)
    given["sum"]["dataPoints"][0] |= {
        "startTimeUnixNano": str((NOW_MS - ago_ms) * 1_000_000),
        "timeUnixNano": str(NOW_MS * 1_000_000),
    }
    assert [row.value for row in read(given)] == [20.0]
