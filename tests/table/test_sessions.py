import httpx2
import pytest
from tests.table.conftest import Make
from tests.table.running import PASSWORD, Running

from chimney.store.accounts import Accounts, StoredSession
from chimney.table import sessions as rules
from chimney.table.cookies import SESSION as COOKIE


async def sign_in(client: httpx2.AsyncClient, password: str = PASSWORD, **more: str) -> httpx2.Response:
    return await client.post("/api/session", json={"password": password, **more})


async def test_signing_in_sets_a_cookie_that_scripts_cannot_read(running: Running) -> None:
    answer = await sign_in(running.client)
    assert (answer.status_code, answer.json()) == (200, {"user": "operator", "role": "operator"})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for attribute in ("HttpOnly", "SameSite=lax", "Path=/"):
        assert attribute in cookie
    assert "Secure" not in cookie
    assert (await running.client.get("/api/session")).json()["user"] == "operator"
    assert (await running.client.get("/api/overview")).status_code == 200


async def test_behind_https_the_cookie_is_secure(running: Running) -> None:
    answer = await running.client.post(
        "/api/session", json={"password": PASSWORD}, headers={"x-forwarded-proto": "https"}
    )
    assert "Secure" in answer.headers["set-cookie"]


async def test_signing_out_ends_every_copy_of_the_cookie(running: Running) -> None:
    client = await running.signed_in()
    copy = running.new_client(cookies=dict(client.cookies))
    assert (await copy.get("/api/session")).status_code == 200
    assert (await client.delete("/api/session")).status_code == 204
    assert (await copy.get("/api/session")).status_code == 401
    assert (await client.delete("/api/session")).status_code == 204, "signed out is signed out"


@pytest.mark.parametrize(
    ("user", "password"), [("operator", "wrong"), ("nobody", PASSWORD), ("", ""), ("x" * 9999, "x")]
)
async def test_a_wrong_password_and_an_unknown_user_are_told_alike(running: Running, user: str, password: str) -> None:
    answer = await sign_in(running.client, password, user=user)
    assert answer.status_code == 401
    assert answer.json()["detail"] == "This user and password do not go together."
    assert "set-cookie" not in answer.headers


async def test_five_wrong_passwords_and_the_sixth_is_not_looked_at(running: Running) -> None:
    for _ in range(5):
        assert (await sign_in(running.client, "wrong")).status_code == 401
    answer = await sign_in(running.client)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 900
    assert answer.json()["detail"].startswith("5 wrong passwords for this user from your address.")
    elsewhere = await running.client.post(
        "/api/session", json={"password": PASSWORD}, headers={"x-forwarded-for": "192.0.2.7"}
    )
    assert elsewhere.status_code == 200, "another address is not punished"


@pytest.mark.parametrize(
    ("body", "where"),
    [(b"{", "$"), (b"{}", "$"), (b'{"password": 7}', "$"), (b'{"password": "x", "admin": true}', "$"), (b"[]", "$")],
)
async def test_a_malformed_sign_in_is_named(running: Running, body: bytes, where: str) -> None:
    answer = await running.client.post("/api/session", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert [fault["path"].partition(".")[0] for fault in answer.json()["errors"]] == [where]


@pytest.mark.parametrize(
    "cookie", ["", "x", "chimney_session=", "chimney_session=é", "a;b;;=;", "chimney_session=x" * 99]
)
async def test_a_strange_cookie_is_nobody(running: Running, cookie: str) -> None:
    answer = await running.client.get("/api/session", headers=[(b"cookie", cookie.encode())])
    assert answer.status_code == 401


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "bearer é", "Basic eDp4", ""])
async def test_a_strange_token_is_nobody(running: Running, header: str) -> None:
    answer = await running.client.get("/api/overview", headers=[(b"authorization", header.encode())])
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="chimney table"')


async def test_sessions_survive_a_restart_and_end_with_a_new_password(make_table: Make) -> None:
    first = await make_table()
    client = await first.signed_in()
    await first.stop()
    second = await make_table()
    again = second.new_client(cookies=dict(client.cookies))
    assert (await again.get("/api/session")).status_code == 200
    await second.stop()
    third = await make_table(password="another")
    late = third.new_client(cookies=dict(client.cookies))
    assert (await late.get("/api/session")).status_code == 401
    assert (await sign_in(late, "another")).status_code == 200


async def test_a_password_is_made_up_once_and_not_kept(make_table: Make, tmp_path: object) -> None:
    first = await make_table(password=None)
    password = first.table.sign_in
    assert password is not None
    assert len(password) >= 16
    assert (await sign_in(first.client, password)).status_code == 200
    await first.stop()
    second = await make_table(password=None)
    assert second.table.sign_in is None
    assert (await sign_in(second.client, password)).status_code == 200


async def test_no_password_is_printed_when_one_is_configured(running: Running) -> None:
    assert running.table.sign_in is None


@pytest.mark.parametrize(
    ("created", "seen"), [(0.0, rules.IDLE_SECONDS + 1), (rules.ABSOLUTE_SECONDS + 1, 0.0)], ids=["idle", "absolute"]
)
async def test_a_session_ends_by_its_age(running: Running, created: float, seen: float) -> None:
    client = await running.signed_in()
    sessions = running.table.operating.sessions
    ((token, known),) = sessions._sessions.items()
    old = StoredSession(token, known.user, known.role, known.created_at - created, known.seen_at - seen)
    sessions._sessions[token] = old
    sessions._seen.clear()
    assert (await client.get("/api/session")).status_code == 401
    await sessions.sweep()
    assert sessions._sessions == {}
    assert await Accounts(running.table.database).sessions() == []


async def test_when_a_session_was_last_seen_is_written_down(running: Running) -> None:
    client = await running.signed_in()
    sessions = running.table.operating.sessions
    ((token, known),) = sessions._sessions.items()
    sessions._sessions[token] = StoredSession(token, known.user, known.role, known.created_at, known.seen_at - 100)
    await client.get("/api/session")
    await sessions.sweep()
    (stored,) = await Accounts(running.table.database).sessions()
    assert stored.seen_at >= known.seen_at


async def test_secrets_are_on_disk_as_hashes_only(make_table: Make, tmp_path: object) -> None:
    running = await make_table()
    client = await running.signed_in()
    folder = running.table.database._file.parent
    token = (folder / "cli.token").read_text().strip()
    await running.stop()
    kept = b"".join(file.read_bytes() for file in folder.iterdir() if file.name != "cli.token")
    for secret in (PASSWORD, client.cookies[COOKIE], token):
        assert secret.encode() not in kept
    assert b"$argon2id$" in kept
