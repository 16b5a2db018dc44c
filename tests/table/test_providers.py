"""Signing in elsewhere: a real provider of OpenID Connect, and the stand-in GitHub."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
import pytest
import pytest_asyncio
from pydantic import SecretStr
from tests.table.conftest import Make, making
from tests.table.running import Running

from chimney.standin.app import Standin, StandinSettings
from chimney.store.audit import AuditLog
from chimney.table.providers.pending import SECONDS, Pending
from chimney.wire.account import Source

ROOT = Path(__file__).parents[2]
TABLE = "http://table.localhost"
in_module = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="issuer")
async def _issuer() -> AsyncIterator[str]:
    """A provider process; it ends when its stdin does."""
    process = await asyncio.create_subprocess_exec(
        *("node", str(ROOT / "tests/fakes/oidc.mjs"), f"{TABLE}/api/session/oidc/callback"),
        cwd=ROOT / "ui",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin
    assert process.stdout
    async with asyncio.timeout(30):
        issuer = (await process.stdout.readline()).decode().strip()
    yield issuer
    process.stdin.close()
    async with asyncio.timeout(15):
        await process.wait()


def oidc(issuer: str, **more: Any) -> dict[str, Any]:
    return {
        "oidc_issuer": issuer,
        "oidc_client_id": "table",
        "oidc_client_secret": SecretStr("the-secret-of-the-table"),
        **more,
    }


class Browser:
    """One that goes where it is sent, to the table and to the provider, and fills in the provider's forms."""

    def __init__(self, running: Running) -> None:
        self.table = running.new_client()
        self._outside = httpx2.AsyncClient(timeout=20)

    async def sent(self, path: str) -> str:
        """Where the table sends it."""
        answer = await self.table.get(path)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    async def through(self, address: str, login: str) -> str:
        """The address at the table where the provider sends it back to."""
        answer = await self._outside.get(address)
        for _ in range(12):
            if answer.is_redirect:
                address = urljoin(address, answer.headers["location"])
                if address.startswith(TABLE):
                    return address.removeprefix(TABLE)
                answer = await self._outside.get(address)
                continue
            form = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert form, answer.text
            assert prompt, answer.text
            address = urljoin(address, form.group(1))
            fields = {"prompt": prompt.group(1), "login": login, "password": "any"}
            answer = await self._outside.post(address, data=fields)
        raise AssertionError("the provider does not come to an end")

    async def close(self) -> None:
        await self._outside.aclose()


async def who(client: httpx2.AsyncClient) -> dict[str, Any]:
    told: dict[str, Any] = (await client.get("/api/session")).json()
    return {name: told.get(name) for name in ("user", "role", "source")}


async def enter(make_table: Make, login: str, *, then: str = "/", **settings: Any) -> tuple[Running, Browser, Any]:
    running = await make_table(**settings)
    browser = Browser(running)
    back = await browser.through(await browser.sent(f"/api/session/oidc?next={then}"), login)
    answer = await browser.table.get(back)
    await browser.close()
    return running, browser, answer


@in_module
async def test_a_sign_in_through_a_real_provider(issuer: str, tmp_path: Path) -> None:
    """The code flow with PKCE, state and nonce; the id token verified against the provider's keys."""
    async with making(tmp_path) as make:
        running, browser, answer = await enter(make, "ann@example.org", then="/logs%3Flevel=error", **oidc(issuer))
        assert (answer.status_code, answer.headers["location"]) == (303, "/logs?level=error")
        assert await who(browser.table) == {"user": "ann", "role": "viewer", "source": "oidc"}
        assert (await browser.table.get("/api/session")).json()["providers"] == ["password", "oidc"]
        operator = await running.signed_in()
        (item,) = (await operator.get("/api/audit")).json()["items"]
        assert (item["who"], item["act"], item["result"]) == ("ann", "user_add", "done")
        assert (await operator.patch("/api/users/ann", json={"role": "operator"})).status_code == 200
        assert (await browser.table.get("/api/session")).status_code == 401, "the change ended the session"
        weak = await operator.patch("/api/users/ann", json={"password": "a long enough one"})
        assert weak.json()["type"].endswith("#no-password")
        again = Browser(running)
        back = await again.through(await again.sent("/api/session/oidc"), "ann@example.org")
        assert (await again.table.get(back)).headers["location"] == "/"
        assert await who(again.table) == {"user": "ann", "role": "operator", "source": "oidc"}
        await again.close()
        assert await AuditLog(running.table.database).broken() is None


