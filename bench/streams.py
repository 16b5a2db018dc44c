"""Fan-out of the log stream: thousands of readers of one process, beside nginx with nchan under the same load.

The load comes from two other processes on the same two cores; what the readers cost is shown, and how long the server
and the readers could have run, but waited for a core. A server that waited longer than it computed had others beside it
on the machine, and the delays are theirs. Against those of other sessions `nice` does nothing where the kernel shares
by session (autogroup). This does, for root:

setsid -w sh -c 'echo -18 > /proc/self/autogroup; exec make bench-streams'
"""

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from bench.listeners import TOKEN
from bench.load import Server
from bench.nchan import nchan
from bench.process import ROOT, Measured, running
from bench.table import Row

READERS = 5_000
SECONDS = 6
ENVIRON = {"CHIMNEY_READ_TOKEN": TOKEN, "CHIMNEY_MAX_STREAMS": "9000"}
STREAM = "/api/logs/stream"
CYCLES = 10_000
Publish = Callable[[str], None]


class Watched(Server, Protocol):
    def waited_seconds(self) -> float: ...


class Run(NamedTuple):
    """One load: deliveries a second, latency in milliseconds, what went missing, CPU in percent of one core, and for
    how much of the time each could have run, but had no core."""

    per_second: float
    p50: float
    p99: float
    lost: int
    server_pct: float
    readers_pct: float
    server_waited_pct: float
    readers_waited_pct: float

    def figures(self) -> str:
        return (
            f"{self.per_second:,.0f}/s, p50 {self.p50:.0f} ms, p99 {self.p99:.0f} ms, {self.lost} lost,"
            f" CPU {self.server_pct:.0f} % (the readers' {self.readers_pct:.0f} %),"
            f" waited for a core {self.server_waited_pct:.0f} % (the readers {self.readers_waited_pct:.0f} %)"
        )


class Readers:
    """A process of listeners, all greeted."""

    def __init__(self, address: str, path: str, count: int) -> None:
        host, port = address.removeprefix("http://").split(":")
        command = [sys.executable, "-m", "bench.listeners", host, port, path, str(count)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)
        self.count = count
        self._runs = 0
        self._cpu = 0.0
        self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise SystemExit("the readers ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _asked(self, word: str) -> dict[str, Any]:
        assert self._process.stdin
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _arrived(self, expected: int) -> dict[str, Any]:
        """What was received once all of it was, or nothing more has come for some seconds: then the rest is lost."""
        got = self._asked("count")
        quiet = 0
        while got["deliveries"] < expected and quiet < 6:
            time.sleep(0.5)
            now = self._asked("count")
            quiet = 0 if now["deliveries"] > got["deliveries"] else quiet + 1
            got = now
        return got

    def under(self, server: Watched, publish: Publish, *, rate: int, seconds: int = SECONDS) -> Run:
        """`rate` messages a second to every reader."""
        before, cpu, waited = self._asked("anew"), server.cpu_seconds(), server.waited_seconds()
        began = time.time()
        for number in range(rate * seconds):
            time.sleep(max(0.0, began + number / rate - time.time()))
            publish(f"t{time.time_ns() // 1000:016d}-{number}-{self._runs}")
        got = self._arrived(rate * seconds * self.count)
        self._runs += 1
        took = max(seconds, got["last_at"] - began)
        return Run(
            got["deliveries"] / took,
            got["p50_ms"],
            got["p99_ms"],
            rate * seconds * self.count - got["deliveries"],
            100 * (server.cpu_seconds() - cpu) / took,
            100 * (got["cpu_seconds"] - before["cpu_seconds"]) / took,
            100 * (server.waited_seconds() - waited) / took,
            100 * (got["waited_seconds"] - before["waited_seconds"]) / took,
        )

    def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(20)


@contextmanager
def readers(address: str, path: str, count: int) -> Iterator[Readers]:
    listening = Readers(address, path, count)
    try:
        yield listening
    finally:
        listening.end()


def asking(address: str) -> Publish:
    """Each message is a request, whose record the readers get."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"))

    def publish(mark: str) -> None:
        connection.request("GET", "/livez", headers={"x-request-id": mark})
        connection.getresponse().read()

    return publish


def posting(address: str) -> Publish:
    """A message of the length of a record."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"))

    def publish(mark: str) -> None:
        body = json.dumps({"request_id": mark, "rest": "x" * 380})
        connection.request("POST", "/pub", body)
        connection.getresponse().read()

    return publish


@contextmanager
def origin() -> Iterator[Measured]:
    with running("chimney", "origin", "--listen", "127.0.0.1:0", environ=ENVIRON) as process:
        warm = asking(process.address)
        for number in range(1_000):
            warm(f"warm-{number}")
        time.sleep(1)
        yield process


