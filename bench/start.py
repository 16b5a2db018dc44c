"""Time from starting the process: origin to its first /livez, the whole of `chimney up` to a page with data."""

import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from bench.table import Row

ROUNDS = 5
UP_ROUNDS = 3


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(question: "urllib.request.Request | str", wanted: str = "") -> None:
    """Asks every few milliseconds until there is an answer of 200 that holds `wanted`."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, urllib.error.URLError), urllib.request.urlopen(question, timeout=2) as answer:
            if wanted in answer.read().decode():
                return
        time.sleep(0.005)
    raise SystemExit(f"no answer within 30 s: {question}")


def interpreter() -> float:
    """The yardstick: an interpreter that imports the web framework and ends."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import litestar, httpx2, uvloop"], check=True)
    return time.perf_counter() - began


def origin_livez() -> float:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "chimney", "origin", "--listen", f"127.0.0.1:{port}"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(f"http://127.0.0.1:{port}/livez")
        took = time.perf_counter() - began
        process.terminate()
        process.wait(10)
    return took


def session(table: str, password: str) -> urllib.request.Request:
    body = json.dumps({"password": password}).encode()
    signing = urllib.request.Request(f"{table}/api/session", body, {"content-type": "application/json"})
    with urllib.request.urlopen(signing, timeout=5) as answer:
        cookie = answer.headers["set-cookie"].partition(";")[0]
    return urllib.request.Request(f"{table}/api/overview", headers={"cookie": cookie})


def up_with_data(folder: Path) -> float:
    """From `chimney up` to an overview that names a merged pull request of the origin's pipeline."""
    origin, table = free_port(), free_port()
    environ = {
        **os.environ,
        "CHIMNEY_LISTEN": f"127.0.0.1:{origin}",
        "CHIMNEY_TABLE_LISTEN": f"127.0.0.1:{table}",
        "CHIMNEY_TABLE_PASSWORD": "bench",
    }
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "chimney", "up"],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(f"http://127.0.0.1:{table}/readyz")
        until(session(f"http://127.0.0.1:{table}", "bench"), '"last_merged_pr":{')
        return time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def run() -> list[Row]:
    yardstick = statistics.median(interpreter() for _ in range(ROUNDS))
    livez = statistics.median(origin_livez() for _ in range(ROUNDS))
    with tempfile.TemporaryDirectory() as folder:
        up_with_data(Path(folder))
        up = statistics.median(up_with_data(Path(folder)) for _ in range(UP_ROUNDS))
    return [
        Row("interpreter with the framework imported", f"{yardstick:.2f} s"),
        Row("origin to first /livez, seconds", f"{livez / yardstick:.1f} × the interpreter", livez, 1.0),
        Row("`chimney up`, warm, to a page with data, seconds", f"{up / yardstick:.1f} × the interpreter", up, 5.0),
    ]
