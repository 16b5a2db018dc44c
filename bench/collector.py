"""Visitors while the collector of traces is well, down, hangs, answers 503 or a gibibyte, against one that is well.

p99 of a cached hit at most 1.05 times as long (each run beside one with a collector that is well: what else the machine
does changes by the second), memory bounded (at most 20 MB more), at most one warning a minute.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.load import Load, press
from bench.process import ROOT, Measured, origin_with_standin
from bench.table import Row

SECONDS = 2
ROUNDS = 5
PATH = "/api/github/pulls?per_page=1"
WELL = "well"
MANNERS = ("down", "hangs", "503", "gibibyte")
SLOWER_MOST = 1.05
GROWN_MOST = 20.0


class Collector:
    """The collector of the tests, in a process of its own; told its manner by lines."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.receiver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()

    def behave(self, manner: str) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(manner + "\n")
        self._process.stdin.flush()
        self._process.stdout.readline()

    def end(self) -> None:
        self._process.kill()
        self._process.wait(10)


@contextmanager
def collecting() -> Iterator[Collector]:
    running = Collector()
    try:
        yield running
    finally:
        running.end()


def _median(loads: list[Load]) -> Load:
    return Load(*(statistics.median(values) for values in zip(*loads, strict=True)))


def _warnings(origin: Measured) -> int:
    return sum("traces cannot be sent" in line for line in origin.errors().splitlines())


def run() -> list[Row]:
    with collecting() as collector:
        said = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        with origin_with_standin(said) as (origin, _github):
            began = time.monotonic()
            press(origin, PATH, seconds=SECONDS)
            before = origin.resident_mb()
            pairs: dict[str, list[tuple[Load, Load]]] = {manner: [] for manner in MANNERS}
            for _ in range(ROUNDS):
                for manner in MANNERS:
                    well, ill = (_pressed(origin, collector, one) for one in (WELL, manner))
                    pairs[manner].append((well, ill))
            grown = origin.resident_mb() - before
            minutes = 1 + (time.monotonic() - began) // 60
            return [*_rows(pairs), _grown(before, grown), _told(_warnings(origin), minutes)]


def _pressed(origin: Measured, collector: Collector, manner: str) -> Load:
    collector.behave(manner)
    return press(origin, PATH, seconds=SECONDS)


def _rows(pairs: dict[str, list[tuple[Load, Load]]]) -> Iterator[Row]:
    yield Row(WELL, _figures([well for beside in pairs.values() for well, _ in beside]))
    for manner, beside in pairs.items():
        slower = statistics.median(ill.p99_ms / well.p99_ms for well, ill in beside)
        yield Row(manner, _figures([ill for _, ill in beside]), slower, SLOWER_MOST)


def _figures(loads: list[Load]) -> str:
    middle = _median(loads)
    figures = f"{middle.per_second:,.0f}/s, {middle.cpu_us:.1f} µs CPU, p50 {middle.p50_ms:.2f} ms"
    return f"{figures}, p99 {middle.p99_ms:.2f} ms"


def _grown(before: float, grown: float) -> Row:
    return Row("memory, MB more", f"from {before:.0f} MB", grown, GROWN_MOST)


def _told(warnings: int, minutes: float) -> Row:
    return Row("warnings", f"in {minutes:.0f} minutes at most", float(warnings), minutes)
