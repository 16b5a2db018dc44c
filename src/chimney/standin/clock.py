"""Virtual time: what moment the repository believes it is, and what is due by then."""

import heapq
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count

Deed = Callable[[float], None]


class Clock:
    """Virtual unix seconds = anchor + real seconds since the start × speed.

    At speed 0 nothing falls due by itself, but what is asked still bears the time at which it was asked:
    the readings then advance as real time does.
    """

    def __init__(self, *, speed: float, anchor: float | None, real: Callable[[], float]) -> None:
        self.real = real
        self.speed = speed
        self._started = real()
        self.anchor = self._started if anchor is None else anchor

    @property
    def runs(self) -> bool:
        return self.speed > 0

    def now(self) -> float:
        return self.anchor + (self.real() - self._started) * (self.speed or 1.0)

    def real_seconds_until(self, at: float) -> float:
        """0 when `at` is past. Only for a clock that runs."""
        return max(0.0, (at - self.now()) / self.speed)


class Agenda:
    """What will happen, in the order of its time; what is due at the same time, in the order it was added."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Deed]] = []
        self._count = count()

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def next_at(self) -> float | None:
        return self._heap[0][0] if self._heap else None

    def add(self, at: float, deed: Deed) -> None:
        heapq.heappush(self._heap, (at, next(self._count), deed))

    def run_until(self, now: float) -> None:
        """Each deed gets the time it was due, not the time of this call: readings do not change history."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            at, _, deed = heapq.heappop(heap)
            deed(at)

    def clear(self) -> None:
        self._heap.clear()


@lru_cache(maxsize=4096)
def _stamp(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp(at: float) -> str:
    """GitHub writes whole seconds: `2026-01-02T03:04:05Z`."""
    return _stamp(int(at))


def stamp_or_none(at: float | None) -> str | None:
    return None if at is None else _stamp(int(at))
