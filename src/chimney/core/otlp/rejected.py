"""What of a request cannot be kept, and why: told to the sender as partial success."""

from collections import Counter

MOST_REASONS = 3


class Rejected:
    """`count` rows were left out."""

    def __init__(self) -> None:
        self.count = 0
        self._reasons: Counter[str] = Counter()

    def note(self, reason: str, count: int = 1) -> None:
        self.count += count
        self._reasons[reason] += count

    @property
    def reason(self) -> str:
        """One sentence; empty when nothing was rejected."""
        told = [f"{reason} ({count:,})" for reason, count in self._reasons.most_common(MOST_REASONS)]
        return "; ".join(told)
