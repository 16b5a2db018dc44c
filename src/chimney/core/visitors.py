"""What visitors met at an origin, from one reading of its metrics to the next: rate, errors, waits."""

import math
from collections import deque
from collections.abc import Iterable

import msgspec

from chimney.core.series import quantile
from chimney.wire.origin import OriginTraffic
from chimney.wire.telemetry import SampleRow

DURATIONS = "chimney_visitor_request_duration_seconds"
HELD = 40  # readings: at one every 15 s, ten minutes
Buckets = dict[float, float]


class Reading(msgspec.Struct, frozen=True):
    """Counters at one moment: requests of visitors, those answered with 5xx, and the waits of all."""

    at_ms: int
    requests: float
    errors: float
    buckets: Buckets


def reading(samples: Iterable[SampleRow], *, at_ms: int) -> Reading | None:
    """None when the origin does not count its visitors."""
    found = [one for one in samples if one.name == DURATIONS]
    if not found:
        return None
    buckets: Buckets = {}
    for one in found:
        for bound, count in one.buckets or ():
            key = math.inf if bound is None else bound
            buckets[key] = buckets.get(key, 0.0) + count
    failed = sum(one.count or 0 for one in found if one.labels.get("status_class") == "5xx")
    return Reading(at_ms, sum(one.count or 0 for one in found), failed, buckets)


class Visitors:
    """The last readings as figures, oldest first."""

    def __init__(self) -> None:
        self._last: Reading | None = None
        self._told: OriginTraffic | None = None
        self._seconds: deque[float] = deque(maxlen=HELD)
        self._rates: deque[float] = deque(maxlen=HELD)
        self._errors: deque[float | None] = deque(maxlen=HELD)
        self._waits: deque[float | None] = deque(maxlen=HELD)

    def note(self, now: Reading | None) -> None:
        before, self._last = self._last, now
        if before is None or now is None or now.at_ms <= before.at_ms:
            return
        if now.requests < before.requests:  # its process began anew: counted from zero
            before = Reading(before.at_ms, 0, 0, {})
        requests, errors = now.requests - before.requests, now.errors - before.errors
        grown = {bound: count - before.buckets.get(bound, 0.0) for bound, count in now.buckets.items()}
        wait = quantile(0.95, grown)
        seconds = (now.at_ms - before.at_ms) / 1000
        self._seconds.append(seconds)
        self._rates.append(_rounded(requests / seconds))
        self._errors.append(_rounded(100 * max(0.0, errors) / requests) if requests else None)
        self._waits.append(_rounded(wait * 1000) if wait is not None else None)
        self._told = OriginTraffic(
            over_seconds=round(sum(self._seconds), 1),
            rates=list(self._rates),
            error_rates_pct=list(self._errors),
            p95s_ms=list(self._waits),
        )

    def told(self) -> OriginTraffic | None:
        """None before the second reading."""
        return self._told


def _rounded(value: float) -> float:
    """Three digits: more says nothing and costs in every answer."""
    return float(f"{value:.3g}")
