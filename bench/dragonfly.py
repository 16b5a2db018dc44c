"""A redis-server (Debian's) in the place of Dragonfly: they speak the same."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 10.0


@contextmanager
def dragonfly() -> Iterator[dict[str, str]]:
    """What an origin must be told of it."""
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "redis.sock"
        arguments = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", folder]
        process = subprocess.Popen(["redis-server", *arguments], stdout=subprocess.DEVNULL)
        try:
            _until_there(socket)
            yield {"CHIMNEY_DRAGONFLY_URL": f"unix://{socket}"}
        finally:
            process.terminate()
            process.wait(10)


def _until_there(socket: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not socket.exists():
        if time.monotonic() > deadline:
            raise SystemExit("redis-server did not start")
        time.sleep(0.01)
