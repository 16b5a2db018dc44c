"""Caps on what senders can make grow: service names and series. What is over a cap shows as `other`, or is refused.

A name that was not heard of for an hour makes room for another, so a flood of made-up names ends with the flood.
"""

from typing import Any

OTHER = "other"
SERVICES = 1_000
SERIES = 20_000  # ~400 B each with its state: 8 MB
IDLE_MS = 3_600_000


class Seen:
    """Keys in use, at most `most`; `refused` counts those that found no room."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: dict[Any, int] = {}
        self._swept_ms = 0
        self.refused = 0

    def __len__(self) -> int:
        return len(self._seen)

    def admit(self, key: Any, now_ms: int) -> bool:
        if key not in self._seen and len(self._seen) >= self._most and not self._sweep(now_ms):
            self.refused += 1
            return False
        self._seen[key] = now_ms
        return True

    def _sweep(self, now_ms: int) -> bool:
        """Forgets what is idle; looks at most once a minute. Whether there is room now."""
        if now_ms - self._swept_ms >= 60_000:
            self._swept_ms = now_ms
            self._seen = {key: at for key, at in self._seen.items() if now_ms - at < IDLE_MS}
        return len(self._seen) < self._most


class Services:
    """The names of services: the first thousand as they are, further ones together as `other`.

    `reserved` names belong to what the table follows by itself; a sender who uses one is shown as `name (OTLP)`.
    """

    def __init__(self, reserved: frozenset[str], most: int = SERVICES) -> None:
        self._reserved = reserved
        self._seen = Seen(most)

    @property
    def refused(self) -> int:
        return self._seen.refused

    def shown(self, service: str, now_ms: int) -> str:
        if service in self._reserved:
            return f"{service} (OTLP)"
        return service if self._seen.admit(service, now_ms) else OTHER
