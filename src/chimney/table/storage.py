"""The room of everything the table keeps of telemetry: the store, its sealing, and letting go of the oldest."""

import contextlib
import logging
import shutil
from pathlib import Path
from typing import Any, Protocol, TypedDict

from litestar import get

from chimney.config import TableSettings
from chimney.store.errors import StoreError
from chimney.store.frames import Signal
from chimney.store.telemetry import TelemetryStore
from chimney.store.usage import Usage
from chimney.store.vault import SEAL_ROWS, Limits
from chimney.table.access import VIEWER
from chimney.table.queries import unreadable
from chimney.table.retention import Retention
from chimney.web.loops import Supervisor
from chimney.wire.base import stamp
from chimney.wire.storage import SignalStorage, StorageState

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

    async def usage(self) -> Usage: ...

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

    async def state(self) -> StorageState:
        """Raises StoreError."""
        usage, limits, disk = await self.store.usage(), self._limits(0), self.retention.disk
        return StorageState(
            signals=[
                SignalStorage(
                    signal=signal,
                    rows=one.rows,
                    unsealed_rows=one.unsealed_rows,
                    segments=one.segments,
                    bytes=one.bytes,
                    oldest_at=None if one.oldest_ms is None else stamp(one.oldest_ms / 1000),
                    retention_days=-limits.older_than_ms[signal] / DAY_MS,
                    retention_bytes=limits.max_bytes.get(signal, self._settings.retention_bytes),
                )
                for signal, one in usage.signals.items()
            ],
            bytes=usage.journal_bytes + sum(one.bytes for one in usage.signals.values()),
            journal_bytes=usage.journal_bytes,
            retention_bytes=self._settings.retention_bytes,
            disk_total_bytes=disk.total_bytes if disk else None,
            disk_free_bytes=disk.free_bytes if disk else None,
            free_floor_bytes=limits.free_bytes,
            days_left=disk.days_left if disk else None,
            damage=self.damage,
        )

    def routes(self) -> list[Any]:
        @get("/api/storage", opt=VIEWER, summary="What the table keeps, and for how long", tags=["health"])
        async def storage() -> StorageState:
            """Rows and bytes by signal, the oldest of each, the bounds that are set, room on the disk."""
            try:
                return await self.state()
            except StoreError as error:
                raise unreadable(error) from None

        return [storage]

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