def fan_out() -> list[Row]:
    with origin() as process:
        before = process.resident_mb()
        with readers(process.address, STREAM, READERS) as listening:
            time.sleep(2)
            each = (process.resident_mb() - before) * 1e6 / 1024 / READERS
            publish = asking(process.address)
            ordinary = listening.under(process, publish, rate=5)
            ceiling = max(
                (listening.under(process, publish, rate=rate) for rate in (11, 14)), key=lambda run: run.per_second
            )
    with nchan() as server, readers(server.address, "/sub", READERS) as listening:
        beside = listening.under(server, posting(server.address), rate=5)
        beside_ceiling = listening.under(server, posting(server.address), rate=14)
    return [
        Row(f"{READERS:,} readers, kB each", f"{each:.1f} kB resident", each, 20),
        Row("25,000 deliveries/s, p99 in ms", ordinary.figures(), ordinary.p99, 250),
        Row("lost of them", "", ordinary.lost, 0),
        Row("50,000/s ÷ the ceiling", ceiling.figures(), 50_000 / ceiling.per_second, 1),
        Row("lost at the ceiling", "", ceiling.lost, 0),
        Row("nginx with nchan, 25,000/s", beside.figures()),
        Row("nginx with nchan, more", beside_ceiling.figures()),
    ]


def stalled_reader(address: str) -> socket.socket:
    """Asks for the stream and never reads."""
    host, port = address.removeprefix("http://").split(":")
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.connect((host, int(port)))
    reader.sendall(f"GET {STREAM} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
    return reader


def one_stalled() -> list[Row]:
    with origin() as process, readers(process.address, STREAM, 500) as listening:
        publish = asking(process.address)
        listening.under(process, publish, rate=50, seconds=10)
        runs = []
        grown = 0.0
        for _ in range(3):  # without and with, by turns: the smallest of each is less of what else the machine does
            at_first = process.resident_mb()
            without = listening.under(process, publish, rate=50, seconds=10)
            before = process.resident_mb()
            reader = stalled_reader(process.address)
            stalled = listening.under(process, publish, rate=50, seconds=10)
            grown = max(grown, (process.resident_mb() - before - (before - at_first)) * 1e6 / 2**20)
            reader.close()
            runs.append((without, stalled))
        without = min((run for run, _ in runs), key=lambda run: run.p99)
        stalled = min((run for _, run in runs), key=lambda run: run.p99)
    return [
        Row("500 readers, 25,000/s", without.figures()),
        Row("the same beside a stalled one, p99 ratio", stalled.figures(), stalled.p99 / without.p99, 1.1),
        Row("memory for the stalled one, MiB", "", grown, 1),
    ]


def delay() -> list[Row]:
    with origin() as process, readers(process.address, STREAM, 1) as listening:
        run = listening.under(process, asking(process.address), rate=1_000)
    return [Row("1,000 records/s to a reader's socket, p99 in ms", run.figures(), run.p99, 50)]


def descriptors(process: Measured) -> int:
    return len(list(Path(f"/proc/{process.pid}/fd").iterdir()))


def cycle(host: str, port: int, count: int) -> None:
    """Subscribes, is greeted, and goes, one after the other."""
    for number in range(count):
        reader = socket.socket()
        reader.bind((f"127.0.{number % 200 + 1}.2", 0))
        reader.connect((host, port))
        reader.sendall(f"GET {STREAM} HTTP/1.1\r\nHost: b\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        greeting = b""
        while b"event: hello" not in greeting:
            greeting += reader.recv(4096)
        reader.close()


def coming_and_going() -> list[Row]:
    with origin() as process:
        host, port = process.address.removeprefix("http://").split(":")
        cycle(host, int(port), 1_000)
        time.sleep(1)
        before, open_before = process.resident_mb(), descriptors(process)
        cycle(host, int(port), CYCLES)
        time.sleep(2)
        after, open_after = process.resident_mb(), descriptors(process)
    figures = f"{before:.1f} MB → {after:.1f} MB"
    return [
        Row(f"{CYCLES:,} come and go, memory ratio", figures, after / before, 1.1),
        Row("descriptors left open", f"{open_before} → {open_after}", max(0, open_after - open_before), 0),
    ]


def run() -> list[Row]:
    if not Path("/usr/lib/nginx/modules/ngx_nchan_module.so").exists():
        raise SystemExit("install libnginx-mod-nchan with your package manager, then try again")
    return [*fan_out(), *one_stalled(), *delay(), *coming_and_going()]
