"""Letting go of the oldest records, a little at a time, and knowing how large the journal is."""

import time
from typing import Protocol

from chimney.store.errors import StoreError
from chimney.store.telemetry import Size

EVERY_SECONDS = 10.0
STEP_SECONDS = 0.05  # between two steps: batches are stored in the same thread
DAY_MS = 86_400_000


class Prunable(Protocol):
    async def size(self) -> Size: ...

    async def prune(self, *, older_than_ms: int, max_bytes: int) -> bool: ...


class Retention:
    """`size` is at most ten seconds old; `prune` is the verb of a loop."""

    def __init__(self, store: Prunable, *, days: float, max_bytes: int) -> None:
        self._store = store
        self._days = days
        self._max_bytes = max_bytes
        self.size = Size(rows=0, bytes=0, oldest_id=None, newest_id=None)

    async def prune(self) -> float:
        try:
            older_than_ms = int(time.time() * 1000 - self._days * DAY_MS)
            more = await self._store.prune(older_than_ms=older_than_ms, max_bytes=self._max_bytes)
            self.size = await self._store.size()
        except StoreError:
            return EVERY_SECONDS  # a full or failing disk is told of by ingest
        return STEP_SECONDS if more else EVERY_SECONDS
