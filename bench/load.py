"""Load from wrk (Debian's package), and what it cost the server."""

import re
import subprocess
from typing import NamedTuple, Protocol

CONNECTIONS = 64
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class Load(NamedTuple):
    """One run: server CPU per request in microseconds, throughput, latencies in milliseconds."""

    cpu_us: float
    per_second: float
    p50_ms: float
    p99_ms: float
    failed: int


def _latency(report: str, percentile: str) -> float:
    match = re.search(rf"{percentile}%\s+([\d.]+)(us|ms|s)\b", report)
    return float(match[1]) * _UNITS[match[2]] if match else float("nan")


class Server(Protocol):
    """Something under load: its address and the CPU seconds that it has used."""

    address: str

    def cpu_seconds(self) -> float: ...


def press(server: Server, path: str, *, seconds: int) -> Load:
    """64 connections against one path for some seconds."""
    before = server.cpu_seconds()
    report = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", server.address + path],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    used = server.cpu_seconds() - before
    requests = int(re.findall(r"(\d+) requests in", report)[0])
    failures = re.search(r"Non-2xx or 3xx responses: (\d+)", report)
    errors = sum(int(count) for count in re.findall(r"(?:connect|read|write|timeout) (\d+)", report))
    return Load(
        cpu_us=1e6 * used / max(1, requests),
        per_second=requests / seconds,
        p50_ms=_latency(report, "50"),
        p99_ms=_latency(report, "99"),
        failed=(int(failures[1]) if failures else 0) + errors,
    )
