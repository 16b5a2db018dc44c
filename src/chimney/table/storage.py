"""The room of everything the table keeps of telemetry: the store, its sealing, and letting go of the oldest."""

import contextlib
import logging
import shutil
from pathlib import Path
from typing import Protocol, TypedDict

from chimney.config import TableSettings
from chimney.store.errors import StoreError
from chimney.store.frames import Signal
from chimney.store.telemetry import TelemetryStore
from chimney.store.vault import SEAL_ROWS, Limits
from chimney.table.retention import Retention
from chimney.web.loops import Supervisor

DAY_MS = 86_400_000
SEAL_EVERY_SECONDS = 1.0
SEAL_AGAIN_SECONDS = 30.0  # after a failure
MOST_OF_FREE = 0.05  # the floor is never more than this part of the disk
SEGMENTS_AT_LEAST = 16  # of all that may be kept: so much of it goes at once
SEALED_ROW_BYTES = 40
log = logging.getLogger(__name__)


class Bounds(TypedDict):
    """What the store is opened with."""

    seal_rows: int
    memory_bytes: int
    threads: int


def bounds(settings: TableSettings) -> Bounds:
    return Bounds(
        seal_rows=_seal_rows(min(settings.retention_bytes, _total(settings.data_dir))),
        memory_bytes=settings.query_memory_bytes,
        threads=settings.query_threads,
    )


class Kept(TelemetryStore, Protocol):
    """A store whose rows are sealed, verified and let go of from here."""

    @property
    def damage(self) -> str | None: ...

    async def open(self) -> None: ...

    async def seal(self) -> bool: ...

    async def verify(self) -> None: ...

    async def retain(self, limits: Limits) -> bool: ...

    async def close(self) -> None: ...


class Storage:
    """Nothing is opened before `open`."""

    def __init__(self, store: Kept, settings: TableSettings) -> None:
        self._settings = settings
        self.store = store
        self.retention = Retention(self.store, folder=settings.data_dir, limits=self._limits)

    @property
    def damage(self) -> str | None:
        """What was set aside, in sentences."""
        return self.store.damage

    async def open(self) -> None:
        """Raises FolderError when the folder cannot be used."""
        await self.store.open()

    def start(self, loops: Supervisor) -> None:
        loops.add("retention", self.retention.prune)
        loops.add("seal", self.seal)
        loops.add("verify", self.verify)

    async def seal(self) -> float:
        try:
            return 0.0 if await self.store.seal() else SEAL_EVERY_SECONDS
        except StoreError as error:
            log.warning("rows wait to be sealed, they stay in the journal: %s", error)
            return SEAL_AGAIN_SECONDS

    async def verify(self) -> float:
        """Every segment once after the start, and then once a day."""
        await self.store.verify()
        return DAY_MS / 1000

    def _limits(self, now_ms: int) -> Limits:
        settings = self._settings
        days = {
            Signal.LOG: settings.retention_days,
            Signal.SPAN: settings.retention_spans_days or settings.retention_days,
            Signal.SAMPLE: settings.retention_samples_days or settings.retention_days,
        }
        most: dict[Signal | None, int] = {
            None: settings.retention_bytes,
            Signal.SPAN: settings.retention_spans_bytes or settings.retention_bytes,
            Signal.SAMPLE: settings.retention_samples_bytes or settings.retention_bytes,
        }
        older_than_ms = {signal: int(now_ms - of_one * DAY_MS) for signal, of_one in days.items()}
        floor = min(settings.free_bytes, int(_total(settings.data_dir) * MOST_OF_FREE))
        return Limits(older_than_ms=older_than_ms, max_bytes=most, free_bytes=floor)

    async def close(self) -> None:
        await self.store.close()


def _seal_rows(retention_bytes: int) -> int:
    return max(1_000, min(SEAL_ROWS, retention_bytes // SEGMENTS_AT_LEAST // SEALED_ROW_BYTES))


def _total(folder: Path) -> int:
    """Bytes of the disk that the folder is on, or will be."""
    for existing in (folder, *folder.absolute().parents):
        with contextlib.suppress(OSError):
            return shutil.disk_usage(existing).total
    return 0
