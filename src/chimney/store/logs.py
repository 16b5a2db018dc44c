"""What the table asks of a store of log records. One behaviour suite runs over every implementation."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from chimney.core.log_filter import LogFilter
from chimney.wire.telemetry import Histogram, LogRow


class Incoming(msgspec.Struct, frozen=True):
    """One record as it came: `data` is its JSON, `kind` is `log`, or `gap` and `restart` for marks we make."""

    data: bytes
    origin_id: int | None = None
    kind: str = "log"


class Place(msgspec.Struct, frozen=True):
    """How far a source was followed. `boots` are the last starts of its process that we met."""

    epoch: int = 1
    last_id: int = 0
    boots: tuple[str, ...] = ()


class Batch(msgspec.Struct, frozen=True):
    """Records of one source, and where it has been followed to once they are stored (None: unchanged)."""

    source: str
    records: Sequence[Incoming]
    place: Place | None = None


class StoredRow(msgspec.Struct, frozen=True):
    """A record that is stored: the row, its severity number and its JSON."""

    row: LogRow
    level: int
    data: bytes


class Found(msgspec.Struct, frozen=True):
    """Rows, newest first. `more` when there are older ones; `partial` when the search was cut short by its deadline."""

    rows: list[LogRow]
    more: bool
    partial: bool


class Size(msgspec.Struct, frozen=True):
    """`rows` counts ids between the oldest and the newest, which is close; ids are None while nothing is held."""

    rows: int
    bytes: int
    oldest_id: int | None
    newest_id: int | None


class LogStore(Protocol):
    async def append(self, batches: Sequence[Batch]) -> list[StoredRow]:
        """Stores what is new, durably, in one transaction; records held already are left out of the answer.

        Raises StorageFullError or StorageFailedError, and has then stored nothing.
        """

    async def read(
        self, wanted: LogFilter, *, limit: int, before: int | None = None, after: int | None = None
    ) -> Found: ...

    async def histogram(self, wanted: LogFilter, *, width_ms: int) -> tuple[Histogram, bool]:
        """Counts in `[from_ms, to_ms)`, both needed; the flag is `partial`."""

    async def place(self, source: str) -> Place: ...

    async def size(self) -> Size: ...
