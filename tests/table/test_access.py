"""Every route with every kind of caller, from the router itself."""

import base64
import re

import httpx2
import pytest
import pytest_asyncio
from litestar import get
from tests.table.running import Running, quiet_stream

from chimney.config import TableSettings
from chimney.instrumentation import LogPipe
from chimney.table.access import Access, check_declared
from chimney.table.app import Table

PUBLIC = {
    ("POST", "/api/session"),
    ("GET", "/api/session"),
    ("DELETE", "/api/session"),
    *(("GET", f"/api/session/{provider}{step}") for provider in ("oidc", "github") for step in ("", "/callback")),
    ("GET", "/api/version"),
    ("GET", "/api/metrics"),
    ("GET", "/healthz"),
    ("GET", "/badge/{origin}/{drawn}"),  # of what is not for everybody there is none
    *(("POST", f"/v1/{signal}") for signal in ("logs", "traces", "metrics")),  # they ask for a token of their own
}


def routes() -> list[tuple[str, str]]:
    table = Table(TableSettings(), pipe=LogPipe(quiet_stream()))
    table.build()
    paths = table.schema_app.openapi_schema.paths or {}
    return [
        (method.upper(), path)
        for path, item in paths.items()
        for method in ("get", "post", "put", "patch", "delete")
        if getattr(item, method, None)
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="wall_token")
async def _wall_token(shared_operator: httpx2.AsyncClient) -> str:
    token: str = (await shared_operator.post("/api/links", json={"name": "Kitchen"})).json()["token"]
    return token


in_module = pytest.mark.asyncio(loop_scope="module")
ROUTES = routes()
BY_LINK = {("GET", "/api/wall/stream")}
WALLBOARD = {("GET", "/api/cctray.xml")}
CLOSED = sorted(set(ROUTES) - PUBLIC)


def test_the_public_routes_are_these_and_no_others() -> None:
    assert set(ROUTES) >= PUBLIC
    assert len(CLOSED) >= 8


@in_module
@pytest.mark.parametrize(("method", "path"), CLOSED)
async def test_anonymous_is_refused(shared: Running, method: str, path: str) -> None:
    answer = await shared.client.request(method, path, json=None if method == "GET" else {})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert re.search(r"Sign in first|This link to the wall", answer.json()["detail"])


@in_module
@pytest.mark.parametrize(("method", "path"), CLOSED)
async def test_a_link_to_the_wall_opens_nothing_else(shared: Running, wall_token: str, method: str, path: str) -> None:
    """Neither as bearer token, nor as password, nor in the address."""
    basic = base64.b64encode(f"op:{wall_token}".encode()).decode()
    shown: list[dict[str, str]] = [
        {"authorization": f"Bearer {wall_token}"},
        {"authorization": f"Basic {basic}"},
        {},
    ]
    for headers in shown:
        asked = path if headers else f"{path}?link={wall_token}"
        if (method, path) in WALLBOARD or ((method, path) in BY_LINK and headers == shown[0]):
            continue
        body: dict[str, str] | None = None if method == "GET" else {}
        assert (await shared.client.request(method, asked, json=body, headers=headers)).status_code == 401


@in_module
async def test_a_session_and_a_token_do_not_open_the_wall(shared: Running, shared_operator: httpx2.AsyncClient) -> None:
    assert (await shared_operator.get("/api/wall/stream")).status_code == 401
    token = await shared.table.operating.sessions.new_token("ci", "operator")
    bearer = {"authorization": f"Bearer {token}"}
    assert (await shared.client.get("/api/wall/stream", headers=bearer)).status_code == 401


@in_module
@pytest.mark.parametrize(
    ("method", "path"), [one for one in CLOSED if one[0] == "GET" and not one[1].endswith("stream")]
)
async def test_a_session_and_a_token_are_let_in(
    shared: Running, shared_operator: httpx2.AsyncClient, method: str, path: str
) -> None:
    path += {"/api/series": "?name=x"}.get(path, "")
    expected = 404 if "{" in path else 200  # there is no such trace, no such origin
    path = re.sub(r"{\w+}", "a1", path)
    assert (await shared_operator.request(method, path)).status_code == expected
    token = await shared.table.operating.sessions.new_token("ci", "admin")
    bearer = {"authorization": f"Bearer {token}"}
    assert (await shared.client.request(method, path, headers=bearer)).status_code == expected


@in_module
@pytest.mark.parametrize("path", ["/api/version", "/api/metrics", "/healthz", "/livez", "/readyz"])
async def test_what_is_public_needs_nothing(shared: Running, path: str) -> None:
    assert (await shared.client.get(path)).status_code == 200


def test_a_route_that_does_not_say_who_may_use_it_cannot_be_built() -> None:
    @get("/api/open")
    async def forgotten() -> None: ...

    with pytest.raises(LookupError, match="do not say who may use them"):
        check_declared([forgotten])


def test_there_are_these_kinds_of_access() -> None:
    assert list(Access) == ["public", "viewer", "operator", "admin", "link", "wallboard"]


@in_module
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"sec-fetch-site": "same-origin"}, 401),
        ({"sec-fetch-site": "none"}, 401),
        ({"origin": "http://table.localhost"}, 401),
        ({"origin": "http://TABLE.localhost"}, 401),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "http://table.localhost"}, 403),
        ({"origin": "http://evil.test"}, 403),
        ({"origin": "http://table.localhost.evil.test"}, 403),
        ({"origin": "http://table.localhost:8701"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://table.localhost", "x-forwarded-proto": "https"}, 403),
        ({"origin": "http://[broken"}, 403),
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_unsafe_methods_must_come_from_our_own_page(
    shared: Running, headers: dict[str, str], status: int, method: str
) -> None:
    """faults.md H: CSRF and siblings."""
    wrong = {"password": "wrong"} if method == "POST" else None
    answer = await shared.client.request(method, "/api/session", json=wrong, headers=headers)
    assert answer.status_code == (204 if method == "DELETE" and status == 401 else status)


@in_module
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_a_form_is_refused(shared: Running, content_type: str) -> None:
    body = b'{"password": "correct horse"}'
    answer = await shared.client.post("/api/session", content=body, headers={"content-type": content_type})
    assert answer.status_code == 415


@in_module
async def test_reading_is_allowed_from_anywhere_that_has_a_session(shared_operator: httpx2.AsyncClient) -> None:
    answer = await shared_operator.get("/api/overview", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 200


@in_module
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/nothing", 404), ("PUT", "/api/session", 405), ("POST", "/api/overview", 405), ("GET", "/api", 404)],
)
async def test_unknown_paths_and_methods(shared: Running, method: str, path: str, status: int) -> None:
    answer = await shared.client.request(method, path, json={} if method != "GET" else None)
    assert answer.status_code == status
    assert answer.json()["instance"] == answer.headers["x-request-id"]
    assert (status != 405) or answer.headers["allow"]
