"""The documents are true: what exists is described, what is described exists, what they tell people to type works."""

import ast
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import httpx2
import pytest
import typer
import typer.main
from pydantic_core import PydanticUndefined

from chimney.cli.app import app as command_line
from chimney.config.load import _OUTSIDE, _PER_ORIGIN, ROLES, check, is_secret, known_variables, variable
from chimney.config.settings import FollowedOrigin, NotifyTarget, OriginSettings
from chimney.core.finding_of import COMPONENTS
from chimney.github.errors import GitHubError
from chimney.instrumentation import LogPipe
from chimney.origin.app import Origin
from chimney.origin.app import openapi as openapi_of_origin
from chimney.standin.acts import AnyAct
from chimney.standin.control import Control
from chimney.standin.faults import Faults, Order
from chimney.standin.stats import Stats
from chimney.table.app import openapi as openapi_of_table
from chimney.web.framework import _SLUGS
from chimney.wire.problem import Fault

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "chimney"
DOCS = ROOT / "docs"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
README_LINES = 90
PLAIN = {("GET", path) for path in ("/livez", "/readyz", "/api/schema/openapi.json")}  # not all in the OpenAPI document


def named(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def sections(file: Path, depth: int) -> dict[str, str]:
    """The text below each heading of that depth, down to the next heading of the same depth."""
    parts = re.split(rf"^{'#' * depth} (.+)$", file.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def first_cells(text: str) -> list[str]:
    """The first code span of the first cell of every row of every table in `text`."""
    return re.findall(r"^\| `([^`]+)`", text, flags=re.MULTILINE)


def table_rows(text: str) -> list[list[str]]:
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in rows]


def blocks(file: Path, *languages: str) -> list[str]:
    found = re.findall(r"^```(\w+)\n(.*?)^```", file.read_text(), flags=re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language in languages]


def calls(*folders: str) -> Iterator[tuple[Path, str, ast.Call]]:
    """Every call in the source below these folders, with the file and the called name."""
    for file in sorted(path for folder in folders for path in (SOURCE / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                yield file, ast.unparse(node.func).rpartition(".")[2], node


def text_of(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


# settings


def shown_default(value: object) -> str:
    if value is PydanticUndefined:
        return "needed"
    if value in (None, []):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def settings_table(role: str) -> list[str]:
    model, _ = ROLES[role]
    rows = ["| variable | chimney.toml | default | meaning |", "|---|---|---|---|"]
    for field, info in model.model_fields.items():
        name = variable(role, field)
        also = f" · `{name}_FILE`" if is_secret(name) else ""
        rows.append(f"| `{name}`{also} | `{role}.{field}` | {shown_default(info.default)} | {info.description} |")
    return rows


@pytest.mark.parametrize("role", ROLES)
def test_the_settings_of_a_role_are_described_as_its_table_of_settings_says(role: str) -> None:
    text = sections(DOCS / "configuration.md", 2)[role.capitalize()]
    found = [line for line in text.splitlines() if line.startswith(("| ", "|--"))]
    expected = settings_table(role)
    assert found[: len(expected)] == expected, "docs/configuration.md should say:\n" + "\n".join(expected)


def test_the_settings_of_a_followed_origin_are_described() -> None:
    assert set(first_cells(sections(DOCS / "configuration.md", 2)["Followed origins"])) == set(
        FollowedOrigin.model_fields
    )


def test_the_keys_of_a_notification_target_are_described() -> None:
    described = first_cells(sections(DOCS / "configuration.md", 2)["Notification targets"])
    assert set(described) == set(NotifyTarget.model_fields)


def test_the_variables_that_only_the_commands_read_are_described() -> None:
    documented = set(first_cells(sections(DOCS / "configuration.md", 2)["Variables of the commands"]))
    assert documented == {
        parameter.envvar
        for command in commands().values()
        for parameter in command.params
        if isinstance(parameter.envvar, str) and parameter.envvar.startswith("CHIMNEY_")
    } | {"GITHUB_TOKEN"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_variable_that_a_document_names_exists(document: Path) -> None:
    lines = document.read_text().replace("<NAME>", "NAME").splitlines()
    text = "\n".join(line for line in lines if ": unknown setting" not in line)  # shows what a typing error is told
    said = set(re.findall(r"\bCHIMNEY_[A-Z0-9_]*[A-Z0-9]", text))
    known = known_variables() | _OUTSIDE
    assert not {name for name in said if name not in known and not _PER_ORIGIN.fullmatch(name)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_chimney_toml_that_a_document_shows_is_good(document: Path, tmp_path: Path) -> None:
    for number, text in enumerate(blocks(document, "toml")):
        file, secret = tmp_path / f"{number}.toml", tmp_path / "secret"
        secret.write_text("a-secret\n")
        file.write_text(re.sub(r'_file = "[^"]+"', f'_file = "{secret}"', text))
        assert check(file=file, environ={}) == []


# routes


@pytest.fixture(scope="module", name="openapi")
def _openapi(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return {"Origin": openapi_of_origin(tmp_path_factory.mktemp("origin")), "Table": openapi_of_table()}


METHODS = ("get", "post", "put", "patch", "delete")


@pytest.mark.parametrize("role", ["Origin", "Table"])
def test_the_routes_of_a_role_are_described_and_no_others(role: str, openapi: dict[str, dict[str, Any]]) -> None:
    routes = {
        (method.upper(), path) for path, item in openapi[role]["paths"].items() for method in item if method in METHODS
    }
    cells = first_cells(sections(DOCS / "api.md", 2)[role])
    documented = [tuple(cell.split(" ")) for cell in cells if re.match(r"[A-Z]+ /", cell)]
    assert len(documented) == len(set(documented))
    assert set(documented) == routes | PLAIN


def test_every_query_parameter_is_described(openapi: dict[str, dict[str, Any]]) -> None:
    text = (DOCS / "api.md").read_text()
    parameters = {
        parameter["name"]
        for document in openapi.values()
        for item in document["paths"].values()
        for operation in item.values()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query"
    }
    assert {name for name in parameters if f"`{name}`" not in text} == set()


# metrics, streams, problems, findings


def metrics_in(*folders: str) -> set[str]:
    """By the names that are given to the families; a name that is not a literal fails the test."""
    makers = {"gauge": "", "GaugeMetricFamily": "", "counter": "_total", "CounterMetricFamily": "_total"}
    makers["HistogramMetricFamily"] = ""
    names = set()
    for file, called, call in calls(*folders):
        if called not in makers or not call.args or (file.name == "metrics.py" and text_of(call.args[0]) is None):
            continue
        name = text_of(call.args[0])
        assert name, f"{named(file)}:{call.lineno}: the name of a metric should be a literal"
        names.add(name + makers[called])
    return names


@pytest.mark.parametrize(("role", "folders"), [("Origin", ("web", "tracing", "origin")), ("Table", ("web", "table"))])
def test_the_metrics_of_a_role_are_described_and_no_others(role: str, folders: tuple[str, ...]) -> None:
    documented = [cell.partition("{")[0] for cell in first_cells(sections(DOCS / "metrics.md", 2)[role])]
    assert len(documented) == len(set(documented))
    assert set(documented) == metrics_in(*folders)


async def test_a_scrape_shows_nothing_that_is_not_described(tmp_path: Path) -> None:
    """The names above are read from the source; this holds them against an answer."""
    origin = Origin(OriginSettings(data_dir=tmp_path), LogPipe(io.StringIO()))
    origin.build()
    transport = httpx2.ASGITransport(app=origin)
    async with httpx2.AsyncClient(transport=transport, base_url="http://origin") as client:
        text = (await client.get("/api/metrics")).text
    shown = set(re.findall(r"^# TYPE (\w+)", text, flags=re.MULTILINE))
    assert len(shown) > 10
    assert shown <= metrics_in("web", "tracing", "origin")


def streamed_events() -> set[str]:
    """Names of server-sent events: what `named(…)` and entries of a stream are given."""
    places = {"named": 0, "Entry": 1, "RowEntry": 1, "Mark": 1, "WallEntry": 1}
    names = set()
    for file, called, call in calls("web", "origin", "table"):
        if called in places and len(call.args) > places[called]:
            name = text_of(call.args[places[called]])
            assert name or ast.unparse(call.args[places[called]]) in ("topic", "event"), f"{named(file)}:{call.lineno}"
            names |= {name} if name else set()
    return names | set(literal("table/streams.py", "TOPICS")) | set(literal("table/streams.py", "CHANGES"))


def literal(file: str, name: str) -> Any:
    """The value of a constant, without importing what it stands in."""
    tree = ast.parse((SOURCE / file).read_text())
    values = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]
    ]
    return ast.literal_eval(values[0])


def test_the_events_of_the_streams_are_described_and_no_others() -> None:
    documented = [
        cell
        for section in ("Every stream", "Streams")
        for cell in first_cells(sections(DOCS / "events.md", 2)[section])
    ]
    assert {cell for cell in documented if not cell.startswith("/")} == streamed_events()


def test_the_kinds_of_events_that_an_origin_tells_are_described_and_no_others() -> None:
    kinds = {text_of(call.args[0]) for _, called, call in calls("origin") if called == "say" and call.args}
    assert set(first_cells(sections(DOCS / "events.md", 2)["Kinds of events"])) == kinds


def test_the_marks_that_the_table_makes_in_a_log_are_described() -> None:
    kinds = {"log"} | {text_of(call.args[0]) for _, called, call in calls("table") if called == "mark"}
    assert set(first_cells(sections(DOCS / "events.md", 2)["Kinds of log records"])) == kinds


def problem_slugs() -> set[str]:
    """Of every ProblemError that the source makes, and of GitHub's errors and the framework's, which are translated."""
    slugs = set(_SLUGS.values()) | {f"github-{error.code.replace('_', '-')}" for error in GitHubError.__subclasses__()}
    for file, called, call in calls("."):
        if called == "ProblemError" and len(call.args) > 1:
            slug = text_of(call.args[1])
            assert slug or named(file) in ("src/chimney/origin/asking.py", "src/chimney/web/framework.py"), call.lineno
            slugs |= {slug} if slug else set()
    return slugs


def test_the_problem_types_are_described_and_no_others() -> None:
    assert set(sections(DOCS / "errors.md", 2)) == problem_slugs()


@pytest.mark.parametrize("slug", sorted(problem_slugs()))
def test_a_problem_type_says_what_happened_what_still_works_and_what_to_do(slug: str) -> None:
    text = sections(DOCS / "errors.md", 2)[slug]
    assert [
        word for word in ("**What happened.**", "**What still works.**", "**What to do.**") if word not in text
    ] == []


CODES = {
    *("origin_unreachable", "origin_redirects", "origin_erroring", "origin_slow", "origin_stream_lost"),
    *("edge_unreachable", "edge_wrong_upstream", "edge_no_healthy_upstream", "slot_mismatch"),
    *("deploy_failed", "deploy_stuck", "deploy_harmful"),
    *("github_unreachable", "github_unauthorized", "github_rate_limited", "github_quota_low"),
    *("webhook_rejected", "webhook_silent", "pipeline_red", "dragonfly_unreachable", "cache_cold"),
    *("error_rate_high", "panic", "latency_regressed", "log_dropped", "clock_skew", "certificate_expiring"),
    *("storage_full", "storage_damaged", "telemetry_refused", "no_data"),
}
MORE = {
    "github_erroring",
    "dragonfly_full",
    "edge_reload_refused",
    "table_behind",
    "loop_failing",
    "notification_failing",
} | {
    "source_unreachable",
    "alert_firing",
}


def findings() -> dict[str, set[tuple[str, str]]]:
    """Severity and component by code, as the rules make them."""
    found: dict[str, set[tuple[str, str]]] = {}
    for _, called, call in calls("core"):
        if called not in ("of_origin", "of_table"):
            continue
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        severities = re.findall(r"Severity\.(\w+)", ast.unparse(given["severity"]))
        code = text_of(call.args[0]) or "?"
        usual = "origin" if called == "of_origin" else "table"
        component = COMPONENTS.get(code, usual)
        found.setdefault(code, set()).update((one.lower(), component) for one in severities)
    return found


def test_the_findings_are_described_with_severity_and_component_and_no_others() -> None:
    described = {
        code: set(re.findall(r"^(critical|warning|info) · `(\w+)`", text, flags=re.MULTILINE))
        for code, text in sections(DOCS / "findings.md", 2).items()
        if "_" in code or code == "panic"
    }
    assert described == findings()


@pytest.mark.parametrize("code", sorted(findings()))
def test_a_finding_says_what_it_means_how_it_is_detected_and_what_to_do(code: str) -> None:
    text = sections(DOCS / "findings.md", 2)[code]
    assert [word for word in ("**Means.**", "**Detected.**", "**What to do.**") if word not in text] == []


def test_every_code_of_the_contract_is_drawn_by_a_rule() -> None:
    assert findings().keys() >= CODES
    assert findings().keys() - CODES == MORE


def test_faults_are_documented_by_their_fields() -> None:
    text = (DOCS / "errors.md").read_text()
    assert [name for name in Fault.__struct_fields__ if f"`{name}`" not in text] == []


# the stand-in


def test_what_the_stand_in_can_be_told_is_described_and_nothing_else() -> None:
    described = sections(DOCS / "standin.md", 2)
    control = Control(stats=Stats(), faults=Faults(), do=lambda _body, _base: None, now=lambda: 0.0)
    requests = {f"{method} {path}" for path, methods in control._table.items() for method in methods}
    assert set(first_cells(described["Control"])) == requests
    assert set(first_cells(described["Faults"])) == set(Order.__struct_fields__)


def test_the_acts_of_the_stand_in_are_described_with_their_arguments() -> None:
    acts = {act.__struct_config__.tag: act for act in get_args(AnyAct)}
    rows = table_rows(sections(DOCS / "standin.md", 2)["Acts"])[1:]
    described = {row[0].strip("` "): row[1] for row in rows}
    assert set(described) == set(acts)
    for name, said in described.items():
        if said.strip(" |") != "the same":
            assert set(re.findall(r"`(\w+)`", said)) == set(acts[name].__struct_fields__), name


# what people are told to type


def commands() -> dict[str, Any]:
    """Every command by its words: `deploy report` as well as `up`."""
    group: Any = typer.main.get_command(command_line)

    def below(words: tuple[str, ...], command: Any) -> Iterator[tuple[str, Any]]:
        for name, one in getattr(command, "commands", {}).items():
            yield from below((*words, name), one)
        if not hasattr(command, "commands"):
            yield " ".join(words), command

    return dict(below((), group))


def shell_lines(document: Path) -> list[str]:
    joined = "\n".join(blocks(document, "sh", "bash", "yaml")).replace("\\\n", " ")
    return [line.strip().removeprefix("run: ") for line in joined.splitlines()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_the_commands_in_a_document_exist_with_their_flags(document: Path) -> None:
    known = commands()
    for line in shell_lines(document):
        match = re.match(r"(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?chimney (?!--)(.*)", line)
        if not match:
            continue
        words = match[1].split("#")[0].split()
        name = next((name for name in (" ".join(words[:2]), words[0]) if name in known), None)
        assert name, f"{line}: there is no such command"
        options = {option for parameter in known[name].params for option in parameter.opts} | {"--help"}
        unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in options]
        assert not unknown, f"{line}: {name} does not take {unknown}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_the_targets_of_make_in_a_document_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    targets |= {f"bench-{file.stem}" for file in (ROOT / "bench").glob("*.py")} | {"bench-<name>"}
    said = re.findall(r"(?:^|`)make ([a-z<>-]+)", document.read_text(), flags=re.MULTILINE)
    assert {target for target in said if target not in targets} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_the_json_in_a_document_is_json(document: Path) -> None:
    for text in blocks(document, "json"):
        json.loads(text)


# links and files


def anchors(file: Path) -> set[str]:
    """As GitHub makes them: lower case, punctuation dropped, spaces as hyphens."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(document: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not link.startswith(("http://", "https://"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_the_links_of_a_document_lead_somewhere(document: Path) -> None:
    for link in links(document):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), f"{link}: there is no such file"
        assert not anchor or anchor in anchors(target), f"{link}: there is no such heading"


def test_every_document_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        seen.add(document)
        targets = {(document.parent / link.partition("#")[0]).resolve() for link in links(document)}
        waiting += [target for target in targets if target.suffix == ".md" and target.exists() and target not in seen]
    assert [named(document) for document in DOCUMENTS if document not in seen] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_the_files_and_tests_that_a_document_names_exist(document: Path) -> None:
    for path, _, test in re.findall(
        r"`((?:src|tests|ui|bench|docs|deploy|requirements)/[\w./-]+?)(::(\w+))?`", document.read_text()
    ):
        file = ROOT / path
        assert file.exists(), f"there is no {path}"
        assert not test or re.search(rf"def {test}\(", file.read_text()), f"{path} has no {test}"


def test_the_readme_is_short_and_names_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= README_LINES
    assert "make up" in text
    assert "make test" in text


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_no_document_names_a_package_registry_or_a_path_of_a_machine(document: Path) -> None:
    text = document.read_text()
    assert re.findall(r"index-url|registry\s*=|https?://[^\s/]*(?:registry|packages)\.", text) == []
    assert re.findall(r"(?<![\w.])/(?:home|root|work|Users|tmp|private)/", text) == []
