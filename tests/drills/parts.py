"""What a stack has besides chimney: Dragonfly, visitors, a disk of its own."""

import signal
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from tests.e2e.processes import eventually, free_port

from chimney.standin.visitors import USUAL

PAUSE_SECONDS = 0.4


class Dragonfly:
    """A RESP server that can be killed, paused and filled; its address stays."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self.start()

    def start(self) -> None:
        said = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        with (self._folder / "redis.err").open("ab") as out:
            self._process = subprocess.Popen(["redis-server", *said], stdout=out, stderr=out)
        eventually(lambda: self.says("PING"))

    def says(self, *words: str) -> str:
        asked = ["redis-cli", "-p", str(self.port), *words]
        ended = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=False)
        assert not ended.returncode, ended.stderr
        return ended.stdout

    def send(self, what: signal.Signals) -> None:
        self._process.send_signal(what)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)


class Visitors:
    """What real dashboards ask, through Caddy, about twice a second; whatever they are answered, they go on."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._ended = threading.Event()
        self.paths = [path for path, often in USUAL for _ in range(often) if "v0.0.0" not in path]
        self._thread = threading.Thread(target=self._visit, daemon=True)
        self._thread.start()

    def _visit(self) -> None:
        turn = 0
        while not self._ended.wait(PAUSE_SECONDS):
            turn += 7
            visit(self._url + self.paths[turn % len(self.paths)])

    def close(self) -> None:
        self._ended.set()
        self._thread.join(15)


def visit(url: str, **headers: str) -> int:
    """The status; 0 for none."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


@contextmanager
def asking_anew(url: str, *, visitors: int = 4) -> Iterator[None]:
    """Besides the usual visitors some who ask what nobody has asked before, so that GitHub is asked for it."""
    ended, numbers = threading.Event(), count(1000)

    def ask() -> None:
        while not ended.wait(0.25):
            visit(f"{url}/api/github/issues/{next(numbers)}")

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(visitors)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join(15)


class Disk:
    """A file system of its own for a folder, where one may be mounted; it can be filled."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._filler = folder / "filler"
        mount = ["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(folder)]
        self.mounted = subprocess.run(mount, check=False, capture_output=True).returncode == 0
        self._folder = folder

    def fill(self) -> None:
        assert self.mounted, "filling a disk needs one that may be mounted: root"
        subprocess.run(["dd", "if=/dev/zero", f"of={self._filler}", "bs=1M"], check=False, capture_output=True)

    def empty(self) -> None:
        self._filler.unlink()

    def end(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "-l", str(self._folder)], check=True)
