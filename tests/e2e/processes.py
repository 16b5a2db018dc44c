"""The real processes, as a user would start them: `python -m chimney …`, told apart by their ports."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
PASSWORD = "correct-horse-battery"
TOKEN = "e2e-token"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(question: Callable[[], T], *, within: float = 15.0, every: float = 0.05) -> T:
    """The first true answer; the last error or answer is told when none comes in time."""
    deadline = time.monotonic() + within
    last: object = None
    while time.monotonic() < deadline:
        try:
            answer = question()
        except (OSError, AssertionError, KeyError, ValueError) as error:
            last = error
        else:
            if answer:
                return answer
            last = answer
        threading.Event().wait(every)
    raise AssertionError(f"not within {within:.0f} s; last: {last!r}")


class Running:
    """One `chimney` command. `lines` is its stdout, `errors()` its stderr."""

    def __init__(self, *arguments: str, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self.arguments = arguments
        self.folder = folder
        self.environ = dict(environ or {})
        self.lines: list[str] = []
        self.start()

    def start(self) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("CHIMNEY_", "GITHUB_"))}
        self._stderr = self.folder / f"{self.arguments[0]}.err"
        with self._stderr.open("ab") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "chimney", *self.arguments],
                cwd=self.folder,
                env={**clean, **self.environ},
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        self._reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self._reader.start()

    def _read(self, process: "subprocess.Popen[str]") -> None:
        with process.stdout or sys.stdin as stream:
            self.lines.extend(line.rstrip("\n") for line in stream)

    def _ready_line(self) -> str:
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.arguments[0]} ended with {self.process.returncode}: {self.errors()[-2000:]}")
        return next((line for line in self.lines if line.startswith("ready ")), "")

    @property
    def url(self) -> str:
        """Its address, once it says that it is ready. One that ended raises at once; a busy machine may take long."""
        return eventually(self._ready_line, within=60.0).removeprefix("ready ")

    def errors(self) -> str:
        return self._stderr.read_text()

    def kill(self) -> None:
        self.process.kill()
        self._ended()

    def terminate(self) -> int:
        self.process.terminate()
        return self._ended()

    def _ended(self) -> int:
        code = self.process.wait(15)
        self._reader.join(5)
        return code

    def again(self) -> None:
        self.lines.clear()
        self.start()

    def close(self) -> None:
        if self.process.poll() is None:
            self.terminate()


def fetch(url: str, *, body: object = None, headers: Mapping[str, str] | None = None, method: str | None = None) -> Any:
    """The JSON of an answer of 2xx; HTTPError otherwise."""
    sent = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, sent, {"content-type": "application/json", **(headers or {})}, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or b"null")


def status_of(url: str, **options: Any) -> int:
    try:
        fetch(url, **options)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    return 200


class Stack:
    """Stand-in, origin and table, each on a port that stays its own over restarts. `traced`: the origin's spans go to
    the table, which reads its metrics every second. `table_environ` are more of the table's variables."""

    def __init__(
        self, folder: Path, *, speed: float, traced: bool = False, table_environ: Mapping[str, str] | None = None
    ) -> None:
        self.ports = [free_port() for _ in range(3)]
        github, origin, table = (f"http://127.0.0.1:{port}" for port in self.ports)
        self.standin = Running(
            *("standin", "--listen", github.removeprefix("http://"), "--repo", "acme/rocket"),
            *("--speed", str(speed), "--deploy-report", f"{origin}/api/deploy/events"),
            folder=folder,
        )
        assert self.standin.url == github
        self.origin = Running(
            *("origin", "--listen", origin.removeprefix("http://")),
            folder=folder,
            environ={
                "CHIMNEY_REPO": "acme/rocket",
                "CHIMNEY_GITHUB_TOKEN": TOKEN,
                "CHIMNEY_GITHUB_API_URL": github,
                "CHIMNEY_SLOT": "blue",
                "CHIMNEY_DEMONSTRATION": "true",
                **({"OTEL_EXPORTER_OTLP_ENDPOINT": table, "OTEL_BSP_SCHEDULE_DELAY": "50"} if traced else {}),
            },
        )
        self.table = Running(
            *("table", "--listen", table.removeprefix("http://")),
            folder=folder,
            environ={
                "CHIMNEY_TABLE_ORIGINS": f"hel1={origin}",
                "CHIMNEY_TABLE_PASSWORD": PASSWORD,
                "CHIMNEY_TABLE_PROBE_SECONDS": "0.5",
                **({"CHIMNEY_TABLE_SCRAPE_SECONDS": "1"} if traced else {}),
                **(table_environ or {}),
            },
        )
        assert (self.origin.url, self.table.url) == (origin, table)
        self.folder = folder

    def ask_table(self, path: str) -> Any:
        token = (self.folder / ".table" / "cli.token").read_text().strip()
        return fetch(self.table.url + path, headers={"authorization": f"Bearer {token}"})

    def close(self) -> None:
        for process in (self.table, self.origin, self.standin):
            process.close()
