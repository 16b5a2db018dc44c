"""A thousand simulated origins followed by one table: connected, fresh, and what that costs.

Each origin is a path of one small server: health, deployments, version, metrics, a log stream that says something every
ten seconds, and events that say nothing.
"""

import asyncio
import json
import sys
import time
import urllib.request
from datetime import UTC, datetime
from typing import Any

import msgspec
from tests.core.origins import deployment, deploys, health

from bench.process import Measured, running
from bench.table import Row

COUNT = 1_000
SETTLE_SECONDS, WATCH_SECONDS = 60.0, 30.0
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


def _get(address: str, path: str) -> tuple[float, Any]:
    token = _token
    began = time.perf_counter()
    asked = urllib.request.Request(address + path, headers={"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        body = answer.read()
    return (time.perf_counter() - began) * 1000, json.loads(body)


_token = ""


def _judge(table: Measured, count: int) -> list[Row]:
    used = table.cpu_seconds()
    latencies = []
    began = time.perf_counter()
    while time.perf_counter() - began < WATCH_SECONDS:
        latencies.append(_get(table.address, "/healthz")[0])
        time.sleep(0.25)
    used = (table.cpu_seconds() - used) / WATCH_SECONDS
    took, origins = _get(table.address, "/api/origins")
    items = origins["items"]
    connected = sum(one["stream"]["state"] == "connected" for one in items)
    up = sum(one["state"] == "up" for one in items)
    lags = sorted(one["stream"]["lag_seconds"] or 0.0 for one in items)
    latencies.sort()
    return [
        Row("origins not connected", f"{connected:,} of {count:,} connected, {up:,} up", float(count - connected), 0),
        Row("lag of a record when stored, p99, s", "", lags[int(len(lags) * 0.99)], 5),
        Row("processor, cores", "", used, 1.0),
        Row("memory, MB", "", table.resident_mb(), 400),
        Row(
            "/healthz, p99, ms",
            f"median {latencies[len(latencies) // 2]:.0f}",
            latencies[int(len(latencies) * 0.99)],
            500,
        ),
        Row("/api/origins, ms", f"{len(json.dumps(origins)) / 1e6:.1f} MB", took),
    ]


def run(count: int = COUNT) -> list[Row]:
    global _token  # noqa: PLW0603 — one table at a time
    with running("bench.origins") as simulated:
        origins = ",".join(f"o{number}={simulated.address}/o{number}" for number in range(count))
        settings = {"CHIMNEY_TABLE_ORIGINS": origins, "CHIMNEY_TABLE_PASSWORD": "bench"}
        with running("chimney", "table", "--listen", "127.0.0.1:0", "--quiet", environ=settings) as table:
            _token = (table.folder / ".table" / "cli.token").read_text().strip()
            time.sleep(SETTLE_SECONDS)
            return _judge(table, count)


if __name__ == "__main__":
    asyncio.run(_serve())