@in_module
@pytest.mark.parametrize(
    ("login", "allow", "status"),
    [
        ("ann@example.org", ["@example.org"], 303),
        ("ann@example.org", ["ANN@example.org"], 303),
        ("ann@example.org", ["bob@example.org", "@example.com"], 403),
        ("unverified@example.org", ["@example.org"], 403),
        ("ann@example.org.evil.test", ["@example.org"], 403),
        ("ann@example.org", ["group:example.org"], 403),
    ],
)
async def test_only_those_who_are_named_get_in(
    issuer: str, tmp_path: Path, login: str, allow: list[str], status: int
) -> None:
    async with making(tmp_path) as make:
        _, browser, answer = await enter(make, login, **oidc(issuer, oidc_allow=allow))
        assert answer.status_code == status
        assert ((await browser.table.get("/api/session")).status_code == 200) is (status == 303)


@in_module
async def test_a_state_is_good_once_and_in_one_browser(issuer: str, tmp_path: Path) -> None:
    """faults.md G: wrong, missing and replayed state, another browser, the code twice."""
    async with making(tmp_path) as make:
        running = await make(**oidc(issuer))
        victim, other = Browser(running), Browser(running)
        address = await victim.sent("/api/session/oidc")
        asked = parse_qs(urlsplit(address).query)
        assert asked["code_challenge_method"] == ["S256"]
        assert len(asked["code_challenge"][0]) == 43
        assert asked["state"] != asked["nonce"]
        back = await victim.through(address, "ann@example.org")
        await other.sent("/api/session/oidc")
        for path in (back, re.sub("state=[^&]+", "state=wrong", back), re.sub("&?state=[^&]+", "", back)):
            refused = await other.table.get(path)
            assert (refused.status_code, refused.json()["type"].rpartition("#")[2]) == (400, "sign-in-expired")
        shown = await other.table.get(back, headers={"accept": "text/html"})
        assert (shown.status_code, shown.headers["location"]) == (303, "/?refused=sign-in-expired")
        assert (await other.table.get("/api/session")).status_code == 401
        wrong_way = back.replace("/oidc/", "/github/")
        assert (await victim.table.get(wrong_way)).status_code == 404, "it is not set up"
        assert (await victim.table.get(back)).status_code == 303, "what another browser tried did not use it up"
        assert (await victim.table.get(back)).status_code == 400, "once"
        denied = await victim.sent("/api/session/oidc")
        state = parse_qs(urlsplit(denied).query)["state"][0]
        answer = await victim.table.get(f"/api/session/oidc/callback?error=access_denied&state={state}")
        assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (403, "sign-in-refused")
        for browser in (victim, other):
            await browser.close()


@pytest.mark.parametrize("provider", ["oidc", "github"])
async def test_what_is_not_set_up_is_said(running: Running, provider: str) -> None:
    for path in (provider, f"{provider}/callback?state=x&code=y"):
        answer = await running.client.get(f"/api/session/{path}")
        assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (404, "not-configured")
        assert "CHIMNEY_TABLE_" in answer.json()["detail"]


async def test_an_issuer_that_is_not_there_is_said_and_passwords_work(make_table: Make) -> None:
    running = await make_table(**oidc("http://127.0.0.1:9"))
    answer = await running.client.get("/api/session/oidc")
    assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (502, "provider-unreachable")
    shown = await running.client.get("/api/session/oidc", headers={"accept": "text/html,*/*"})
    assert shown.headers["location"] == "/?refused=provider-unreachable"
    await running.signed_in()


# GitHub


