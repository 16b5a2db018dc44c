"""Every route of an origin with every kind of caller, as the router has them."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from litestar.routes import HTTPRoute
from tests.test_architecture import documented_scopes

from chimney.config import OriginSettings
from chimney.instrumentation import LogPipe
from chimney.origin.app import Origin

CALLERS = {"anonymous": None, "wrong": "x", "read": "the-read", "deploy": "the-deploy", "operate": "the-operate"}
LET_IN = {
    "public": set(CALLERS),
    "read": {"read", "operate"},
    "deploy": {"deploy"},
    "operate": {"operate"},
}
NOT_ROUTED = {"/livez", "/readyz", "/api/schema/openapi.json", "/api/github/{path}", "/api/v3/{path}"}
OPEN_ENDED = re.compile(r"/stream$|^/api/events$")
SIGNED = "/api/webhooks/github"  # asks for GitHub's signature instead


@pytest.fixture(name="origin", scope="module")
def _origin(tmp_path_factory: pytest.TempPathFactory) -> Origin:
    """Built, not started; nothing is configured that could be asked over the network."""
    tokens: dict[str, Any] = {f"{scope}_token": [f"the-{scope}"] for scope in ("read", "deploy", "operate")}
    folder: Path = tmp_path_factory.mktemp("scopes")
    origin = Origin(OriginSettings(data_dir=folder, **tokens), LogPipe(io.StringIO()))
    origin.build()
    return origin


async def slug_of(origin: Origin, method: str, path: str, token: str | None) -> tuple[int, str]:
    """Status and problem type of a request with a body that no route takes."""
    sent: list[Any] = []
    bearer = [(b"authorization", f"Bearer {token}".encode())] if token else []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "root_path": "",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"origin.example.org"), (b"content-type", b"application/json"), *bearer],
        "client": ("203.0.113.9", 40_000),
        "server": ("127.0.0.1", 8080),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b'{"no": "such field"}', "more_body": False}

    async def send(event: Any) -> None:
        sent.append(event)

    await origin(scope, receive, send)
    body = b"".join(event.get("body", b"") for event in sent[1:])
    kind = json.loads(body).get("type", "") if body.startswith(b'{"type"') else ""
    return sent[0]["status"], str(kind).rpartition("#")[2]


def routed(origin: Origin) -> set[tuple[str, str]]:
    return {
        (str(method), re.sub(r":(str|path|int)}", "}", route.path))
        for route in origin.shell.framework.routes  # type: ignore[union-attr]
        if isinstance(route, HTTPRoute) and not route.path.startswith("/api/schema")
        for handler in route.route_handlers
        for method in handler.http_methods
        if method not in ("OPTIONS", "HEAD")
    }


def test_every_route_is_among_those_that_are_asked(origin: Origin) -> None:
    documented = {tuple(route.split(" ")) for route in documented_scopes("Origin")}
    assert routed(origin) - documented == set()


@pytest.mark.parametrize(("caller", "token"), CALLERS.items())
async def test_each_token_opens_its_scope_and_no_other(origin: Origin, caller: str, token: str | None) -> None:
    wrong, looked = [], 0
    for route, scope in documented_scopes("Origin").items():
        method, _, path = route.partition(" ")
        if OPEN_ENDED.search(path) and caller in LET_IN[scope]:
            continue  # it would not end; that others are refused is looked at
        status, slug = await slug_of(origin, method, re.sub(r"{\w+}", "7", path), token)
        looked += 1
        let_in = status not in (401, 403) or slug not in ("unauthorized", "wrong-scope")
        if let_in is not (caller in LET_IN[scope]) and path != SIGNED:
            wrong.append((route, scope, status, slug))
    assert wrong == []
    assert looked > 25
