"""A backup is made while the table writes, and holds everything that was acked before it began."""

import asyncio
import itertools
from pathlib import Path

import pytest
from tests.store.test_sealed import ALL, LIMITS, incoming, opened, seal

from chimney.store.backup import back_up, restore
from chimney.store.errors import FolderError
from chimney.store.local import LocalStore


async def held(store: LocalStore) -> list[int]:
    return sorted(row.origin_id or 0 for row in (await store.read(ALL, limit=10**6)).rows)


async def test_a_backup_under_ingest_holds_all_that_was_acked_before_it_began(tmp_path: Path) -> None:
    store = await opened(_folder(tmp_path / "data"))
    acked, running = 0, True

    async def ingest() -> None:
        nonlocal acked
        for first in itertools.count(1, 50):
            if not running:
                return
            await store.append([incoming(first, 50)])
            acked = first + 49
            await seal(store)

    task = asyncio.create_task(ingest())
    while acked < 400:
        await asyncio.wait([task], timeout=0.01)
    before = acked
    copied = await asyncio.to_thread(back_up, tmp_path / "data", tmp_path / "backup")
    running = False
    await task
    await store.close()
    assert copied.segments > 1
    await asyncio.to_thread(restore, tmp_path / "backup", _folder(tmp_path / "elsewhere"))
    again = await opened(tmp_path / "elsewhere")
    await again.verify()
    assert again.damage is None
    numbers = await held(again)
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= before
    await again.close()


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


async def test_a_segment_that_went_meanwhile_is_no_damage_of_the_backup(tmp_path: Path) -> None:
    store = await opened(_folder(tmp_path / "data"))
    await store.append([incoming(1, 100)])
    await seal(store)
    next((tmp_path / "data" / "segments").glob("*.parquet")).unlink()
    await asyncio.to_thread(back_up, tmp_path / "data", tmp_path / "backup")
    await store.close()
    again = await opened(tmp_path / "backup")
    assert (await held(again), again.damage) == ([], None)
    await again.close()


async def test_restoring_keeps_what_it_replaces(tmp_path: Path) -> None:
    data = _folder(tmp_path / "data")
    store = await opened(data)
    await store.append([incoming(1, 150)])
    await seal(store)
    await asyncio.to_thread(back_up, data, tmp_path / "backup")
    await store.append([incoming(151, 150)])
    await store.retain(LIMITS)
    await store.close()
    await asyncio.to_thread(restore, tmp_path / "backup", data)
    again = await opened(data)
    assert await held(again) == list(range(1, 151))
    await again.close()
    (replaced,) = data.glob("replaced-*")
    old = await opened(replaced)
    assert await held(old) == list(range(1, 301))
    await old.close()


def test_what_cannot_be_backed_up_or_restored_is_said(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "journal.sqlite").write_bytes(b"no database")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FolderError, match="no table's data"):
        back_up(tmp_path / "empty", tmp_path / "to")
    with pytest.raises(FolderError, match="not empty"):
        back_up(tmp_path / "full", tmp_path / "full")
    with pytest.raises(FolderError, match="cannot read"):
        back_up(tmp_path / "full", tmp_path / "to")
    assert not list(tmp_path.glob("to*"))
    with pytest.raises(FolderError, match="is no backup"):
        restore(tmp_path / "empty", tmp_path / "full")
