"""CPU per cached proxy hit with everything on, against a bare ASGI answer of the same size on the same server.

Target: at most 2.0 times.
"""

import statistics
import urllib.request

from bench.load import Load, press
from bench.process import Measured, origin_with_standin, running
from bench.table import Row

SECONDS = 4
ROUNDS = 3
PATHS = ("/api/github/releases?per_page=1", "/api/github/pulls?per_page=1")


def size_of(origin: Measured, path: str) -> int:
    with urllib.request.urlopen(origin.address + path, timeout=10) as answer:
        return len(answer.read())


def median(loads: list[Load]) -> Load:
    return Load(*(statistics.median(values) for values in zip(*loads, strict=True)))


def compare(origin: Measured, path: str) -> list[Row]:
    size = size_of(origin, path)
    with running("bench.bare", str(size)) as bare:
        press(origin, path, seconds=1)
        pairs = [(press(bare, "/", seconds=SECONDS), press(origin, path, seconds=SECONDS)) for _ in range(ROUNDS)]
    base, ours = (median([pair[side] for pair in pairs]) for side in (0, 1))
    ratio = statistics.median(mine.cpu_us / theirs.cpu_us for theirs, mine in pairs)
    return [_row(f"bare ASGI, {size} B", base, None), _row(f"cached hit, {size} B", ours, ratio)]


def _row(name: str, load: Load, ratio: float | None) -> Row:
    figures = f"{load.cpu_us:.1f} µs CPU, {load.per_second:,.0f}/s, p50 {load.p50_ms:.2f} ms, p99 {load.p99_ms:.2f} ms"
    return Row(name, figures + (f", {load.failed} failed" if load.failed else ""), ratio, 2.0 if ratio else None)


def run() -> list[Row]:
    with origin_with_standin() as (origin, _github):
        return [row for path in PATHS for row in compare(origin, path)]
