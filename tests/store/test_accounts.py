from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from chimney.store.accounts import DEVICES, Accounts, Device, StoredSession, User
from chimney.store.api_tokens import ApiTokens, StoredToken
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


async def test_a_token_replaces_the_one_of_its_name(database: Database) -> None:
    tokens = ApiTokens(database)
    one = StoredToken(id="1", name="cli", token=b"1", role="viewer", prefix="a", created_at=1.0, created_by="ann")
    await tokens.put(one)
    other = msgspec.structs.replace(one, id="2", token=b"2", expires_at=9.0)
    await tokens.put(other)
    await tokens.touch({"2": 5.0})
    assert await tokens.all() == [msgspec.structs.replace(other, last_used_at=5.0)]
    await tokens.remove(["2"])
    assert await tokens.all() == []


async def test_a_session_begins_only_for_the_user_whose_password_was_looked_at(accounts: Accounts) -> None:
    await accounts.put_user(ANN)
    session = StoredSession(b"1", "ann", "operator", 1.0, 1.0)
    assert await accounts.begin_session(session, ANN)
    for before in (
        msgspec.structs.replace(ANN, password="older"),
        msgspec.structs.replace(ANN, role="admin"),
        msgspec.structs.replace(ANN, name="bob"),
    ):
        assert not await accounts.begin_session(msgspec.structs.replace(session, token=b"2"), before)
    disabled = msgspec.structs.replace(ANN, disabled=True)
    await accounts.put_user(disabled)
    assert not await accounts.begin_session(session, disabled)
    assert await accounts.sessions() == []


async def test_a_name_or_a_subject_is_taken_once(accounts: Accounts) -> None:
    elsewhere = User("bob", "viewer", "", "github", "github 7", 1.0)
    assert await accounts.add_user(elsewhere)
    assert await accounts.user_of("github 7") == elsewhere
    assert not await accounts.add_user(msgspec.structs.replace(elsewhere, name="bob2"))
    assert not await accounts.add_user(User("bob", "admin", "hash"))
    assert await accounts.users() == [elsewhere]
    await accounts.remove_user("bob")
    assert await accounts.user_of("github 7") is None


async def test_browsers_are_kept_up_to_a_bound_the_longest_unseen_goes_first(accounts: Accounts) -> None:
    await accounts.put_user(ANN)
    for number in range(DEVICES + 1):
        await accounts.put_device(Device(bytes([number]), "ann", float(number)))
    assert await accounts.device(b"\0") is None
    assert await accounts.device(b"\1") == Device(b"\1", "ann", 1.0)
    await accounts.put_user(ANN)
    assert await accounts.device(b"\1") is None, "a new password is asked of every browser"


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
