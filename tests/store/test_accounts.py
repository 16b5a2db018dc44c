from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chimney.store.accounts import Accounts, StoredSession, User
from chimney.store.database import Database
from chimney.store.errors import StorageFailedError

ANN = User("ann", "operator", "hash")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(tmp_path / "table.sqlite", "table")
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return Accounts(database)


async def test_nobody_is_nobody(accounts: Accounts) -> None:
    assert await accounts.user("ann") is None
    assert await accounts.sessions() == []
    assert await accounts.tokens() == {}


async def test_a_new_password_ends_the_sessions_of_the_old_one(accounts: Accounts) -> None:
    await accounts.put_user(ANN)
    await accounts.put_user(User("bob", "viewer", "hash"))
    for name in ("ann", "bob"):
        await accounts.add_session(StoredSession(name.encode(), name, "", 1.0, 1.0))
    await accounts.put_user(User("ann", "viewer", "other"))
    assert await accounts.user("ann") == User("ann", "viewer", "other")
    assert [session.user for session in await accounts.sessions()] == ["bob"]


async def test_sessions_are_touched_and_removed(accounts: Accounts) -> None:
    await accounts.put_user(ANN)
    for token in (b"1", b"2"):
        await accounts.add_session(StoredSession(token, "ann", "operator", 1.0, 1.0))
    await accounts.touch_sessions({b"2": 9.0})
    await accounts.remove_sessions([b"1"])
    assert await accounts.sessions() == [StoredSession(b"2", "ann", "operator", 1.0, 9.0)]


async def test_a_token_replaces_the_one_of_its_name(accounts: Accounts) -> None:
    await accounts.put_token(name="cli", token=b"1", role="operator", now=1.0)
    await accounts.put_token(name="cli", token=b"2", role="viewer", now=2.0)
    assert await accounts.tokens() == {b"2": ("cli", "viewer")}


async def test_what_fails_half_way_leaves_nothing_behind(database: Database, accounts: Accounts) -> None:
    with pytest.raises(StorageFailedError):
        await accounts.add_session(StoredSession(b"1", "nobody", "", 1.0, 1.0))
    await accounts.put_user(ANN)
    assert await accounts.user("ann") == ANN


async def test_it_is_all_there_after_a_restart(accounts: Accounts, database: Database, tmp_path: Path) -> None:
    await accounts.put_user(ANN)
    await database.close()
    again = Database(tmp_path / "table.sqlite", "table")
    await again.open()
    assert await Accounts(again).user("ann") == ANN
    await again.close()
