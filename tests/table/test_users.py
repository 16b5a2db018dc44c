"""Users and API tokens: who may change them, and what ends with each change."""

import json
import time
from typing import Any

import httpx2
import msgspec
import pytest
from tests.table.conftest import Make
from tests.table.running import PASSWORD, Running

from chimney.core.api_token import is_whole
from chimney.store.audit import AuditLog

NEW = {"user": "ann", "password": "a long enough one", "role": "viewer"}


async def add(operator: httpx2.AsyncClient, **more: str) -> dict[str, Any]:
    answer = await operator.post("/api/users", json=NEW | more)
    assert answer.status_code == 201, answer.text
    item: dict[str, Any] = answer.json()
    return item


async def enter(running: Running, user: str = "ann", password: str = NEW["password"]) -> httpx2.AsyncClient:
    client = running.new_client()
    answer = await client.post("/api/session", json={"user": user, "password": password})
    assert answer.status_code == 200, answer.text
    return client


async def status(client: httpx2.AsyncClient, path: str = "/api/session") -> int:
    return (await client.get(path)).status_code


async def audited(client: httpx2.AsyncClient) -> list[tuple[str, str, str, str]]:
    """What the table itself had to do, newest first."""
    items = (await client.get("/api/audit")).json()["items"]
    return [(item["who"], item["act"], item["did"], item["result"]) for item in items]


async def test_the_first_user_is_an_operator_and_manages_users(operator: httpx2.AsyncClient) -> None:
    (first,) = (await operator.get("/api/users")).json()["items"]
    assert {name: first[name] for name in ("user", "role", "source", "disabled", "first")} == {
        "user": "operator",
        "role": "operator",
        "source": "password",
        "disabled": False,
        "first": True,
    }
    assert first["created_at"].endswith("Z")
    assert first["last_seen_at"] >= first["created_at"]
    told = (await operator.get("/api/session")).json()
    assert told == {
        "user": "operator",
        "role": "operator",
        "manages": True,
        "source": "password",
        "providers": ["password"],
    }


async def test_which_ways_to_sign_in_there_are_is_told_to_anybody(running: Running) -> None:
    answer = await running.client.get("/api/session")
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.headers["www-authenticate"]
    assert answer.json()["providers"] == ["password"]
    assert answer.json()["instance"] == answer.headers["x-request-id"]


async def test_a_user_is_added_and_signs_in(running: Running, operator: httpx2.AsyncClient) -> None:
    item = await add(operator)
    assert (item["user"], item["role"], item["source"], item["last_seen_at"]) == ("ann", "viewer", "password", None)
    client = await enter(running)
    assert (await client.get("/api/session")).json()["role"] == "viewer"
    assert await status(client, "/api/users") == 403
    assert [one["last_seen_at"] is None for one in (await operator.get("/api/users")).json()["items"]] == [False, False]
    assert (await audited(operator))[0] == ("operator", "user_add", "add the user ann as viewer", "done")
    assert "long enough" not in json.dumps((await operator.get("/api/audit")).json())


@pytest.mark.parametrize("change", [{"role": "operator"}, {"password": "another long one"}, {"disabled": True}])
async def test_a_change_ends_every_session_and_stream_of_the_user_and_of_no_other(
    running: Running, operator: httpx2.AsyncClient, change: dict[str, Any]
) -> None:
    """faults.md G: session death."""
    await add(operator)
    clients = [await enter(running), await enter(running)]
    streams = [await running.stream("/api/stream", client) for client in (*clients, operator)]
    assert (await operator.patch("/api/users/ann", json=change)).status_code == 200
    for stream in streams[:2]:
        await stream.ended()
    assert [await status(client) for client in clients] == [401, 401]
    assert await status(operator) == 200
    assert not streams[2].task.done()
    signed = await running.client.post("/api/session", json={"user": "ann", "password": NEW["password"]})
    assert signed.status_code == (200 if "role" in change else 401)


async def test_a_user_is_removed_with_all_that_is_theirs(running: Running, operator: httpx2.AsyncClient) -> None:
    await add(operator)
    client = await enter(running)
    assert (await operator.delete("/api/users/ann")).status_code == 204
    assert await status(client) == 401
    assert (await operator.delete("/api/users/ann")).status_code == 404
    assert (await audited(operator))[0] == ("operator", "user_remove", "remove the user ann", "done")
    assert await AuditLog(running.table.database).broken() is None


