"""A disk that is full: a file system of its own; where it may not be mounted, SQLite's limit stands for it."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.store.test_local_signals import record
from tests.store.test_sealed import opened

from chimney.core.log_filter import LogFilter
from chimney.store.errors import StorageFailedError, StorageFullError
from chimney.store.frames import Signal
from chimney.store.local import LocalStore
from chimney.store.telemetry import Batch
from chimney.store.vault import Limits

ROWS = 100
LIMITS = Limits(older_than_ms=dict.fromkeys(Signal, 0), max_bytes={None: 2**40})


class Disk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mounted = self._mount("size=20m")

    def _mount(self, options: str) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0

    def limit(self, store: LocalStore) -> None:
        if not self._mounted:
            store._vault._journal.connection().execute("PRAGMA max_page_count=4000")

    def grow(self, store: LocalStore) -> None:
        if self._mounted:
            self._mount("remount,size=40m")
        else:
            store._vault._journal.connection().execute("PRAGMA max_page_count=1000000")

    def end(self) -> None:
        if self._mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    (tmp_path / "disk").mkdir()
    disk = Disk(tmp_path / "disk")
    yield disk
    disk.end()


def batch(number: int) -> Batch:
    rows = [record(f"r{number}-{one}", fields={"x": os.urandom(4_000).hex()}) for one in range(ROWS)]
    return Batch("shop", rows, key=number.to_bytes(8))


async def fill(store: LocalStore, first: int) -> int:
    """Stores batches until there is no room; how many were acked."""
    for number in range(first, first + 10_000):
        try:
            await store.append([batch(number)])
        except StorageFullError:
            return number
    raise AssertionError("it was never full")


async def count(store: LocalStore, acked: int) -> int:
    """How many of the acked batches are found whole, each record once."""
    messages = [row.message for row in (await store.read(LogFilter(), limit=10**6)).rows]
    assert len(messages) == len(set(messages))
    found = set(messages)
    return sum(all(f"r{number}-{one}" in found for one in range(ROWS)) for number in range(acked))


async def test_on_a_full_disk_senders_are_refused_reads_go_on_and_nothing_acked_is_lost(disk: Disk) -> None:
    store = await opened(disk.folder, seal_rows=10**6)
    disk.limit(store)
    await store.retain(LIMITS)
    acked = await fill(store, 0)
    with pytest.raises(StorageFullError):
        await store.append([batch(acked)])
    assert await count(store, acked) == acked
    disk.grow(store)
    await store.append([batch(acked)])
    await store.close()
    again = await opened(disk.folder, seal_rows=10**6)
    assert again.damage is None
    assert await count(again, acked + 1) == acked + 1
    assert (await again.size()).rows == (acked + 1) * ROWS
    await again.close()


async def test_a_full_disk_is_made_room_on_by_sealing_early(disk: Disk) -> None:
    store = await opened(disk.folder, seal_rows=10**6)
    disk.limit(store)
    await store.retain(LIMITS)
    acked = await fill(store, 0)
    try:
        while await store.seal():
            pass
    except (StorageFullError, StorageFailedError):
        await store.retain(LIMITS)
    assert await count(store, acked) == acked
    await store.close()
    again = await opened(disk.folder, seal_rows=10**6)
    assert await count(again, acked) == acked
    assert again.damage is None
    await again.close()
