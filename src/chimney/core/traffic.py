"""How many records came lately, by second."""

from collections import deque

WINDOW_SECONDS = 300
RATE_SECONDS = 10


class Traffic:
    """Counts of the last five minutes: at most 300 rows of three numbers."""

    def __init__(self) -> None:
        self._seconds: deque[tuple[int, int, int]] = deque(maxlen=WINDOW_SECONDS)

    def note(self, *, records: int, errors: int, now: float) -> None:
        second = int(now)
        if self._seconds and self._seconds[-1][0] == second:
            _, before, errors_before = self._seconds.pop()
            records, errors = records + before, errors + errors_before
        self._seconds.append((second, records, errors))

    def rate_per_second(self, now: float) -> float:
        """Over the last ten whole seconds."""
        end = int(now)
        return round(sum(row[1] for row in self._seconds if end - RATE_SECONDS <= row[0] < end) / RATE_SECONDS, 1)

    def errors(self, now: float) -> int:
        """In the last five minutes."""
        return sum(row[2] for row in self._seconds if row[0] > now - WINDOW_SECONDS)
