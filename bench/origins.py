"""A thousand simulated origins followed by one table: connected, fresh, and what that costs.

Each origin is a path of one small server: health, deployments, version, metrics, a log stream that says something every
ten seconds, and events that say nothing. BENCH_ORIGINS says how many there are.
"""

import asyncio
import json
import os
import sys
import time
import urllib.request
from datetime import UTC, datetime
from typing import Any

import msgspec
from tests.core.origins import deployment, deploys, health, origin

from bench.process import Measured, running
from bench.table import Row
from chimney.core.facts import Facts, StorageFacts
from chimney.core.findings import evaluate

COUNT = int(os.environ.get("BENCH_ORIGINS", "1000"))
CONNECTED_SECONDS, WATCH_SECONDS = 120.0, 30.0
EVERY_SECONDS = 10.0
METRICS = "".join(f'# TYPE m{number}_total counter\nm{number}_total{{route="/a"}} 7\n' for number in range(20)).encode()


class Simulated:
    """All origins on one port. `python -m bench.origins` serves it."""

    def __init__(self) -> None:
        json_ = "application/json"
        version = {"chimney_version": "1", "repo": None, "release": None, "revision": None, "slot": None}
        self._answers = {
            "/healthz": (json_, msgspec.json.encode(health())),
            "/api/deploy/status": (json_, msgspec.json.encode(deploys(deployment()))),
            "/api/deploy/events": (json_, b'{"items":[],"next":null}'),
            "/api/version": (json_, json.dumps(version).encode()),
            "/api/metrics": ("text/plain", METRICS),
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                target = head.split(b" ", 2)[1].decode().partition("?")[0]
                path = "/" + target.split("/", 2)[2]
                if path in ("/api/logs/stream", "/api/events"):
                    await self._stream(writer, says=path == "/api/logs/stream")
                    return
                kind, body = self._answers.get(path, ("text/plain", b""))
                status = 200 if path in self._answers else 404
                writer.write(b"HTTP/1.1 %d X\r\ncontent-type: %s\r\n" % (status, kind.encode()))
                writer.write(b"content-length: %d\r\n\r\n" % len(body) + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _stream(self, writer: asyncio.StreamWriter, *, says: bool) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        first = int(time.time())
        hello = {"version": "1", "boot": f"b{first}", "oldest_id": None, "newest_id": None}
        writer.write(b"event: hello\ndata: " + json.dumps(hello).encode() + b"\n\n")
        for number in range(first, first + 10**6):
            await asyncio.sleep(EVERY_SECONDS)
            writer.write(self._event(number) if says else b": nothing\n\n")
            await writer.drain()

    def _event(self, number: int) -> bytes:
        at = datetime.now(UTC).isoformat()
        record = {"ts": at, "level": "info", "message": "GET /api/cart 200", "logger": "chimney.request"}
        return b"id: %d\nevent: log\ndata: %s\n\n" % (number, json.dumps(record).encode())


async def _serve() -> None:
    server = await asyncio.start_server(Simulated().serve, "127.0.0.1", 0, backlog=4096)
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(f"ready http://127.0.0.1:{port}\n")
    sys.stdout.flush()
    await server.serve_forever()


def _get(address: str, path: str, *, read: bool = True) -> tuple[float, Any]:
    token = _token
    began = time.perf_counter()
    asked = urllib.request.Request(address + path, headers={"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        body = answer.read()
    return (time.perf_counter() - began) * 1000, json.loads(body) if read else None


_token = ""


def _connected(table: Measured, count: int) -> float:
    """Seconds until the log of every origin is followed, or until that is waited for no longer."""
    began = time.perf_counter()
    while time.perf_counter() - began < CONNECTED_SECONDS:
        if _get(table.address, "/healthz")[1]["origins_connected"] == count:
            break
        time.sleep(0.2)
    return time.perf_counter() - began


def _latencies(table: Measured) -> tuple[list[float], list[float]]:
    """Of /livez, which waits for nothing but the loop, and of /healthz, while all are followed; sorted."""
    lives: list[float] = []
    healths: list[float] = []
    began = time.perf_counter()
    while time.perf_counter() - began < WATCH_SECONDS:
        lives += [_get(table.address, "/livez", read=False)[0] for _ in range(5)]
        healths.append(_get(table.address, "/healthz")[0])
        time.sleep(0.1)
    return sorted(lives), sorted(healths)


def _p99(values: list[float]) -> float:
    return values[int(len(values) * 0.99)]


def _rules_ms(count: int) -> float:
    """Every rule over every origin, none of them remembered."""
    now = datetime.now(UTC)
    facts = Facts(origins=tuple(origin(name=f"o{number}") for number in range(count)), storage=StorageFacts())
    began = time.perf_counter()
    evaluate(facts, now=now)
    return (time.perf_counter() - began) * 1000


def _round_ms(table: Measured) -> float:
    with urllib.request.urlopen(f"{table.address}/api/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return next(float(line.split()[1]) * 1000 for line in lines if line.startswith("chimney_table_rules_seconds "))


def _stop_seconds(table: Measured) -> float:
    began = time.perf_counter()
    table.end()
    return time.perf_counter() - began


def _judge(table: Measured, count: int) -> list[Row]:
    connected_after = _connected(table, count)
    used = table.cpu_seconds()
    lives, healths = _latencies(table)
    used = (table.cpu_seconds() - used) / WATCH_SECONDS
    memory = table.resident_mb()
    took, origins = _get(table.address, "/api/origins")
    items = origins["items"]
    connected = sum(one["stream"]["state"] == "connected" for one in items)
    up = sum(one["state"] == "up" for one in items)
    lags = sorted(one["stream"]["lag_seconds"] or 0.0 for one in items)
    return [
        Row("origins not connected", f"{connected:,} of {count:,} connected, {up:,} up", float(count - connected), 0),
        Row("until all are connected, s", "", connected_after, 30),
        Row("lag of a record when stored, p99, s", "", _p99(lags), 5),
        Row("processor, cores", "", used, 1.0),
        Row("memory, MB", "", memory, 400),
        Row("/livez, p99, ms: the loop's lag", f"median {lives[len(lives) // 2]:.1f}", _p99(lives), 50),
        Row("/healthz, p99, ms", f"median {healths[len(healths) // 2]:.1f}", _p99(healths), 200),
        Row("/api/origins, ms", f"{len(json.dumps(origins)) / 1e6:.1f} MB", took, 1_000),
        Row("rules, ms a round", "all of them, none remembered", _rules_ms(count), 200),
        Row("rules, ms of the last round", "as it runs, pauses included", _round_ms(table), 200),
        Row("until it has ended, s", "", _stop_seconds(table), 5),
    ]


def run(count: int = COUNT) -> list[Row]:
    global _token  # noqa: PLW0603 — one table at a time
    with running("bench.origins") as simulated:
        origins = ",".join(f"o{number}={simulated.address}/o{number}" for number in range(count))
        settings = {"CHIMNEY_TABLE_ORIGINS": origins, "CHIMNEY_TABLE_PASSWORD": "bench"}
        with running("chimney", "table", "--listen", "127.0.0.1:0", "--quiet", environ=settings) as table:
            _token = (table.folder / ".table" / "cli.token").read_text().strip()
            return _judge(table, count)


if __name__ == "__main__":
    asyncio.run(_serve())
