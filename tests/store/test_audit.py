"""The audit log: added to, never changed, and a record that is tampered with shows."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from chimney.store.audit import AuditLog, chained
from chimney.store.database import Database
from chimney.store.errors import StorageFullError
from chimney.wire.audit import AuditRecord


def record(act: str, **detail: str) -> AuditRecord:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    return AuditRecord(id=0, at=at, act=act, who="ada", client=None, request_id="r", result="done", detail=dict(detail))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(tmp_path / "state.sqlite", "state", shared=True)
    await opened.open()
    yield opened
    await opened.close()


async def whole(log: AuditLog) -> bool:
    """Whether every hash covers its record and the one before it."""
    records, _ = await log.page(limit=500, before=None)
    before = ""
    for one in records[::-1]:
        if one.hash != chained(before, one):
            return False
        before = one.hash
    return True


async def test_records_are_there_after_a_restart_and_their_chain_is_whole(tmp_path: Path, database: Database) -> None:
    for number in range(5):
        await AuditLog(database).add(record(f"act-{number}"))
    await database.close()
    again = Database(tmp_path / "state.sqlite", "state", shared=True)
    await again.open()
    log = AuditLog(again)
    assert (await log.add(record("act-5"))).id == 6
    records, following = await log.page(limit=4, before=None)
    assert ([one.act for one in records], following) == (["act-5", "act-4", "act-3", "act-2"], 3)
    assert [one.act for one in (await log.page(limit=4, before=following))[0]] == ["act-1", "act-0"]
    assert await whole(log)
    await again.close()


async def test_a_record_that_was_changed_or_removed_shows(database: Database) -> None:
    log = AuditLog(database)
    for number in range(3):
        await log.add(record(f"act-{number}"))
    changed = msgspec.json.encode(msgspec.structs.replace((await log.page(limit=3, before=None))[0][1], who="mallory"))
    await database.run(lambda db: db.execute("UPDATE audit SET record = ? WHERE seq = 2", (changed,)))
    assert not await whole(log)
    await database.run(lambda db: db.execute("DELETE FROM audit WHERE seq = 2"))
    assert not await whole(log)


async def test_a_full_disk_refuses(database: Database) -> None:
    await database.run(lambda db: db.execute("PRAGMA max_page_count=1").fetchone())
    with pytest.raises(StorageFullError):
        await AuditLog(database).add(record("act", text="x" * 20_000))
