"""Thousands of readers of a stream in one process: an epoll loop over plain sockets, so that it costs little itself.

python -m bench.listeners HOST PORT PATH COUNT. Says `ready` when all are greeted; then, on stdin,
`count` answers what was received since the last `anew`, as JSON; the end of stdin ends it.

A message that is counted says `t<microseconds since the epoch>-<number>-<run>` anywhere; numbers of a run begin at 0.
"""

import json
import re
import resource
import select
import socket
import sys
import time
from array import array
from typing import Any

from bench.process import waited_seconds

MARK = re.compile(rb"t(\d{16})-(\d+)-(\d+)\"")
TOKEN = "bench"
BUFFER = 262_144  # one for all readers: a new one for each read costs more than the read
PER_ADDRESS = 90  # an origin serves 100 streams of one address; 127.0.0.0/8 has plenty


class Reader:
    """One connection: what it got of the current run."""

    __slots__ = ("expected", "lost", "rest", "run", "socket")

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.rest = b""
        self.run = -1
        self.expected = 0
        self.lost = 0


def connect(host: str, port: int, path: str, number: int) -> Reader:
    connection = socket.socket()
    connection.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT: ports are shared between targets
    spread = number // PER_ADDRESS + 2
    connection.bind((f"127.0.{spread // 250}.{spread % 250 + 1}", 0))
    connection.connect((host, port))
    request = (
        f"GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    )
    connection.sendall(request.encode())
    return Reader(connection)


class Listeners:
    def __init__(self, host: str, port: int, path: str, count: int) -> None:
        self._epoll = select.epoll()
        self._readers: dict[int, Reader] = {}
        self._latencies = array("q")
        self._buffer = memoryview(bytearray(BUFFER))
        self._closed = 0
        self._last_at = 0.0
        for number in range(count):
            reader = connect(host, port, path, number)
            if not reader.socket.recv(65536).startswith(b"HTTP/1.1 200"):
                raise SystemExit("a reader was turned away")
            reader.socket.setblocking(False)
            self._readers[reader.socket.fileno()] = reader
            self._epoll.register(reader.socket.fileno(), select.EPOLLIN)

    def _read(self, reader: Reader) -> None:
        try:
            size = reader.socket.recv_into(self._buffer)
        except BlockingIOError:
            return
        if not size:
            self._closed += 1
            self._epoll.unregister(reader.socket.fileno())
            return
        now = time.time_ns() // 1000
        data = reader.rest + self._buffer[:size]
        end = 0
        for match in MARK.finditer(data):
            end = match.end()
            number, run = int(match[2]), int(match[3])
            if run != reader.run:
                reader.run, reader.expected = run, 0
            reader.lost += number != reader.expected
            reader.expected = number + 1
            self._latencies.append(now - int(match[1]))
            self._last_at = now / 1e6
        reader.rest = data[max(end, len(data) - 64) :]

    def count(self) -> dict[str, Any]:
        latencies = sorted(self._latencies)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "deliveries": len(latencies),
            "p50_ms": latencies[len(latencies) // 2] / 1000 if latencies else None,
            "p99_ms": latencies[int(len(latencies) * 0.99)] / 1000 if latencies else None,
            "max_ms": latencies[-1] / 1000 if latencies else None,
            "lost": sum(reader.lost for reader in self._readers.values()),
            "fewest": min(reader.expected for reader in self._readers.values()),
            "closed": self._closed,
            "last_at": self._last_at,
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "waited_seconds": waited_seconds("self"),
        }

    def anew(self) -> dict[str, Any]:
        told = self.count()
        self._latencies = array("q")
        for reader in self._readers.values():
            reader.lost = 0
        return told

    def run(self) -> None:
        say({"ready": len(self._readers)})
        self._epoll.register(0, select.EPOLLIN)
        readers = self._readers
        while True:
            for descriptor, _ in self._epoll.poll():
                if descriptor in readers:
                    self._read(readers[descriptor])
                elif not (line := sys.stdin.readline()):
                    return
                else:
                    say(self.count() if line == "count\n" else self.anew())


def say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    host, port, path, count = sys.argv[1:]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    Listeners(host, int(port), path, int(count)).run()


if __name__ == "__main__":
    main()
