"""CPU per cached proxy hit with everything on, against a bare ASGI answer and nginx's cache, in the same run.

CPU at most 1.4 times the bare answer of the same size on the same server. Throughput against nginx (one worker,
`proxy_cache`, JSON access log): at least 0.5 times at 2 kB, 0.8 times at 18 kB, so nginx at most 2 and 1.25 times ours.
The bare one takes the server's ordinary way, over its event loop; a hit need not (docs/decisions/0008).
With a Dragonfly (here a redis-server) the near tier answers all the same: CPU at most 1.05 times that without.
"""

import statistics
import urllib.request

from bench.dragonfly import dragonfly
from bench.load import Load, press
from bench.nginx import nginx
from bench.process import Measured, origin_with_standin, running
from bench.table import Row

SECONDS = 4
ROUNDS = 5
CPU_MOST = 1.4
SHARED_MOST = 1.05
SMALL, LARGE = "/api/github/issues?per_page=1", "/api/github/issues?per_page=7"
FASTER_MOST = {SMALL: 2.0, LARGE: 1.25}


def size_of(origin: Measured, path: str) -> int:
    with urllib.request.urlopen(origin.address + path, timeout=10) as answer:
        return len(answer.read())


def median(loads: list[Load]) -> Load:
    return Load(*(statistics.median(values) for values in zip(*loads, strict=True)))


def compare(origin: Measured, shared: Measured, path: str) -> list[Row]:
    size = size_of(origin, path)
    with running("bench.bare", str(size)) as bare, nginx(bare.address) as cached:
        press(origin, path, seconds=1)
        press(shared, path, seconds=1)
        rounds = [
            (
                press(bare, "/", seconds=SECONDS),
                press(cached, "/", seconds=SECONDS),
                press(origin, path, seconds=SECONDS),
                press(shared, path, seconds=SECONDS),
            )
            for _ in range(ROUNDS)
        ]
    plain, theirs, ours, with_far = (median([one[side] for one in rounds]) for side in range(4))
    cpu = statistics.median(one[2].cpu_us / one[0].cpu_us for one in rounds)
    slower = statistics.median(one[1].per_second / one[2].per_second for one in rounds)
    far = statistics.median(one[3].cpu_us / one[2].cpu_us for one in rounds)
    return [
        Row(f"bare ASGI, {size} B", _figures(plain)),
        Row(f"nginx proxy_cache, {size} B", _figures(theirs), slower, FASTER_MOST[path]),
        Row(f"cached hit, {size} B", _figures(ours), cpu, CPU_MOST),
        Row(f"cached hit beside Dragonfly, {size} B", _figures(with_far), far, SHARED_MOST),
    ]


def _figures(load: Load) -> str:
    figures = f"{load.cpu_us:.1f} µs CPU, {load.per_second:,.0f}/s, p50 {load.p50_ms:.2f} ms, p99 {load.p99_ms:.2f} ms"
    return figures + (f", {load.failed} failed" if load.failed else "")


def run() -> list[Row]:
    with dragonfly() as far, origin_with_standin() as (origin, _), origin_with_standin(far) as (shared, _github):
        return [row for path in (SMALL, LARGE) for row in compare(origin, shared, path)]
