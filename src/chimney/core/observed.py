"""What several answers of one origin tell together: how far its clock is off, what is usual. Pure."""

from collections import deque
from datetime import datetime
from statistics import median

from chimney.core.facts import Asked, Latency
from chimney.wire.base import stamp
from chimney.wire.health import Health

CLOCKS = 3  # the median of so many: one answer may have waited somewhere
MOST_TRIP_SECONDS = 2.0
WAITS = 720  # an hour, at one in five seconds
LEAST_WAITS, LEAST_REQUESTS = 6, 10
CACHE_SECONDS = 300.0
MOST_ANSWERS = 400  # of the cache's figures


class Observed:
    """`note` is told of every answer. What is not known is None."""

    def __init__(self) -> None:
        self._ahead: deque[float] = deque(maxlen=CLOCKS)
        self._waits: deque[tuple[float, float]] = deque(maxlen=WAITS)
        self._cache: deque[tuple[float, str, int, int]] = deque(maxlen=MOST_ANSWERS)
        self._latency: Latency | None = None
        self._unready: float | None = None

    def note(self, health: Health, *, date: datetime | None, began: float, ended: float) -> None:
        """`date` is the header of the answer, which came between `began` and `ended`, in Unix seconds of our clock."""
        if date is not None and ended - began < MOST_TRIP_SECONDS:
            self._ahead.append(date.timestamp() + 0.5 - (began + ended) / 2)  # the header leaves out the fraction
        self._unready = (self._unready or ended) if health.status == "down" else None
        self._note_waits(health, ended)
        self._note_cache(health, ended)

    def _note_waits(self, health: Health, now: float) -> None:
        waits = health.errors.waits if health.errors else None
        if waits is None or waits.p95_ms is None or waits.requests < LEAST_REQUESTS:
            self._latency = None
            return
        before = [p95 for at, p95 in self._waits if at < now - waits.over_seconds]
        usual = median(before) if len(before) >= LEAST_WAITS else None
        self._latency = Latency(p95_ms=waits.p95_ms, usual_ms=usual, requests=waits.requests)
        self._waits.append((now, waits.p95_ms))

    def _note_cache(self, health: Health, now: float) -> None:
        if self._cache and self._cache[-1][1] != health.boot:
            self._cache.clear()  # its figures begin anew
        self._cache.append((now, health.boot, health.cache.hits, health.cache.misses))
        while self._cache[0][0] < now - CACHE_SECONDS:
            self._cache.popleft()

    @property
    def clock_ahead_seconds(self) -> float | None:
        return round(median(self._ahead), 1) if len(self._ahead) == CLOCKS else None

    @property
    def latency(self) -> Latency | None:
        return self._latency

    @property
    def unready_since(self) -> datetime | None:
        return stamp(self._unready) if self._unready else None

    @property
    def cache(self) -> Asked | None:
        if len(self._cache) < 2:
            return None
        (began, _, hits_then, misses_then), (_, _, hits, misses) = self._cache[0], self._cache[-1]
        return Asked(requests=hits - hits_then + misses - misses_then, hits=hits - hits_then, since=stamp(began))
