"""Commands as real processes."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

OURS = ("CHIMNEY_", "GITHUB_", "OTEL_")


def environ(**said: str) -> dict[str, str]:
    """This process's environment without any settings of ours, and with `said`."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | said


def run(*arguments: str, cwd: Path, **said: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chimney", *arguments]
    return subprocess.run(
        command, cwd=cwd, env=environ(**said), capture_output=True, text=True, timeout=20, check=False
    )


class Process:
    """One long-running command; `lines` is what it wrote to stderr so far unless `deaf`, when nobody reads that."""

    def __init__(self, *arguments: str, cwd: Path, deaf: bool = False, env: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "chimney", *arguments],
            cwd=cwd,
            env=environ(**(env or {})),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid
        self.lines: list[str] = []
        if not deaf:
            self._reader = threading.Thread(target=self._read, daemon=True)
            self._reader.start()

    def _read(self) -> None:
        assert self._process.stderr
        self.lines.extend(self._process.stderr)

    def ready(self) -> str:
        """The address in its first line."""
        assert self._process.stdout
        word, _, address = self._process.stdout.readline().strip().partition(" ")
        assert word == "ready", self.lines
        return address

    def signal(self, number: int) -> tuple[int, float]:
        """Its exit status after the signal, and how many seconds that took."""
        began = time.monotonic()
        self._process.send_signal(number)
        try:
            return self._process.wait(10), time.monotonic() - began
        finally:
            self.end()

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]
