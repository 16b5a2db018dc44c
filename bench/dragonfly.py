"""A redis-server (Debian's) in the place of Dragonfly: they speak the same."""

import contextlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.start import free_port

PATIENCE = 10.0


@contextmanager
def dragonfly() -> Iterator[dict[str, str]]:
    """What an origin must be told of it."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        process = subprocess.Popen(["redis-server", *arguments], stdout=subprocess.DEVNULL)
        try:
            _until_there(port)
            yield {"CHIMNEY_DRAGONFLY_URL": f"redis://127.0.0.1:{port}"}
        finally:
            process.terminate()
            process.wait(10)


def _until_there(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.01)
    raise SystemExit("redis-server did not start")
