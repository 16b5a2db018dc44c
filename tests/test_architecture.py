"""The shape of the code is held: sizes, names, locks, and that every route says who may use it."""

import ast
import io
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from litestar.routes import HTTPRoute

from chimney.config import OriginSettings, TableSettings
from chimney.instrumentation import LogPipe
from chimney.origin.app import Origin
from chimney.table.app import Table

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "chimney"
PYTHON = sorted(
    file for folder in ("src", "tests", "bench") for file in (ROOT / folder).rglob("*.py") if file.is_file()
)
PAGE = sorted(
    file for folder in ("src", "e2e") for file in (ROOT / "ui" / folder).rglob("*") if file.suffix in (".ts", ".svelte")
)
LONG_FILES: dict[str, str] = {}  # path: why it may be longer than the cap
LONG_FUNCTIONS: dict[str, str] = {}  # path::function: why it may be longer than the cap
FUNCTION_LINES = 50
SAID_HERE = Path(__file__)  # names the words that it looks for


def named(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def cap(file: Path) -> int:
    if file.name.startswith("test_") or "tests" in file.relative_to(ROOT).parts or ".test." in file.name:
        return 500
    return 250 if file.suffix == ".ts" else 300


def is_generated(file: Path) -> bool:
    return named(file) == "ui/src/wire/api.ts"


@pytest.mark.parametrize("file", [file for file in [*PYTHON, *PAGE] if not is_generated(file)], ids=named)
def test_a_file_is_not_longer_than_its_cap(file: Path) -> None:
    lines = len(file.read_text().splitlines())
    assert lines <= cap(file) or named(file) in LONG_FILES


@pytest.mark.parametrize("file", PYTHON, ids=named)
def test_a_function_is_not_longer_than_fifty_lines(file: Path) -> None:
    functions = [
        node
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    ]
    lengths = {f"{named(file)}::{node.name}": (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert {
        name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES and name not in LONG_FUNCTIONS
    } == {}


def test_the_lists_of_exceptions_hold_nothing_that_is_not_needed() -> None:
    short = [name for name in LONG_FILES if len((ROOT / name).read_text().splitlines()) <= cap(ROOT / name)]
    assert short == []
    assert {name.partition("::")[0] for name in LONG_FUNCTIONS} <= {named(file) for file in PYTHON}


@pytest.mark.parametrize("file", [file for file in PYTHON if not named(file).startswith("tests/")], ids=named)
def test_a_module_says_what_it_is(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text()))


def test_no_file_is_called_by_what_it_is_not() -> None:
    said = re.compile(r"(^|[_.-])(utils?|helpers?|common|managers?|misc)([_.-]|$)", re.IGNORECASE)
    assert [named(file) for file in [*PYTHON, *PAGE] if said.search(file.stem)] == []


@pytest.mark.parametrize(
    "words", [r"\b(TODO|FIXME|XXX)\b", r"\bpytest\.(mark\.)?(skip|skipif|xfail)\b", r"\bunittest\.mock\b"]
)
def test_nothing_is_put_off_skipped_or_mocked(words: str) -> None:
    files = [file for file in PYTHON if file != SAID_HERE]
    assert [named(file) for file in files if re.search(words, file.read_text())] == []


def test_neither_the_code_nor_its_tests_sleep_through_a_while() -> None:
    """Benchmarks may; so may a program that a test starts, which is text here."""
    sleeping = [
        f"{named(file)}:{node.lineno}"
        for file in PYTHON
        if not named(file).startswith("bench/")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep"
    ]
    assert sleeping == []


def test_no_test_of_the_page_is_skipped_or_run_alone() -> None:
    words = re.compile(r"\b(it|test|describe)\.(skip|only|todo|fixme)\b|\b(TODO|FIXME)\b")
    assert [named(file) for file in PAGE if words.search(file.read_text())] == []


# locks


def requirements(text: str) -> list[str]:
    """Each requirement with its hashes, as one line."""
    joined = re.sub(r"\\\n\s*", " ", text)
    return [line for line in joined.splitlines() if line and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("file", sorted((ROOT / "requirements").glob("*.txt")), ids=named)
def test_locked_requirements_are_exact_and_hashed_and_name_no_address(file: Path) -> None:
    text = file.read_text()
    bad = [line for line in requirements(text) if not re.match(r"[\w.\[\]-]+==\S+.* --hash=sha256:[0-9a-f]{64}", line)]
    assert bad == []
    assert re.findall(r"https?://|--(?:extra-)?index-url|--find-links", text) == []


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[<>=~\[;]", one)[0].strip() for one in project["dependencies"]}
    locked = {line.partition("==")[0] for line in requirements((ROOT / "requirements" / "runtime.txt").read_text())}
    assert wanted - locked == set()


def test_the_locked_packages_of_the_page_are_hashed_and_name_no_address() -> None:
    packages: dict[str, dict[str, Any]] = json.loads((ROOT / "ui" / "package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []


def test_the_workflow_and_the_ci_script_run_the_command_that_people_run() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    assert "make test" in (ROOT / ".github" / "workflows" / "test.yml").read_text()


# who may use a route


PUBLIC = {
    "/healthz",
    "/livez",
    "/readyz",
    "/api/version",
    "/api/metrics",
    "/api/pipeline/summary",
    "/api/repos",
    "/api/github/org/repos",
    "/api/github/{path}",
    "/api/v3/{path}",
    "GET /api/deploy/status",
    "GET /api/deploy/events",
    "/api/health/history",
    "/api/deploy/diff",
    "POST /api/webhooks/github",  # asks for GitHub's signature instead
    "/api/schema/openapi.json",
}


@pytest.fixture(name="origin")
def _origin(tmp_path: Path) -> Origin:
    """Built, not started; nothing is configured that could be asked over the network."""
    tokens: dict[str, Any] = {"read_token": "r", "deploy_token": "d", "operate_token": "o"}
    settings = OriginSettings(data_dir=tmp_path, **tokens)
    origin = Origin(settings, LogPipe(io.StringIO()))
    origin.build()
    return origin


async def ask(origin: Origin, method: str, path: str) -> tuple[int, str]:
    """Status and problem detail, as a stranger elsewhere gets them, without a token."""
    sent: list[Any] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"origin.example.org"), (b"content-type", b"application/json")],
        "client": ("203.0.113.9", 40_000),
        "server": ("127.0.0.1", 8080),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(event: Any) -> None:
        sent.append(event)

    await origin(scope, receive, send)
    body = b"".join(event.get("body", b"") for event in sent[1:])
    detail = json.loads(body).get("detail", "") if body.startswith(b"{") else ""
    return sent[0]["status"], detail


def documented_scopes(role: str) -> dict[str, str]:
    """The second column by `METHOD /path`, from docs/api.md."""
    parts = re.split(r"^## ", (ROOT / "docs" / "api.md").read_text(), flags=re.MULTILINE)
    section = next(part for part in parts if part.startswith(f"{role}\n"))
    rows = re.findall(r"^\| `(\S+ \S+)` \| (\w+) \|", section, flags=re.MULTILINE)
    return dict(rows)


def test_the_public_routes_of_the_origin_are_those_that_were_decided_on() -> None:
    public = {route for route, scope in documented_scopes("Origin").items() if scope == "public"}
    assert {route for route in public if route not in PUBLIC and route.partition(" ")[2] not in PUBLIC} == set()


@pytest.mark.parametrize(("route", "scope"), sorted(documented_scopes("Origin").items()))
async def test_a_route_of_the_origin_asks_for_its_scope(origin: Origin, route: str, scope: str) -> None:
    method, _, path = route.partition(" ")
    status, detail = await ask(origin, method, path.replace("{job}", "7"))
    if scope == "public":
        assert status != 401
    else:
        assert (status, f"Scope {scope} is needed" in detail) == (401, True)


def test_a_route_of_the_table_asks_for_whom_the_documents_name() -> None:
    table = Table(TableSettings(), pipe=LogPipe(io.StringIO()))
    table.build()
    declared = {
        f"{method} {re.sub(':(str|path)}', '}', route.path)}": str(handler.opt["access"])
        for route in table.schema_app.routes
        if isinstance(route, HTTPRoute) and not route.path.startswith("/api/schema")
        for handler in route.route_handlers
        for method in handler.http_methods
        if method not in ("OPTIONS", "HEAD")
    }
    plain = ("/livez", "/readyz", "/api/schema/openapi.json", "/v1/logs", "/v1/traces", "/v1/metrics", "/mcp")
    documented = {
        route: who for route, who in documented_scopes("Table").items() if route.partition(" ")[2] not in plain
    }
    assert declared == documented