async def test_an_admin_manages_and_acts(running: Running, operator: httpx2.AsyncClient) -> None:
    await add(operator, role="admin")
    admin = await enter(running)
    assert await status(admin, "/api/users") == 200
    assert (await admin.post("/api/acts/warm", json={})).json()["type"].endswith("#no-origin"), "it was let through"
    assert (await admin.patch("/api/users/operator", json={"disabled": True})).status_code == 200
    assert await status(operator) == 401
    alone = await admin.patch("/api/users/ann", json={"role": "viewer"})
    assert (alone.status_code, alone.json()["type"].rpartition("#")[2]) == (409, "last-admin")
    assert (await admin.delete("/api/users/operator")).json()["type"].rpartition("#")[2] == "first-user"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "$"),
        (NEW | {"role": "owner"}, "$.role"),
        (NEW | {"user": "../x"}, "$.user"),
        (NEW | {"user": ""}, "$.user"),
        (NEW | {"user": "a" * 65}, "$.user"),
        (NEW | {"user": "a\n"}, "$.user"),
        (NEW | {"password": "short"}, "$.password"),
        (NEW | {"password": "aaaaaaaaaaaa"}, "$.password"),
        (NEW | {"user": "annabella", "password": "AnnaBella"}, "$.password"),
        (NEW | {"password": "x" * 1001}, "$.password"),
        (NEW | {"admin": True}, "$"),
    ],
)
async def test_what_is_no_user_is_named(operator: httpx2.AsyncClient, body: dict[str, Any], path: str) -> None:
    answer = await operator.post("/api/users", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["path"] == path


@pytest.mark.parametrize("user", ["operator", "Operator", "OPERATOR"])
async def test_a_name_is_taken_once_whatever_its_case(operator: httpx2.AsyncClient, user: str) -> None:
    answer = await operator.post("/api/users", json=NEW | {"user": user})
    assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (409, "name-taken")


async def test_ones_own_password_is_changed_and_every_other_session_ends(running: Running) -> None:
    client, other = await running.signed_in(), await running.signed_in()
    before = dict(client.cookies)
    wrong = await client.post("/api/session/password", json={"old": "wrong", "new": "quite another one"})
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (403, "$.old")
    weak = await client.post("/api/session/password", json={"old": PASSWORD, "new": "aaaaaaaa"})
    assert (weak.status_code, weak.json()["errors"][0]["path"]) == (400, "$.new")
    answer = await client.post("/api/session/password", json={"old": PASSWORD, "new": "quite another one"})
    assert (answer.status_code, answer.json()) == (200, {"user": "operator", "role": "operator"})
    assert await status(client) == 200, "a new session begins here"
    assert [await status(other), await status(running.new_client(cookies=before))] == [401, 401]
    assert (await audited(client))[0] == ("operator", "password_change", "operator changes the password", "done")
    assert (await running.client.post("/api/session", json={"password": PASSWORD})).status_code == 401


async def test_a_changed_password_stays_until_the_settings_say_another(make_table: Make) -> None:
    first = await make_table()
    client = await first.signed_in()
    await client.post("/api/session/password", json={"old": PASSWORD, "new": "quite another one"})
    await first.stop()
    for password, works in ((PASSWORD, "quite another one"), ("set anew in the settings",) * 2, (None,) * 2):
        again = await make_table(password=password)
        entered = await again.client.post("/api/session", json={"password": works or "set anew in the settings"})
        assert entered.status_code == 200
        await again.stop()


async def test_a_password_in_the_settings_lets_a_disabled_first_user_in_again(make_table: Make) -> None:
    first = await make_table()
    await add(await first.signed_in(), role="admin")
    admin = await enter(first)
    assert (await admin.patch("/api/users/operator", json={"disabled": True})).status_code == 200
    await first.stop()
    again = await make_table(password="the way back in")
    assert (await again.client.post("/api/session", json={"password": "the way back in"})).status_code == 200


async def test_a_token_is_told_once_and_is_let_in_by_its_role(running: Running, operator: httpx2.AsyncClient) -> None:
    answer = await operator.post("/api/tokens", json={"name": "ci", "role": "viewer", "expires_in_days": 30})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert is_whole(made["token"])
    assert made["token"].startswith(made["prefix"])
    bearer = {"authorization": f"Bearer {made['token']}"}
    assert (await running.client.get("/api/overview", headers=bearer)).status_code == 200
    assert (await running.client.post("/api/acts/warm", json={}, headers=bearer)).status_code == 403
    listed = (await operator.get("/api/tokens")).json()["items"]
    assert [one["name"] for one in listed] == ["ci", "cli"]
    assert listed[0].keys() == {
        *("id", "name", "role", "prefix"),
        *("created_at", "created_by", "expires_at", "last_used_at"),
    }
    assert listed[0]["last_used_at"] >= listed[0]["created_at"]
    assert listed[1]["expires_at"] is None
    same = await operator.post("/api/tokens", json={"name": "ci", "role": "viewer"})
    assert (same.status_code, same.json()["type"].rpartition("#")[2]) == (409, "name-taken")
    assert made["token"] not in json.dumps([listed, (await operator.get("/api/audit")).json()])


async def test_a_revoked_token_is_out_at_once_with_its_streams(running: Running, operator: httpx2.AsyncClient) -> None:
    made = (await operator.post("/api/tokens", json={"name": "ci", "role": "viewer"})).json()
    bearer = {"authorization": f"Bearer {made['token']}"}
    stream = await running.stream("/api/logs/stream", running.client, **bearer)
    assert (await operator.delete(f"/api/tokens/{made['id']}")).status_code == 204
    await stream.ended()
    assert (await running.client.get("/api/overview", headers=bearer)).status_code == 401
    assert (await operator.delete(f"/api/tokens/{made['id']}")).status_code == 404
    assert [row[1] for row in (await audited(operator))[:2]] == ["token_revoke", "token_make"]


async def test_a_token_that_expires_is_out_with_its_streams(running: Running, operator: httpx2.AsyncClient) -> None:
    made = (await operator.post("/api/tokens", json={"name": "ci", "role": "viewer", "expires_in_days": 1})).json()
    bearer = {"authorization": f"Bearer {made['token']}"}
    stream = await running.stream("/api/logs/stream", running.client, **bearer)
    tokens = running.table.operating.sessions.tokens
    known = tokens.get(made["id"])
    tokens._tokens[known.token] = msgspec.structs.replace(known, expires_at=time.time() - 1)
    await running.table.operating.sessions.sweep()
    await stream.ended()
    assert (await running.client.get("/api/overview", headers=bearer)).status_code == 401
    assert made["id"] in [one["id"] for one in (await operator.get("/api/tokens")).json()["items"]], (
        "it can be seen why"
    )
    tokens._tokens[known.token] = msgspec.structs.replace(known, expires_at=time.time() - 8 * 86_400)
    await running.table.operating.sessions.sweep()
    assert (await operator.delete(f"/api/tokens/{made['id']}")).status_code == 404


async def test_a_token_named_like_the_first_user_is_not_the_first_user(
    running: Running, operator: httpx2.AsyncClient
) -> None:
    made = (await operator.post("/api/tokens", json={"name": "operator", "role": "operator"})).json()
    bearer = {"authorization": f"Bearer {made['token']}"}
    assert (await running.client.get("/api/users", headers=bearer)).status_code == 403
    change = {"old": PASSWORD, "new": "quite another one"}
    answer = await running.client.post("/api/session/password", json=change, headers=bearer)
    assert answer.status_code == 403
    told = (await running.client.get("/api/session", headers=bearer)).json()
    assert (told["user"], told["manages"], told["source"]) == ("operator", False, None)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": "ci"}, "$"),
        ({"name": "", "role": "viewer"}, "$.name"),
        ({"name": "ci", "role": "deploy"}, "$.role"),
        ({"name": "ci", "role": "viewer", "expires_in_days": 0}, "$.expires_in_days"),
        ({"name": "ci", "role": "viewer", "expires_in_days": 99_999}, "$.expires_in_days"),
    ],
)
async def test_what_is_no_token_is_named(operator: httpx2.AsyncClient, body: dict[str, Any], path: str) -> None:
    answer = await operator.post("/api/tokens", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, path)


@pytest.mark.parametrize("trigger", ["audit", "user"])
async def test_what_cannot_be_audited_or_kept_is_not_changed(
    running: Running, operator: httpx2.AsyncClient, trigger: str
) -> None:
    """faults.md A: disk full, state path."""
    full = f"CREATE TRIGGER full BEFORE INSERT ON {trigger} BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
    await running.table.database.run(lambda db: db.execute(full))
    slug = "audit-unwritable" if trigger == "audit" else "storage-full"
    answer = await operator.post("/api/users", json=NEW)
    assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (503, slug)
    assert [one["user"] for one in (await operator.get("/api/users")).json()["items"]] == ["operator"]
    if trigger == "user":
        assert (await audited(operator))[0][3] == "failed"


async def test_on_a_full_disk_one_can_still_sign_in(running: Running) -> None:
    for kept in ("session", "device"):
        full = f"CREATE TRIGGER {kept}_full BEFORE INSERT ON {kept} BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
        await running.table.database.run(lambda db, full=full: db.execute(full))  # type: ignore[misc]
    client = await running.signed_in()
    assert await status(client, "/api/overview") == 200
