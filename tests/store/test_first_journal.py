"""The journal of the first version, opened by this one."""

import sqlite3
from pathlib import Path

import pytest
from tests.store.test_local_signals import NOW_MS

from chimney.core.log_filter import LogFilter
from chimney.store import first_journal
from chimney.store.local import LocalStore
from chimney.store.sqlite import schema
from chimney.store.telemetry import Batch, Incoming

ROWS = 25
_INSERT = (
    "INSERT INTO log (id, ts_ms, level, source, epoch, origin_id, kind, message, logger, trace_id, fields)"
    " VALUES (?, ?, 40, 1, 1, ?, 'log', ?, 'shop', 't1', '{\"a\":1}')"
)


@pytest.fixture
def first(tmp_path: Path) -> Path:
    db = sqlite3.connect(tmp_path / "journal.sqlite")
    db.executescript(schema("journal")[0])
    db.execute("INSERT INTO source VALUES (1, 'hel1', 1, ?, '[\"b1\"]')", (ROWS,))
    db.executemany(_INSERT, [(100 + n, NOW_MS - 1000 + n, n, f"record {n}") for n in range(1, ROWS + 1)])
    db.execute("PRAGMA user_version=1")
    db.commit()
    db.close()
    return tmp_path


async def test_its_records_keep_their_ids_and_none_is_taken_again(first: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_journal, "_OLDEST", first_journal._OLDEST.replace("LIMIT 2000", "LIMIT 10"))
    store = LocalStore(first)
    await store.open()
    rows = (await store.read(LogFilter(level=40, trace_id="t1"), limit=500)).rows
    assert [row.id for row in rows] == list(range(100 + ROWS, 100, -1))
    assert (rows[0].message, rows[0].source, rows[0].fields) == (f"record {ROWS}", "hel1", {"a": 1})
    place = await store.place("hel1")
    assert (place.last_id, place.boots) == (ROWS, ("b1",))
    again = await store.append([Batch("hel1", [Incoming(b"{}", number) for number in range(1, ROWS + 2)])])
    assert [(one.row.origin_id, one.row.id) for one in again] == [(ROWS + 1, 101 + ROWS)]
    await store.close()


async def test_a_move_that_was_cut_short_goes_on_where_it_was(first: Path) -> None:
    db = sqlite3.connect(first / "journal.sqlite", isolation_level=None)
    for number, step in enumerate(schema("journal")[1:], start=2):
        db.executescript(f"{step}\nPRAGMA user_version={number};")
    db.close()
    store = LocalStore(first)
    await store.open()
    assert len((await store.read(LogFilter(), limit=500)).rows) == ROWS
    assert store.damage is None
    await store.close()
