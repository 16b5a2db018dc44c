"""Every route with every kind of caller, as the router has them: who is let through, and nobody else."""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from litestar.routes import HTTPRoute
from tests.table.conftest import making
from tests.table.running import Running

from chimney.core.account import FIRST_USER
from chimney.table.access import Access

in_module = pytest.mark.asyncio(loop_scope="module")
PASSWORD = "a long enough one"
ROLES = ("viewer", "operator", "admin")
CALLERS = ("anonymous", "first", *ROLES, *(f"{role}-token" for role in ROLES), "link", "expired-token")
# who is let through, by what a route declares; a link is shown as bearer token
LET_IN: dict[str, set[str]] = {
    Access.PUBLIC: set(CALLERS),
    Access.VIEWER: {"first", *ROLES, *(f"{role}-token" for role in ROLES)},
    Access.OPERATOR: {"first", "operator", "admin", "operator-token", "admin-token"},
    Access.ADMIN: {"first", "admin", "admin-token"},
    Access.LINK: {"link"},
    Access.WALLBOARD: set(CALLERS) - {"anonymous", "expired-token"},
}
OPEN_ENDED = re.compile(r"/stream$")
ENDS_SESSIONS = {("DELETE", "/api/session"), ("POST", "/api/session/password")}


class Cast:
    """A table and one client for each kind of caller."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.clients: dict[str, httpx2.AsyncClient] = {}

    async def assemble(self) -> None:
        first = self.clients["first"] = await self.running.signed_in()
        self.clients["anonymous"] = self.running.new_client()
        for role in ROLES:
            person = {"user": f"the-{role}", "password": PASSWORD, "role": role}
            assert (await first.post("/api/users", json=person)).status_code == 201
            client = self.clients[role] = self.running.new_client()
            del person["role"]
            assert (await client.post("/api/session", json=person)).status_code == 200
            self.clients[f"{role}-token"] = self._bearing(
                (await first.post("/api/tokens", json={"name": f"a-{role}", "role": role})).json()["token"]
            )
        wall = (await first.post("/api/links", json={"name": "Wall"})).json()["token"]
        self.clients["link"] = self._bearing(wall)
        tokens = self.running.table.operating.sessions.tokens
        _, text = await tokens.make("old", "admin", who="test", days=-1)
        self.clients["expired-token"] = self._bearing(text)

    def _bearing(self, token: str) -> httpx2.AsyncClient:
        return self.running.new_client(headers={"authorization": f"Bearer {token}"})


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="company")
async def _company(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cast]:
    async with making(Path(tmp_path_factory.mktemp("roles"))) as make:
        company = Cast(await make())
        await company.assemble()
        yield company


def routes_of(running: Running) -> list[tuple[str, str, Access]]:
    """What is declared, with paths that name nothing that is there."""
    return sorted(
        (str(method), re.sub(r"{\w+:\w+}", "a1", route.path), handler.opt["access"])
        for route in running.table.schema_app.routes
        if isinstance(route, HTTPRoute) and not route.path.startswith("/api/schema")
        for handler in route.route_handlers
        for method in handler.http_methods
        if method not in ("OPTIONS", "HEAD")
    )


async def asked(client: httpx2.AsyncClient, method: str, path: str) -> httpx2.Response:
    """With a body that no route takes, so that nothing is done by whoever is let through."""
    body: dict[str, Any] = {} if method in ("GET", "DELETE") else {"json": {"no": "such field"}}
    return await client.request(method, path, **body)


@in_module
async def test_a_refused_method_is_told_those_there_are_and_head_is_answered_as_get(company: Cast) -> None:
    first, declared = company.clients["first"], routes_of(company.running)
    for path in {path for _, path, _ in declared}:
        known = {method for method, at, _ in declared if at == path}
        refused = await first.request("TRACE", path)
        assert (refused.status_code, set(refused.headers["allow"].split(", ")) >= known) == (405, True), path
        if "GET" in known and not OPEN_ENDED.search(path):
            head, whole = await first.head(path), await first.get(path)
            assert (head.status_code, head.content) == (whole.status_code, b""), path
            assert head.headers.get("content-type") == whole.headers.get("content-type"), path


@in_module
async def test_a_stream_has_no_head(company: Cast) -> None:
    refused = await company.clients["first"].head("/api/stream")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET")


def was_let_in(answer: httpx2.Response) -> bool:
    """401 and 403 of the guard; what is behind it may refuse for other reasons."""
    refusals = ("unauthorized", "wrong-role")
    return answer.status_code not in (401, 403) or answer.json()["type"].rpartition("#")[2] not in refusals


@in_module
@pytest.mark.parametrize("caller", CALLERS)
async def test_each_caller_is_let_through_where_the_route_says_so_and_nowhere_else(company: Cast, caller: str) -> None:
    """faults.md G: every route × every role."""
    client, wrong, looked = company.clients[caller], [], 0
    for method, path, access in routes_of(company.running):
        if OPEN_ENDED.search(path) or (method, path) in ENDS_SESSIONS or path == "/api/session":
            continue
        answer = await asked(client, method, path)
        looked += 1
        if was_let_in(answer) is not (caller in LET_IN[access]):
            wrong.append((method, path, access, answer.status_code))
    assert wrong == []
    assert looked > 50


@in_module
@pytest.mark.parametrize("caller", CALLERS)
async def test_a_stream_opens_only_for_those_who_may_read_it(company: Cast, caller: str) -> None:
    client = company.clients[caller]
    for method, path, access in routes_of(company.running):
        if not OPEN_ENDED.search(path):
            continue
        assert method == "GET"
        headers = {name: client.headers[name] for name in ("authorization",) if name in client.headers}
        stream = await company.running.stream(path, client, **headers)
        assert (stream.status == 200) is (caller in LET_IN[access]), path
        await stream.close()


@in_module
async def test_who_asks_is_told_who_they_are(company: Cast) -> None:
    told = {}
    for caller, client in company.clients.items():
        answer = await client.get("/api/session")
        told[caller] = answer.json().get("role") if answer.status_code == 200 else None
    expected = {role: role for role in ROLES} | {f"{role}-token": role for role in ROLES}
    assert told == expected | {"first": FIRST_USER, "anonymous": None, "link": None, "expired-token": None}


@in_module
async def test_no_answer_crosses_roles_when_many_ask_at_once(company: Cast) -> None:
    """CVE-2022-39328: who somebody is must not depend on who else asks."""
    dice = random.Random(7)
    routes = [one for one in routes_of(company.running) if not OPEN_ENDED.search(one[1]) and one[0] == "GET"]
    picked = [(dice.choice(CALLERS), *dice.choice(routes)) for _ in range(200)]
    answers = await asyncio.gather(*(asked(company.clients[caller], "GET", path) for caller, _, path, _ in picked))
    wrong = [
        one
        for one, answer in zip(picked, answers, strict=True)
        if one[2] != "/api/session" and was_let_in(answer) is not (one[0] in LET_IN[one[3]])
    ]
    assert wrong == []


@in_module
async def test_reading_never_changes_anything(company: Cast) -> None:
    """GET of every route leaves users, tokens, links and the audit as they were."""

    async def state() -> list[Any]:
        admin, paths = company.clients["first"], ("/api/users", "/api/tokens", "/api/links", "/api/audit")
        items = [(await admin.get(path)).json()["items"] for path in paths]
        moving = ("last_seen_at", "last_used_at", "watching")
        return [[{name: one[name] for name in one if name not in moving} for one in page] for page in items]

    before = await state()
    for method, path, _ in routes_of(company.running):
        if method == "GET" and not OPEN_ENDED.search(path):
            await asked(company.clients["admin"], "GET", path)
    assert await state() == before
