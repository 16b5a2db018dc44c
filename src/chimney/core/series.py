"""Samples as figures over time: rates of counters that may begin anew, quantiles of buckets, means and peaks.

A window `[at, at + step)` has what happened between the sample before it and its own last one. Where it has no sample
it has no figure. Series that are asked for together are added up (rates, buckets), averaged, or the largest is taken.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import groupby, pairwise

import msgspec

from chimney.wire.telemetry import SampleRow

MOST_VALUES = 1_000  # of gauges in one window, for their quantiles


class Fn(StrEnum):
    RATE = "rate"
    AVG = "avg"
    MAX = "max"
    P50 = "p50"
    P95 = "p95"
    P99 = "p99"


_QUANTILES = {Fn.P50: 0.50, Fn.P95: 0.95, Fn.P99: 0.99}
Labels = tuple[tuple[str, str], ...]


class Grid(msgspec.Struct, frozen=True):
    """Windows of `step_ms` from `from_ms`."""

    from_ms: int
    step_ms: int
    count: int

    def index(self, at_ms: int) -> int:
        """Which window; negative before the first."""
        return (at_ms - self.from_ms) // self.step_ms

    def start(self, index: int) -> int:
        return self.from_ms + index * self.step_ms


class Window(msgspec.Struct):
    """What is known of one window. `rate` is None while there is no pair of samples."""

    rate: float | None = None
    increase_of_sum: float = 0.0
    increase_of_count: float = 0.0
    buckets: dict[float, float] = {}
    values: list[float] = []
    total: float = 0.0
    count: int = 0
    peak: float | None = None


def grown(before: float, now: float) -> float:
    """By how much a counter grew; one that is smaller than before began anew at zero."""
    return now - before if now >= before else now


def figures(
    samples: Iterable[SampleRow], fn: Fn, grid: Grid, *, by: Sequence[str] | None = None
) -> dict[Labels, list[float | None]]:
    """Figures by labels, one for each window. `by` keeps only these labels and puts together what is then the same."""
    groups: dict[Labels, list[Window | None]] = {}
    for labels, run in groupby(samples, key=lambda one: tuple(sorted(one.labels.items()))):
        shown = labels if by is None else tuple((name, value) for name, value in labels if name in by)
        windows = groups.setdefault(shown, [None] * grid.count)
        _lay(sorted(run, key=lambda one: one.at_ms), windows, grid)
    return {labels: [_figure(window, fn) for window in windows] for labels, windows in groups.items()}


def _lay(samples: Sequence[SampleRow], windows: list[Window | None], grid: Grid) -> None:
    """One series on the windows."""
    seconds: dict[int, float] = {}
    grew: dict[int, float] = {}
    for before, now in pairwise(samples):
        index = grid.index(now.at_ms)
        if not 0 <= index < grid.count or now.kind == "gauge" or now.kind != before.kind:
            continue
        window = windows[index] = windows[index] or Window()
        seconds[index] = seconds.get(index, 0.0) + (now.at_ms - before.at_ms) / 1000
        grew[index] = grew.get(index, 0.0) + _count_growth(before, now)
        if now.kind == "histogram":
            _lay_buckets(before, now, window)
    for index, more in grew.items():
        window = windows[index] or Window()
        if seconds[index] > 0:
            window.rate = (window.rate or 0.0) + more / seconds[index]
    for one in samples:
        index = grid.index(one.at_ms)
        if 0 <= index < grid.count and one.kind != "histogram":
            _lay_value(one.value, windows, index)


def _count_growth(before: SampleRow, now: SampleRow) -> float:
    if now.kind == "histogram":
        return grown(before.count or 0, now.count or 0)
    return grown(before.value, now.value)


def _lay_value(value: float, windows: list[Window | None], index: int) -> None:
    window = windows[index] = windows[index] or Window()
    window.total += value
    window.count += 1
    window.peak = value if window.peak is None else max(window.peak, value)
    if len(window.values) < MOST_VALUES:
        window.values.append(value)


def _lay_buckets(before: SampleRow, now: SampleRow, window: Window) -> None:
    began_anew = (now.count or 0) < (before.count or 0)
    known = {} if began_anew else dict(before.buckets or ())
    window.increase_of_sum += now.value if began_anew else now.value - before.value
    window.increase_of_count += _count_growth(before, now)
    for bound, count in now.buckets or ():
        key = math.inf if bound is None else bound
        window.buckets[key] = window.buckets.get(key, 0.0) + max(0.0, count - known.get(bound, 0))


def growth(samples: Iterable[SampleRow], *, from_ms: int, to_ms: int) -> dict[Labels, float]:
    """By how much each counter, or the count of each histogram, grew in `[from_ms, to_ms)`."""
    grew: dict[Labels, float] = {}
    for labels, run in groupby(samples, key=lambda one: tuple(sorted(one.labels.items()))):
        ordered = sorted(run, key=lambda one: one.at_ms)
        counted = [_count_growth(one, now) for one, now in pairwise(ordered) if from_ms <= now.at_ms < to_ms]
        grew[labels] = grew.get(labels, 0.0) + sum(counted)
    return grew


def _figure(window: Window | None, fn: Fn) -> float | None:
    if window is None:
        return None
    if fn is Fn.RATE:
        return window.rate
    if fn is Fn.AVG:
        if window.increase_of_count:
            return window.increase_of_sum / window.increase_of_count
        return window.total / window.count if window.count else None
    if fn is Fn.MAX:
        return quantile(1.0, window.buckets) if window.buckets else window.peak
    if window.buckets:
        return quantile(_QUANTILES[fn], window.buckets)
    return quantile_of(sorted(window.values), _QUANTILES[fn])


def quantile(share: float, buckets: dict[float, float]) -> float | None:
    """Of cumulative counts by upper bound, linear within a bucket as Prometheus does it.

    None when nothing was counted. What lies beyond the last finite bound counts as that bound.
    """
    bounds = sorted(buckets)
    whole = buckets[bounds[-1]] if bounds else 0
    if whole <= 0:
        return None
    counts = [buckets[bound] for bound in bounds]
    place = bisect_left(counts, share * whole)
    if math.isinf(bounds[place]):
        return bounds[place - 1] if place else None
    lower = bounds[place - 1] if place else min(0.0, bounds[0])
    below = counts[place - 1] if place else 0.0
    within = counts[place] - below
    return bounds[place] if within <= 0 else lower + (bounds[place] - lower) * (share * whole - below) / within


def quantile_of(values: Sequence[float], share: float) -> float | None:
    """Of single values, by the nearest rank."""
    return values[max(0, math.ceil(share * len(values)) - 1)] if values else None


_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)


def step_for(seconds: float, points: int = 120) -> int:
    """A round step in seconds, at most `points` of which fill the range."""
    return next((step for step in _STEPS if seconds / step <= points), math.ceil(seconds / points))
