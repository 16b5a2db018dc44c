"""Processes under measurement: started with the project's own interpreter, ended by their own id."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).parent.parent
PAGE = os.sysconf("SC_PAGE_SIZE")


def waited_seconds(*pids: int | str) -> float:
    """How long their threads could have run, but had no core: what others on the machine take from the figures."""
    waits = [task.read_text().split()[1] for pid in pids for task in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return sum(int(wait) for wait in waits) / 1e9


class Measured:
    """A running process; its first `ready <address>` line on stdout gives `address`."""

    def __init__(self, arguments: list[str], environ: Mapping[str, str], folder: Path) -> None:
        self.started = time.perf_counter()
        self.folder = folder
        self._told = folder / "stderr.log"
        self._log = self._told.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, **environ, "PYTHONPATH": str(ROOT)},
            cwd=folder,
        )
        self.address = self._ready(folder)

    @property
    def pid(self) -> int:
        return self._process.pid

    def _ready(self, folder: Path) -> str:
        for line in self._process.stdout or ():
            word, _, rest = line.strip().partition(" ")
            if word == "ready":
                return rest
        raise SystemExit("did not start:\n" + (folder / "stderr.log").read_text()[-2000:])

    def cpu_seconds(self) -> float:
        """User and system time of the process, all threads."""
        words = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / TICK

    def waited_seconds(self) -> float:
        return waited_seconds(self._process.pid)

    def errors(self) -> str:
        """What it wrote to stderr so far."""
        return self._told.read_text()

    def resident_mb(self) -> float:
        words = Path(f"/proc/{self._process.pid}/statm").read_text().split()
        return int(words[1]) * PAGE / 1e6

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._log.close()


@contextmanager
def running(*arguments: str, environ: Mapping[str, str] | None = None) -> Iterator[Measured]:
    """`python -m <arguments>` in a fresh folder, until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        process = Measured(list(arguments), environ or {}, Path(folder))
        try:
            yield process
        finally:
            process.end()


@contextmanager
def origin_with_standin(environ: Mapping[str, str] | None = None) -> Iterator[tuple[Measured, Measured]]:
    """A stand-in whose clock stands still, and an origin that asks it."""
    with running("chimney", "standin", "--listen", "127.0.0.1:0", "--repo", "acme/rocket", "--speed", "0") as github:
        settings = {
            "CHIMNEY_REPO": "acme/rocket",
            "CHIMNEY_GITHUB_TOKEN": "bench",
            "CHIMNEY_GITHUB_API_URL": github.address,
            **(environ or {}),
        }
        with running("chimney", "origin", "--listen", "127.0.0.1:0", environ=settings) as origin:
            yield origin, github
