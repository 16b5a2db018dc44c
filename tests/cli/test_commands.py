"""Commands as real processes: ready line, JSON lines, signals, and what is said when they cannot start."""

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr
from tests.cli.processes import Process, run

from chimney import __version__
from chimney.cli.up import traces_to
from chimney.config import TableSettings

Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `chimney origin` on a free port, with its data in the test's folder."""
    started: list[Process] = []

    def start(*arguments: str, **said: Any) -> Process:
        process = Process("origin", "--listen", "127.0.0.1:0", *arguments, cwd=tmp_path, **said)
        started.append(process)
        return process

    yield start
    for process in started:
        process.end()


def streams(address: str, count: int) -> list[socket.socket]:
    """Open log streams, each of which has been greeted."""
    host, _, port = address.removeprefix("http://").partition(":")
    opened = []
    for _ in range(count):
        stream = socket.create_connection((host, int(port)), timeout=5)
        stream.sendall(b"GET /api/logs/stream HTTP/1.1\r\nhost: x\r\n\r\n")
        heard = b""
        while b"event: hello" not in heard:
            heard += stream.recv(65536)
        opened.append(stream)
    return opened


def test_sigterm_with_ten_open_streams_ends_with_0_within_five_seconds(start: Start) -> None:
    process = start()
    opened = streams(process.ready(), 10)
    code, seconds = process.signal(signal.SIGTERM)
    assert (code, seconds < 5) == (0, True)
    for stream in opened:
        rest = b""
        while chunk := stream.recv(65536):
            rest += chunk
        stream.close()
        assert b"retry: " in rest
    assert {"ts", "level", "message"} <= process.records()[-1].keys()
    assert process.records()[-1]["message"] == "origin stopped"


def test_a_stderr_that_nobody_reads_neither_stops_the_answers_nor_the_end(start: Start) -> None:
    process = start(deaf=True)
    address = process.ready()
    with httpx2.Client() as client:
        for number in range(400):  # more lines than a pipe holds
            assert (
                client.get(f"{address}/livez?{'x' * 10}{number}", headers={"user-agent": "u" * 250}).status_code == 200
            )
    code, seconds = process.signal(signal.SIGTERM)
    assert (code, seconds < 5) == (0, True)


def test_kill_9_forgets_neither_records_nor_deployments_and_gives_no_id_again(start: Start) -> None:
    process = start()
    address = process.ready()
    report = {"phase": "succeeded", "revision": "a" * 40, "id": "one"}
    with httpx2.Client() as client:
        assert client.post(f"{address}/api/deploy/events", json=report).status_code == 201
        for _ in range(20):
            client.get(f"{address}/livez")
        before: list[Any] = []
        deadline = time.monotonic() + 5
        while len(before) < 21 and time.monotonic() < deadline:
            before = client.get(f"{address}/api/logs?limit=500").json()["items"]
    process.signal(signal.SIGKILL)
    again = start()
    address = again.ready()
    with httpx2.Client() as client:
        after = client.get(f"{address}/api/logs?limit=500").json()["items"]
        assert client.get(f"{address}/api/deploy/status").json()["total_deploys"] == 1
        assert client.post(f"{address}/api/deploy/events", json=report).status_code == 200
    known = {one["id"]: one for one in after}
    assert len(known) == len(after)
    assert [known[one["id"]] for one in before] == before
    assert max(known) > max(one["id"] for one in before)
    again.signal(signal.SIGTERM)


def test_a_taken_port_ends_with_2_and_says_who_has_it(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = run("origin", "--listen", f"127.0.0.1:{taken.getsockname()[1]}", cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "already in use by process" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_bad_settings_end_with_2_and_every_fault(tmp_path: Path) -> None:
    (tmp_path / "chimney.toml").write_text('[origin]\nslot = "red"\nnonsense = 1\n')
    ended = run("origin", cwd=tmp_path, CHIMNEY_REPO="rocket", CHIMNEY_LISTN="x", CHIMNEY_READ_TOKEN_FILE="/no")
    assert ended.returncode == 2
    for place in ("origin.slot", "origin.nonsense", "CHIMNEY_REPO", "CHIMNEY_LISTN", "CHIMNEY_READ_TOKEN_FILE"):
        assert place in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_data_folder_that_cannot_be_used_ends_with_2_and_says_which(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in ("file", "file/below"):
        ended = run("origin", "--listen", "127.0.0.1:0", "--data-dir", folder, cwd=tmp_path)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert f"cannot use {folder}" in ended.stderr
        assert "Traceback" not in ended.stderr


def test_check_config_tells_all_or_says_that_it_is_good(tmp_path: Path) -> None:
    good = run("check-config", cwd=tmp_path)
    assert (good.returncode, good.stdout) == (0, "the configuration is good\n")
    (tmp_path / "bad.toml").write_text("[origin\n")
    bad = run("check-config", "--config", "bad.toml", cwd=tmp_path)
    assert bad.returncode == 2
    assert "bad.toml: is not TOML" in bad.stderr


def test_the_openapi_document_and_the_version_are_told_without_a_trace(tmp_path: Path) -> None:
    told = run("openapi", "origin", cwd=tmp_path)
    assert json.loads(told.stdout)["openapi"].startswith("3.1")
    assert (told.returncode, told.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []
    assert run("--version", cwd=tmp_path).stdout == f"{__version__}\n"
    unknown = run("openapi", "nothing", cwd=tmp_path)
    assert (unknown.returncode, unknown.stderr) == (
        2,
        "chimney: there is no OpenAPI document of 'nothing': ask for origin or table\n",
    )


@pytest.mark.parametrize(
    ("environ", "endpoint"),
    [
        ({}, "http://127.0.0.1:8700/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://elsewhere:4318"}, None),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://elsewhere:4318/v1/traces"}, None),
    ],
)
def test_the_traces_of_up_go_to_its_table_unless_told_otherwise(environ: dict[str, str], endpoint: str | None) -> None:
    assert traces_to(TableSettings(), environ).get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == endpoint


def test_the_traces_of_up_carry_the_token_that_the_table_wants() -> None:
    to = traces_to(TableSettings(otlp_token=SecretStr("a,b=c%")), {})
    assert to["OTEL_EXPORTER_OTLP_TRACES_HEADERS"] == "authorization=Bearer%20a%2Cb%3Dc%25"
