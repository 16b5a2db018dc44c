"""Webhook deliveries in the state: each once, durable together, the last few thousand."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chimney.core.delivery import Delivery
from chimney.store.database import Database
from chimney.store.deliveries import CHANGED, KEPT, Arrival, DeliveryLog, Finished, Known
from chimney.store.errors import StoreError
from chimney.wire.webhook import Outcome


def arrival(name: str, *, at: float = 1000.0, number: int = 7, minute: int = 0, **more: Any) -> Arrival:
    issue = {"number": number, "state": "open", "updated_at": f"2026-11-15T09:{minute:02}:00Z"}
    said = {"event": "issues", "action": "opened", "repo": "Acme/Rocket", "payload": {"issue": issue}, **more}
    return Arrival(name, at, Delivery(**said))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


@pytest.fixture
async def database(file: Path) -> AsyncIterator[Database]:
    database = Database(file, "state", shared=True)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def kept(database: Database) -> DeliveryLog:
    return DeliveryLog(database)


async def test_a_delivery_is_new_once(kept: DeliveryLog) -> None:
    assert [await kept.add(arrival("one")), await kept.add(arrival("one")), await kept.add(arrival("two"))] == [
        True,
        False,
        True,
    ]


async def test_one_that_failed_is_new_again_with_its_new_content(kept: DeliveryLog) -> None:
    await kept.add(arrival("one"))
    kept.finish([Finished("one", Outcome.FAILED)])
    await kept.flush()
    assert await kept.known(["one"]) == set()
    assert await kept.add(arrival("one", number=8))
    assert [one.delivery.payload["issue"]["number"] for one in (await kept.pending(9))[0]] == [8]
    kept.finish([Finished("one", Outcome.APPLIED)])
    await kept.flush()
    assert not await kept.add(arrival("one"))


async def test_what_was_not_worked_off_is_pending_with_everything_that_was_read_of_it(kept: DeliveryLog) -> None:
    first, second = arrival("one", at=1.0), arrival("two", at=2.0, action=None, repo=None)
    await kept.add(first)
    await kept.add(second)
    assert await kept.pending(9) == ([first, second], 2)
    assert await kept.pending(1) == ([first], 1)
    assert await kept.pending(9, after=1) == ([second], 2)
    assert await kept.pending(9, after=2) == ([], 2)
    kept.finish([Finished("one", Outcome.OUTDATED)])
    await kept.flush()
    assert await kept.pending(9) == ([second], 2)


async def test_those_that_come_together_share_a_transaction_and_each_has_its_answer(
    kept: DeliveryLog, database: Database
) -> None:
    began = await database.run(lambda db: db.total_changes)
    names = [f"{number:03}" for number in range(100)] * 2
    new = await asyncio.gather(*(kept.add(arrival(name)) for name in names))
    assert (sum(new), new[:100]) == (100, [True] * 100)
    assert kept.waiting == 0
    assert await database.run(lambda db: db.total_changes) - began == 100


async def test_somebody_who_stops_waiting_takes_nothing_with_him(kept: DeliveryLog) -> None:
    gone = asyncio.create_task(kept.add(arrival("gone")))
    other = asyncio.create_task(kept.add(arrival("other")))
    await asyncio.sleep(0)
    gone.cancel()
    assert await other
    assert await kept.known(["gone", "other", "third"]) == {"gone", "other"}


async def test_a_closed_database_is_an_error_for_each(kept: DeliveryLog, database: Database, file: Path) -> None:
    blocker = sqlite3.connect(file, isolation_level=None)
    await database.run(lambda db: db.execute("PRAGMA busy_timeout=10").fetchone())
    blocker.execute("BEGIN EXCLUSIVE")
    results = await asyncio.gather(kept.add(arrival("a")), kept.add(arrival("b")), return_exceptions=True)
    assert [isinstance(one, StoreError) for one in results] == [True, True]
    blocker.execute("ROLLBACK")
    blocker.close()
    assert await kept.add(arrival("a"))


async def test_pages_go_from_the_newest_to_the_oldest(kept: DeliveryLog) -> None:
    for number in range(5):
        await kept.add(arrival(f"{number}", at=float(number)))
    kept.finish([Finished("4", Outcome.APPLIED, [f"/repos/{n}" for n in range(CHANGED + 9)])])
    await kept.flush()
    items, place = await kept.page(limit=2, before=None)
    assert ([one.id for one in items], [one.result for one in items]) == (
        ["4", "3"],
        [Outcome.APPLIED, Outcome.PENDING],
    )
    assert (items[0].event, items[0].repo, len(items[0].changed)) == ("issues", "Acme/Rocket", CHANGED)
    rest, end = await kept.page(limit=3, before=place)
    assert ([one.id for one in rest], end) == (["2", "1", "0"], None)
    assert await kept.page(limit=3, before=1) == ([], None)


async def test_the_last_few_thousand_are_kept(kept: DeliveryLog, database: Database) -> None:
    await kept.add(arrival("first"))
    await database.run(lambda db: db.execute("UPDATE sqlite_sequence SET seq = ?", (KEPT + 5,)).rowcount)
    assert await kept.add(arrival("last"))
    assert [one.id for one in (await kept.page(limit=9, before=None))[0]] == ["last"]


async def test_the_last_time_and_the_versions_survive_a_restart(kept: DeliveryLog, database: Database) -> None:
    assert (await kept.last_received(), await kept.versions()) == (None, [])
    await kept.add(arrival("one", at=5.0, minute=3))
    await kept.add(arrival("two", at=9.0, event="push", payload={}))
    again = DeliveryLog(database)
    assert await again.last_received() == 9.0
    assert await again.versions() == [Known("acme/rocket", "issue/7", (0, 0, "2026-11-15T09:03:00Z", 0))]


async def test_a_damaged_row_is_failed_and_holds_up_nothing(kept: DeliveryLog, database: Database) -> None:
    for name in ("good", "bad", "other"):
        await kept.add(arrival(name))
    await database.run(
        lambda db: db.execute("UPDATE webhook_delivery SET delivery = x'00ff' WHERE id = 'bad'").rowcount
    )
    assert [one.id for one in (await kept.pending(9))[0]] == ["good", "other"]
    assert [one.result for one in (await kept.page(limit=9, before=None))[0]] == ["pending", "failed", "pending"]


async def test_a_state_of_the_version_before_is_taken_over(file: Path) -> None:
    folder = Path(__file__).parents[2] / "src" / "chimney" / "store" / "schema"
    old = sqlite3.connect(file)
    old.executescript((folder / "state-001.sql").read_text() + "PRAGMA user_version=1;")
    old.execute("INSERT INTO deploy_report (id, received_at, report) VALUES ('r', 1, '{}')")
    old.commit()
    old.close()
    database = Database(file, "state", shared=True)
    await database.open()
    assert await DeliveryLog(database).add(arrival("one"))
    assert await database.run(lambda db: db.execute("SELECT id FROM deploy_report").fetchall()) == [("r",)]
    await database.close()
