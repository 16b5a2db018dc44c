"""Programs with the stock SDKs of OpenTelemetry, told nothing but where to send."""

import http.client
import os
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.processes import PASSWORD, Running, eventually, fetch, free_port

HERE = Path(__file__).parent
UI = HERE.parents[1] / "ui"


@pytest.fixture(scope="module", name="table")
def _table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("otlp")
    table = Running("table", "--listen", f"127.0.0.1:{free_port()}", folder=folder)
    yield table
    table.close()


def ask(table: Running, path: str) -> Any:
    token = (table.folder / ".table" / "cli.token").read_text().strip()
    return fetch(table.url + path, headers={"authorization": f"Bearer {token}"})


def send(table: Running, *command: str, folder: Path) -> str:
    """Runs the program with one variable more than a bare environment; returns the trace it made."""
    environ = {"PATH": os.environ["PATH"], "OTEL_EXPORTER_OTLP_ENDPOINT": table.url}
    ran = subprocess.run(command, check=False, cwd=folder, env=environ, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@pytest.mark.parametrize(
    ("name", "command", "folder"),
    [
        ("python", [sys.executable, str(HERE / "sender.py")], HERE),
        ("node", ["node", str(HERE / "sender.mjs")], UI),
    ],
)
def test_a_program_shows_up_in_traces_and_logs(table: Running, name: str, command: list[str], folder: Path) -> None:
    trace_id = send(table, *command, folder=folder)
    trace = ask(table, f"/api/traces/{trace_id}")
    assert [span["name"] for span in trace["spans"]] == [f"GET /{name}", "query"]
    assert trace["spans"][1]["parent_span_id"] == trace["spans"][0]["span_id"]
    assert [row["message"] for row in trace["logs"]] == [f"said by {name}"]
    listed = ask(table, f"/api/traces?operation=GET%20/{name}")["items"]
    assert [one["trace_id"] for one in listed] == [trace_id]
    (row,) = ask(table, f"/api/logs?trace_id={trace_id}")["items"]
    assert (row["level"], row["logger"]) == ("error", "sender")


def test_a_counter_of_the_sdk_is_a_series(table: Running) -> None:
    send(table, sys.executable, str(HERE / "sender.py"), folder=HERE)
    names = {one["name"]: one for one in ask(table, "/api/series/names")["items"]}
    assert names["jobs.done"]["kind"] == "counter"
    (series,) = ask(table, "/api/series?name=jobs.done&fn=max&by=queue&labels=queue=mail")["series"]
    assert max(point["value"] or 0 for point in series["points"]) == 3


def test_up_shows_the_spans_of_its_origin(tmp_path: Path) -> None:
    origin, table = (f"127.0.0.1:{free_port()}" for _ in range(2))
    environ = {"CHIMNEY_LISTEN": origin, "CHIMNEY_TABLE_LISTEN": table, "CHIMNEY_TABLE_PASSWORD": PASSWORD}
    up = Running("up", folder=tmp_path, environ=environ)
    try:
        assert up.url == f"http://{table}"
        eventually(lambda: ask(up, "/api/traces")["items"])
        trace = ask(up, "/api/traces")["items"][0]
        assert "chimney" in trace["service"]
    finally:
        assert up.terminate() == 0


@pytest.mark.parametrize("length", ["content-length", "transfer-encoding"])
def test_a_sender_of_too_much_reads_why_it_is_refused(table: Running, length: str) -> None:
    """Its answer comes when it has written everything, not a broken connection in the middle."""
    piece = bytes(1024**2)
    body = iter([piece] * 20) if length == "transfer-encoding" else piece * 20
    headers = {"content-type": "application/x-protobuf"}
    address = urllib.parse.urlsplit(table.url).netloc
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.request("POST", "/v1/logs", body, headers, encode_chunked=length == "transfer-encoding")
    answer = connection.getresponse()
    assert (answer.status, answer.read()[:1]) == (413, b"\x08")
    connection.close()