@pytest.fixture(name="github")
async def _github() -> AsyncIterator[httpx2.AsyncClient]:
    """The stand-in, as the table asks it."""
    standin = Standin(StandinSettings(repo="acme/rocket", speed=0, history_days=1))
    transport = httpx2.ASGITransport(app=standin.asgi)
    agent = {"user-agent": "tests"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://github.test", headers=agent) as client:
        yield client


async def with_github(make_table: Make, github: httpx2.AsyncClient, *allow: str) -> Running:
    running = await make_table(
        github_client_id="Iv1.tests",
        github_client_secret=SecretStr("secret-of-the-app"),
        github_allow=list(allow),
        github_url="http://github.test",
        github_api_url="http://github.test",
    )
    for provider in running.table.operating.elsewhere.values():
        provider._client = github  # type: ignore[attr-defined]
    return running


async def by_github(running: Running, github: httpx2.AsyncClient, login: str) -> tuple[httpx2.AsyncClient, Any]:
    client = running.new_client()
    address = (await client.get("/api/session/github?next=/deployments")).headers["location"]
    assert "code_challenge_method=S256" in address
    back = (await github.get(f"{address}&login={login}")).headers["location"]
    return client, await client.get(back)


@pytest.mark.parametrize(
    ("allow", "members"),
    [(["acme"], 3), (["acme/deployers"], 2), (["other", "acme/none"], 0), ([], 0), (["user:LOGIN"], 1)],
)
async def test_members_of_what_is_named_sign_in_with_github(
    make_table: Make, github: httpx2.AsyncClient, allow: list[str], members: int
) -> None:
    people = [one.login for one in Standin(StandinSettings(repo="acme/rocket", speed=0, history_days=1)).repo.people][
        :3
    ]
    running = await with_github(make_table, github, *(one.replace("LOGIN", people[0].upper()) for one in allow))
    entered = [(await by_github(running, github, login))[1] for login in people]
    assert [answer.status_code for answer in entered] == [303] * members + [403] * (3 - members)
    assert {answer.headers["location"] for answer in entered[:members]} <= {"/deployments"}


async def test_who_one_is_on_github_is_the_number_and_not_the_login(
    make_table: Make, github: httpx2.AsyncClient
) -> None:
    """A login that was given up is taken by another: they must not become the same user here."""
    standin = Standin(StandinSettings(repo="acme/rocket", speed=0, history_days=1))
    first, second = (one.login for one in standin.repo.people[:2])
    running = await with_github(make_table, github, "acme")
    operator = await running.signed_in()
    await operator.post("/api/users", json={"user": first, "password": "a long enough one", "role": "admin"})
    client, _ = await by_github(running, github, first)
    assert await who(client) == {"user": f"{first}@github", "role": "viewer", "source": "github"}
    again, _ = await by_github(running, github, first)
    assert (await who(again))["user"] == f"{first}@github"
    await operator.patch(f"/api/users/{first}@github", json={"disabled": True})
    assert [(await one.get("/api/session")).status_code for one in (client, again)] == [401, 401]
    _, refused = await by_github(running, github, first)
    assert (refused.status_code, refused.json()["type"].rpartition("#")[2]) == (403, "sign-in-refused")
    other, _ = await by_github(running, github, second)
    assert (await who(other))["user"] == second
    stored = json.dumps((await operator.get("/api/users")).json())
    assert "gho_" not in stored


async def test_a_code_is_bound_to_the_verifier_of_its_sign_in(make_table: Make, github: httpx2.AsyncClient) -> None:
    """PKCE: a code that was stolen on the way is of no use in a sign-in that somebody else began."""
    running = await with_github(make_table, github, "acme")
    client = running.new_client()
    addresses = [(await client.get("/api/session/github")).headers["location"] for _ in range(2)]
    stolen = parse_qs(urlsplit((await github.get(addresses[0])).headers["location"]).query)["code"][0]
    state = parse_qs(urlsplit(addresses[1]).query)["state"][0]
    answer = await client.get(f"/api/session/github/callback?code={stolen}&state={state}")
    assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (403, "sign-in-refused")


def test_a_sign_in_that_took_too_long_is_begun_again() -> None:
    pending = Pending()
    more: dict[str, Any] = {"redirect_uri": "http://t", "browser": "b", "landing": "/", "address": "192.0.2.1"}
    late = pending.begin(Source.OIDC, now=0.0, **more)
    assert pending.take(late.state, Source.OIDC, browser="b", now=SECONDS) is None
    soon = pending.begin(Source.OIDC, now=1.0, **more)
    assert pending.take(soon.state, Source.GITHUB, browser="b", now=2.0) is None
    assert pending.take(soon.state, Source.OIDC, browser=None, now=2.0) is None
    assert pending.take(soon.state, Source.OIDC, browser="b", now=2.0) is not None
    assert pending.take(soon.state, Source.OIDC, browser="b", now=2.0) is None
