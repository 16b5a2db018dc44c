"""Faults of clocks, logs, disks, senders, and of chimney itself."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.drills.drill import JUMPED, Drill
from tests.drills.stack import DrillStack
from tests.e2e.processes import status_of

HOUR = 3600
QUARTER = 960  # news is shown for some minutes
FLOOD = 12_000


@contextmanager
def clock_off(stack: DrillStack) -> Iterator[None]:
    stack.far_clock.move(HOUR)
    yield
    stack.far_clock.move(-HOUR)


@contextmanager
def panicking(stack: DrillStack) -> Iterator[None]:
    stack.panic.touch()
    yield
    stack.panic.unlink()


@contextmanager
def disk_fills(stack: DrillStack) -> Iterator[None]:
    stack.disk.fill()
    yield
    stack.disk.empty()


@contextmanager
def sender_refused(stack: DrillStack) -> Iterator[None]:
    for _ in range(3):
        headers = {"authorization": "Bearer of-yesterday"}
        assert status_of(f"{stack.table.url}/v1/logs", body={"resourceLogs": []}, headers=headers) == 401
    yield


@contextmanager
def log_flood(stack: DrillStack) -> Iterator[None]:
    """More records than are held, faster than they are read."""
    with socket.create_connection((urlsplit(stack.far.url).hostname, urlsplit(stack.far.url).port), 30) as link:
        link.sendall(b"GET /livez HTTP/1.1\r\nhost: far\r\n\r\n" * FLOOD)
        heard = 0
        while heard < FLOOD and (part := link.recv(1 << 20)):
            heard += part.count(b"HTTP/1.1 ")
    yield


DRILLS = [
    Drill(name="clock off by an hour", finding="clock_skew", fault=clock_off, origin="far", beside=JUMPED),
    Drill(name="a loop panics", finding="panic", fault=panicking, origin="far", evidence="on purpose", passes=QUARTER),
    Drill(name="table's disk fills", finding="storage_full", fault=disk_fills, critical=True),
    Drill(name="OTLP sender refused", finding="telemetry_refused", fault=sender_refused, passes=QUARTER),
    Drill(name="log flood", finding="log_dropped", fault=log_flood, origin="far", passes=QUARTER),
]
