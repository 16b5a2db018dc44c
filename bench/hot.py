"""CPU per cached proxy hit with everything on, against a bare ASGI answer and nginx's cache, in the same run.

CPU at most 2.0 times the bare answer of the same size on the same server. Throughput against nginx (one worker,
`proxy_cache`, JSON access log): at least 0.5 times at 2 kB, 0.8 times at 15 kB, so nginx at most 2 and 1.25 times ours.
"""

import statistics
import urllib.request

from bench.load import Load, press
from bench.nginx import nginx
from bench.process import Measured, origin_with_standin, running
from bench.table import Row

SECONDS = 4
ROUNDS = 3
CPU_MOST = 2.0
PATHS = ("/api/github/releases?per_page=1", "/api/github/pulls?per_page=1")


def size_of(origin: Measured, path: str) -> int:
    with urllib.request.urlopen(origin.address + path, timeout=10) as answer:
        return len(answer.read())


def median(loads: list[Load]) -> Load:
    return Load(*(statistics.median(values) for values in zip(*loads, strict=True)))


def compare(origin: Measured, path: str) -> list[Row]:
    size = size_of(origin, path)
    with running("bench.bare", str(size)) as bare, nginx(bare.address) as cached:
        press(origin, path, seconds=1)
        rounds = [
            (
                press(bare, "/", seconds=SECONDS),
                press(cached, "/", seconds=SECONDS),
                press(origin, path, seconds=SECONDS),
            )
            for _ in range(ROUNDS)
        ]
    plain, theirs, ours = (median([one[side] for one in rounds]) for side in range(3))
    cpu = statistics.median(one[2].cpu_us / one[0].cpu_us for one in rounds)
    slower = statistics.median(one[1].per_second / one[2].per_second for one in rounds)
    return [
        Row(f"bare ASGI, {size} B", _figures(plain)),
        Row(f"nginx proxy_cache, {size} B", _figures(theirs), slower, 2.0 if size < 8_000 else 1.25),
        Row(f"cached hit, {size} B", _figures(ours), cpu, CPU_MOST),
    ]


def _figures(load: Load) -> str:
    figures = f"{load.cpu_us:.1f} µs CPU, {load.per_second:,.0f}/s, p50 {load.p50_ms:.2f} ms, p99 {load.p99_ms:.2f} ms"
    return figures + (f", {load.failed} failed" if load.failed else "")


def run() -> list[Row]:
    with origin_with_standin() as (origin, _github):
        return [row for path in PATHS for row in compare(origin, path)]
