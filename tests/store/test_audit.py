"""The audit log: a chain that shows what was changed or taken out."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from chimney.store.audit import AuditLog
from chimney.store.database import Database
from chimney.wire.audit import AuditRecord

RECORD = AuditRecord(
    id=0, at=datetime(2026, 1, 1, tzinfo=UTC), act="switch", who="op", client=None, request_id="r", result="unknown"
)


@pytest.fixture(params=["state", "table"])
async def database(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    database = Database(tmp_path / "x.sqlite", request.param)
    await database.open()
    yield database
    await database.close()


async def test_records_follow_on_each_other(database: Database) -> None:
    log = AuditLog(database)
    kept = [await log.add(RECORD) for _ in range(3)]
    assert [record.id for record in kept] == [1, 2, 3]
    assert len({record.hash for record in kept}) == 3
    assert await log.broken() is None
    assert await log.page(limit=2, before=None) == ([kept[2], kept[1]], 2)
    assert await log.page(limit=2, before=2) == ([kept[0]], None)


@pytest.mark.parametrize(
    "meddling",
    [
        "UPDATE audit SET record = replace(record, 'switch', 'rerun!') WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 2",
        "UPDATE audit SET hash = 'x' WHERE seq = 2",
    ],
)
async def test_a_record_that_was_changed_or_taken_out_shows(database: Database, meddling: str) -> None:
    log = AuditLog(database)
    for _ in range(4):
        await log.add(RECORD)
    await database.run(lambda db: db.execute(meddling))
    assert await log.broken() == (3 if meddling.startswith("DELETE") else 2)


async def test_an_outcome_stands_with_what_it_is_of(database: Database) -> None:
    log = AuditLog(database)
    first, second = await log.add(RECORD), await log.add(RECORD)
    outcome = await log.add(msgspec.structs.replace(RECORD, result="done", of=first.id))
    assert await log.acts(limit=5, before=None) == ([(second, None), (first, outcome)], None)
    assert await log.acts(limit=1, before=None) == ([(second, None)], 2)
    assert await log.broken() is None
