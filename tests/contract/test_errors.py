"""The shape of an error answer, on every route of the origin that the OpenAPI document or the router knows."""

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.conftest import Ask, MakeOrigin
from tests.fakes.visitor import ask

from chimney.origin.app import Origin, openapi

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return openapi(tmp_path_factory.mktemp("openapi"))


def paths_of(document: dict[str, Any]) -> dict[str, set[str]]:
    """Every path, filled in with something, and its methods."""
    filled = {re.sub(r"\{(\w+)\}", "pulls", path): path for path in document["paths"]}
    return {ours: {method.upper() for method in document["paths"][path]} for ours, path in filled.items()}


def check_problem(answer: httpx2.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    problem: dict[str, Any] = answer.json()
    assert problem.keys() >= {"type", "title", "status", "detail", "instance"}
    assert problem["status"] == status
    assert problem["type"].startswith("docs/errors.md#")
    assert problem["instance"] == answer.headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-trace-id"])
    assert "Traceback" not in answer.text
    return problem


def test_the_document_knows_the_routes_of_the_contract(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) >= {
        "/livez", "/readyz", "/healthz", "/api/version", "/api/github/{path}", "/api/v3/{path}", "/api/repos",
        "/api/pipeline/summary", "/api/deploy/events", "/api/deploy/status", "/api/metrics", "/api/logs",
        "/api/logs/stream",
    }  # fmt: skip


async def test_a_wrong_method_is_a_405_that_names_the_right_ones_on_every_route(
    origin: Origin, visitor: httpx2.AsyncClient, document: dict[str, Any]
) -> None:
    for path, known in paths_of(document).items():
        for method in METHODS:
            if method in known:
                continue
            answer = await visitor.request(method, path, headers={"content-type": "application/json"})
            check_problem(answer, 405)
            allowed = {word.strip() for word in answer.headers["allow"].split(",")}
            assert known <= allowed, (path, method)
            assert method not in allowed


async def test_every_answer_of_every_route_has_the_ids(
    origin: Origin, visitor: httpx2.AsyncClient, document: dict[str, Any]
) -> None:
    for path, known in paths_of(document).items():
        if "GET" not in known or "stream" in path or path == "/api/events":
            continue
        answer = await visitor.get(path, headers={"x-request-id": "mine"})
        assert answer.headers["x-request-id"] == "mine"
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-trace-id"])
        assert answer.status_code < 500, (path, answer.text)


async def test_head_is_answered_as_get_without_the_body(origin: Origin, visitor: httpx2.AsyncClient) -> None:
    """Uptime monitors ask so."""
    for path in ("/healthz", "/api/version", "/api/deploy/status", "/api/deploy/diff"):
        head, whole = await visitor.head(path), await visitor.get(path)
        assert (head.status_code, head.content) == (whole.status_code, b"")
        assert head.headers["content-type"] == whole.headers["content-type"]
        assert int(head.headers["content-length"]) > 0


async def test_what_is_missing_is_named_by_its_place(origin: Origin, visitor: httpx2.AsyncClient) -> None:
    empty = await visitor.post("/api/cache/warm", headers={"content-type": "application/json"})
    assert check_problem(empty, 400)["errors"] == [{"path": "$", "detail": "is missing"}]


UNKNOWN = [
    "/nothing", "/api", "/api/", "/api/nothing", "/api/github", "/api/github/nothing", "/api/v3/nothing", "/api/logs/x",
    "/api/schema/redoc", "/api/deploy", "/api/deploy/events/x", "/healthzz", "/Healthz", "/api/schema/swagger", "/.env",
    "/wp-login.php", "/api/github/..%2f..%2fuser", "/%00", "/%ff%fe", "/api/%ff", "/a" * 3000, "/%1b[2J", "/<script>",
]  # fmt: skip


@pytest.mark.parametrize("path", UNKNOWN, ids=range(len(UNKNOWN)))
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unknown_path_is_a_404_problem(origin: Origin, path: str, method: str) -> None:
    headers = {"host": "x", "content-type": "application/json"}
    heard = await ask(origin, path.encode(), method=method, headers=headers)
    proxied = path.startswith(("/api/github/", "/api/v3/"))
    told = httpx2.Response(heard.status, headers=heard.headers, content=heard.body)
    check_problem(told, 405 if proxied and method == "POST" else 404)
    assert origin.shell.recover.panics == 0


async def test_no_page_of_ours_loads_anything_from_elsewhere(visitor: httpx2.AsyncClient) -> None:
    for path in ("/api/schema", "/api/schema/openapi.json"):
        answer = await visitor.get(path)
        assert "html" not in answer.headers["content-type"]
    assert answer.json()["openapi"].startswith("3.1")


def guarded(document: dict[str, Any]) -> list[tuple[str, str]]:
    """What is above public by the contract, among the routes there are."""
    above = [("POST", "/api/deploy/events"), ("GET", "/api/logs"), ("GET", "/api/logs/stream"), ("GET", "/api/events")]
    return [(method, path) for method, path in above if path in document["paths"]]


async def test_what_is_not_public_is_a_401_that_names_the_setting(
    make_origin: MakeOrigin, asking: Ask, document: dict[str, Any]
) -> None:
    origin = await make_origin(read_token="r", deploy_token="d", operate_token="o")
    strangers = [asking(origin), asking(origin, authorization="Bearer wrong"), asking(origin, authorization="Basic r")]
    for method, path in guarded(document):
        for stranger in strangers:
            answer = await stranger.request(method, path, json={} if method == "POST" else None)
            problem = check_problem(answer, 401)
            assert re.search(r"CHIMNEY_\w+_TOKEN", problem["detail"])
            assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_token_of_another_scope_is_a_403(
    make_origin: MakeOrigin, asking: Ask, document: dict[str, Any]
) -> None:
    origin = await make_origin(read_token="r", deploy_token="d", operate_token="o")
    for method, path in guarded(document):
        wrong = ["r", "o"] if method == "POST" else ["d"]
        for token in wrong:
            visitor = asking(origin, authorization=f"Bearer {token}")
            check_problem(await visitor.request(method, path, json={} if method == "POST" else None), 403)
    assert (await asking(origin, authorization="Bearer o").get("/api/logs")).status_code == 200


async def test_without_tokens_other_machines_and_proxies_are_a_401(
    origin: Origin, asking: Ask, document: dict[str, Any]
) -> None:
    for visitor in (asking(origin, peer="203.0.113.9"), asking(origin, **{"x-forwarded-for": "127.0.0.1"})):
        for method, path in guarded(document):
            check_problem(await visitor.request(method, path, json={} if method == "POST" else None), 401)
        assert (await visitor.get("/healthz")).status_code == 200


async def test_while_the_process_starts_all_but_liveness_is_a_503(make_origin: MakeOrigin, asking: Ask) -> None:
    origin = await make_origin()
    framework, origin.shell.framework = origin.shell.framework, None
    answer = await asking(origin).get("/healthz")
    check_problem(answer, 503)
    assert answer.headers["retry-after"]
    origin.shell.framework = framework


def slugs(folder: Path) -> set[str]:
    source = "\n".join(file.read_text() for file in folder.rglob("*.py"))
    return set(re.findall(r'ProblemError\(\s*(?:\d{3}|status|error\.status_code),\s*"([a-z-]+)"', source))


def test_every_type_of_problem_is_a_heading_of_the_documentation() -> None:
    root = Path(__file__).parents[2]
    known = set(re.findall(r"^#+ `?([a-z-]+)`?", (root / "docs" / "errors.md").read_text(), re.MULTILINE))
    used = slugs(root / "src" / "chimney" / "origin") | slugs(root / "src" / "chimney" / "web")
    assert used
    assert used - known == set()
