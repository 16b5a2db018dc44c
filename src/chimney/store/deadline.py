"""How long a search may take."""

import time


class Deadline:
    """`passed` is set once somebody found it over: the answer is then partial."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self.passed = False

    def over(self) -> bool:
        self.passed = self.passed or time.monotonic() > self._ends
        return self.passed

    def left(self) -> float:
        """Seconds; never below 0."""
        return max(0.0, self._ends - time.monotonic())
