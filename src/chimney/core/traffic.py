"""How many records came lately, by second, and how many of them were errors."""

from collections import deque
from typing import NamedTuple

WINDOW_SECONDS = 300
RATE_SECONDS = 10


class Counts(NamedTuple):
    records: int
    errors: int

    @property
    def error_pct(self) -> float | None:
        """None when there was nothing."""
        return round(100 * self.errors / self.records, 2) if self.records else None


class Traffic:
    """Counts of the last `window_seconds`: at most as many rows of three numbers."""

    def __init__(self, *, window_seconds: int = WINDOW_SECONDS) -> None:
        self._seconds: deque[tuple[int, int, int]] = deque(maxlen=window_seconds)

    def note(self, *, records: int, errors: int, now: float) -> None:
        second = int(now)
        if self._seconds and self._seconds[-1][0] == second:
            _, before, errors_before = self._seconds[-1]
            self._seconds[-1] = (second, records + before, errors + errors_before)  # at no time without this second
        else:
            self._seconds.append((second, records, errors))

    def rate_per_second(self, now: float) -> float:
        """Over the last ten whole seconds."""
        end = int(now)
        return round(sum(row[1] for row in self._seconds if end - RATE_SECONDS <= row[0] < end) / RATE_SECONDS, 1)

    def errors(self, now: float) -> int:
        """In the last five minutes."""
        return self.since(now - WINDOW_SECONDS).errors

    def since(self, at: float) -> Counts:
        """Everything after `at`, as far as the window goes back. May be asked from another thread than `note`."""
        rows = [row for row in list(self._seconds) if row[0] > at]
        return Counts(sum(row[1] for row in rows), sum(row[2] for row in rows))
