"""What senders of OTLP were told to send again: counted, so that a loss can be seen."""

from chimney.core.facts import Sighting
from chimney.wire.base import stamp


class Refusals:
    """Since the start: `requests`, and `rows` in those whose rows could be counted. `last` is None before the first."""

    def __init__(self) -> None:
        self.requests = 0
        self.rows = 0
        self.last: Sighting | None = None

        self.denied: Sighting | None = None

    def deny(self, why: str, *, now: float) -> None:
        """Refused for good: the sender is not to try again."""
        count = self.denied.count + 1 if self.denied else 1
        self.denied = Sighting(at=stamp(now), text=why, count=count)

    def note(self, rows: int, why: str, *, now: float) -> None:
        self.requests += 1
        self.rows += rows
        self.last = Sighting(at=stamp(now), text=why, count=self.rows)
