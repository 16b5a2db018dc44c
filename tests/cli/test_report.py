"""`chimney deploy report`: one deploy report to an origin."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from chimney.cli.app import app
from chimney.cli.report import ATTEMPTS, run_url, send

A = "a" * 40
AT = "2026-11-23T00:00:00Z"
NOTHING = ("slot", "ended_at", "duration_seconds", "pr", "message", "actor", "run_url")
DEPLOYMENT = {"id": "x", "revision": A, "environment": "production", "phase": "started", "started_at": AT}
ACCEPTED = {"id": "x", "deployment": DEPLOYMENT | dict.fromkeys(NOTHING)}


class Listener(http.server.BaseHTTPRequestHandler):
    """An origin of a few words: it answers what it is told and notes what it was sent."""

    server: "Origin"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.heard.append((self.path, dict(self.headers), body))
        status, answer = self.server.says[min(len(self.server.heard), len(self.server.says)) - 1]
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_said: Any) -> None:
        """Nothing."""


class Origin(http.server.ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Listener)
        self.heard: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.says: list[tuple[int, Any]] = [(201, ACCEPTED)]
        self.url = f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        thread = threading.Thread(target=origin.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield origin
        origin.shutdown()
        thread.join()


def report(url: str, *arguments: str, **environ: str) -> Any:
    clean = dict.fromkeys(("GITHUB_SHA", "CHIMNEY_DEPLOY_TOKEN", "GITHUB_ACTOR", "GITHUB_SERVER_URL"))
    return CliRunner().invoke(app, ["deploy", "report", "--origin", url, *arguments], env={**clean, **environ})


def test_a_report_says_what_was_recorded(origin: Origin) -> None:
    ended = report(origin.url, "--phase", "succeeded", "--revision", A, "--slot", "blue", "--duration-seconds", "4")
    assert (ended.exit_code, ended.stdout) == (0, f"recorded succeeded of {A[:12]} as x\n")
    [(path, headers, body)] = origin.heard
    assert path == "/api/deploy/events"
    assert "authorization" not in {name.lower() for name in headers}
    assert body.pop("id").startswith(f"cli-{A}-succeeded-")
    assert body == {"phase": "succeeded", "revision": A, "slot": "blue", "duration_seconds": 4.0}


def test_what_ci_knows_is_taken_from_its_environment(origin: Origin) -> None:
    ci = {
        "GITHUB_SHA": A, "GITHUB_ACTOR": "ada", "CHIMNEY_DEPLOY_TOKEN": "first, second", "CHIMNEY_URL": origin.url,
        "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/rocket", "GITHUB_RUN_ID": "7",
    }  # fmt: skip
    assert CliRunner().invoke(app, ["deploy", "report", "--phase", "started"], env=ci).exit_code == 0
    [(_, headers, body)] = origin.heard
    assert headers["authorization"] == "Bearer first"
    assert (body["revision"], body["actor"]) == (A, "ada")
    assert body["run_url"] == "https://github.com/acme/rocket/actions/runs/7"


@pytest.mark.parametrize(("status", "code"), [(400, 2), (415, 2), (401, 1), (403, 1), (404, 1)])
def test_a_refusal_is_said_and_not_repeated(origin: Origin, status: int, code: int) -> None:
    origin.says = [(status, {"detail": "$.slot: should be blue or green"})]
    ended = report(origin.url, "--phase", "started", "--revision", A)
    assert ended.exit_code == code
    assert ended.stderr == f"chimney: the report was refused ({status}): $.slot: should be blue or green\n"
    assert len(origin.heard) == 1


def test_a_failure_of_the_origin_is_tried_again_under_the_same_id(
    origin: Origin, capsys: pytest.CaptureFixture[str]
) -> None:
    origin.says = [(503, {}), (502, {}), (200, ACCEPTED)]
    send(origin.url, None, {"phase": "failed", "revision": A}, pause=0.01)
    assert "known already" in capsys.readouterr().out
    assert len({body["id"] for _, _, body in origin.heard}) == 1
    assert len(origin.heard) == ATTEMPTS


def test_an_origin_that_cannot_be_reached_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        send("http://127.0.0.1:1", None, {"phase": "started", "revision": A}, pause=0.01)
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert said.startswith("chimney: the report was not recorded: the origin at http://127.0.0.1:1 cannot be reached")
    assert said.count("\n") == 1


@pytest.mark.parametrize("url", ["not a url", "127.0.0.1:8080", "http://", "ftp://x", "http://x:port"])
def test_an_address_that_is_none_is_said_at_once(url: str) -> None:
    ended = report(url, "--phase", "started", "--revision", A)
    assert ended.exit_code == 2
    assert ended.stderr.startswith("chimney: --origin: ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("token", ["tökén", "two\nlines", "spa ced", "tab\tbed"])
def test_a_token_that_cannot_be_sent_is_one_sentence_without_it(origin: Origin, token: str) -> None:
    ended = report(origin.url, "--phase", "started", "--revision", A, CHIMNEY_DEPLOY_TOKEN=token)
    assert ended.exit_code == 2
    assert "token" in ended.stderr
    assert token not in ended.stderr
    assert origin.heard == []


def test_an_answer_that_is_none_of_ours_is_one_sentence(origin: Origin) -> None:
    origin.says = [(200, ["hello"])]
    ended = report(origin.url, "--phase", "started", "--revision", A)
    assert (ended.exit_code, ended.stderr.count("\n")) == (1, 1)


def test_without_a_revision_or_a_repository_the_origin_says_what_is_missing(
    origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    origin.says = [(400, {"detail": "$.revision: is missing"})]
    ended = report(origin.url, "--phase", "started")
    assert (ended.exit_code, "revision" in origin.heard[0][2]) == (2, False)
    assert "$.revision: is missing" in ended.stderr


def test_outside_of_ci_there_is_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"):
        monkeypatch.delenv(f"GITHUB_{name}", raising=False)
    assert run_url() is None
