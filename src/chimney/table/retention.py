"""Letting go of the oldest rows, a little at a time, and knowing how much is kept and how long the disk will do."""

import shutil
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from chimney.store.errors import StoreError
from chimney.store.telemetry import Size
from chimney.store.vault import Limits

EVERY_SECONDS = 10.0
STEP_SECONDS = 0.05  # between two steps: batches are stored in the same thread
HISTORY = 360  # an hour of sizes, which how long the disk will do is told from


class Retained(Protocol):
    async def size(self) -> Size: ...

    async def retain(self, limits: Limits) -> bool: ...


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """The disk of the data folder. `days_left` None while nothing is growing, or it is not known yet."""

    total_bytes: int
    free_bytes: int
    days_left: float | None

    @property
    def used_pct(self) -> float:
        return 100 * (1 - self.free_bytes / self.total_bytes) if self.total_bytes else 0.0


class Retention:
    """`size` and `disk` are at most ten seconds old; `prune` is the verb of a loop."""

    def __init__(self, store: Retained, *, folder: Path, limits: Callable[[int], Limits]) -> None:
        self._store = store
        self._folder = folder
        self._limits = limits
        self._history: deque[tuple[float, int]] = deque(maxlen=HISTORY)
        self.size = Size(rows=0, bytes=0, oldest_id=None, newest_id=None)
        self.disk: Disk | None = None

    async def prune(self) -> float:
        try:
            more = await self._store.retain(self._limits(int(time.time() * 1000)))
            self.size = await self._store.size()
        except StoreError:
            more = False  # a full or failing disk is told of by ingest
        self._look()
        return STEP_SECONDS if more else EVERY_SECONDS

    def _look(self) -> None:
        try:
            usage = shutil.disk_usage(self._folder)
        except OSError:
            return
        self._history.append((time.time(), usage.free))
        self.disk = Disk(total_bytes=usage.total, free_bytes=usage.free, days_left=_days_left(self._history))


def _days_left(history: deque[tuple[float, int]]) -> float | None:
    """When the disk is full if it goes on as in the last hour."""
    (began, free_then), (now, free_now) = history[0], history[-1]
    if now - began < 60 or free_now >= free_then:
        return None
    return free_now / (free_then - free_now) * (now - began) / 86_400
