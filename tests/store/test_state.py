"""Deploy reports: durable, once an id, in the order in which they came."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chimney.store.database import Database
from chimney.store.errors import FolderError, StorageFailedError, StorageFullError
from chimney.store.state import ReportLog
from chimney.wire.deployment import DeployReport, Phase

Opened = Callable[[], Awaitable[Database]]


def report(name: str) -> DeployReport:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    return DeployReport(id=name, phase=Phase.STARTED, revision="a" * 40, environment="production", at=at)


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    databases: list[Database] = []

    async def opened() -> Database:
        database = Database(tmp_path / "state.sqlite", "state", shared=True)
        databases.append(database)
        await database.open()
        return database

    yield opened
    for database in databases:
        await database.close()


async def test_reports_are_there_in_their_order_after_a_restart(opened: Opened) -> None:
    first = await opened()
    log = ReportLog(first)
    assert [await log.add(report(name)) for name in "abc"] == [True, True, True]
    await first.close()
    kept = await ReportLog(await opened()).latest(10)
    assert kept == [report(name) for name in "abc"]


async def test_the_same_id_is_kept_once_and_as_it_was_first(opened: Opened) -> None:
    log = ReportLog(await opened())
    assert await log.add(report("a")) is True
    again = DeployReport(id="a", phase=Phase.FAILED, revision="b" * 40, environment="x", at=datetime.now(UTC))
    assert await log.add(again) is False
    assert await log.latest(10) == [report("a")]


async def test_the_latest_are_told_oldest_first(opened: Opened) -> None:
    log = ReportLog(await opened())
    for name in "abcde":
        await log.add(report(name))
    assert [one.id for one in await log.latest(2)] == ["d", "e"]
    assert await ReportLog(await opened()).latest(0) == []


async def test_both_slots_write_to_one_file_at_the_same_time(opened: Opened) -> None:
    blue, green = ReportLog(await opened()), ReportLog(await opened())
    added = await asyncio.gather(
        *(log.add(report(f"{side}{n}")) for n in range(20) for side, log in (("b", blue), ("g", green))),
        *(log.add(report("same")) for log in (blue, green)),
    )
    assert added.count(True) == 41
    assert len(await blue.latest(100)) == 41


async def test_what_was_acknowledged_is_in_the_file_at_once(opened: Opened, tmp_path: Path) -> None:
    await ReportLog(await opened()).add(report("a"))
    other = sqlite3.connect(f"file:{tmp_path / 'state.sqlite'}?mode=ro", uri=True)
    assert other.execute("SELECT id FROM deploy_report").fetchall() == [("a",)]
    [sync], [mode] = await (await opened()).run(
        lambda db: [db.execute(f"PRAGMA {name}").fetchone() for name in ("synchronous", "journal_mode")]
    )
    assert (sync, mode) == (2, "truncate")
    other.close()


async def test_a_full_disk_refuses_and_what_is_stored_stays_readable(opened: Opened) -> None:
    database = await opened()
    log = ReportLog(database)
    await log.add(report("a"))
    await database.run(lambda db: db.execute("PRAGMA max_page_count=1").fetchone())
    big = DeployReport(
        **{**{name: getattr(report("b"), name) for name in report("b").__struct_fields__}, "message": "x" * 100_000}
    )
    with pytest.raises(StorageFullError, match="no room"):
        await log.add(big)
    assert await log.latest(10) == [report("a")]
    await database.run(lambda db: db.execute("PRAGMA max_page_count=100000").fetchone())
    assert await log.add(big) is True


async def test_a_closed_database_fails_in_our_words(opened: Opened) -> None:
    database = await opened()
    await database.close()
    with pytest.raises((StorageFailedError, RuntimeError)):
        await ReportLog(database).add(report("a"))


async def test_a_damaged_file_is_set_aside_and_said_so(tmp_path: Path, opened: Opened) -> None:
    (tmp_path / "state.sqlite").write_bytes(b"no database at all " * 400)
    database = await opened()
    assert "set aside as state.sqlite.corrupt-" in (database.damage or "")
    assert await ReportLog(database).add(report("a")) is True


async def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path, opened: Opened) -> None:
    db = sqlite3.connect(tmp_path / "state.sqlite")
    db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(FolderError, match="later version"):
        await opened()
    assert (tmp_path / "state.sqlite").read_bytes().startswith(b"SQLite format 3")


async def test_slots_that_start_at_once_on_a_new_folder_lay_out_the_file_once(opened: Opened) -> None:
    databases = await asyncio.gather(*(opened() for _ in range(8)))
    assert [await ReportLog(database).add(report("a")) for database in databases] == [True] + [False] * 7
