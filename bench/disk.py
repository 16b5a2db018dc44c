"""A disk that is slow or fails under ingest, by strace: nothing acked is lost or there twice, and it goes on by itself.

Needs strace and the right to trace a process of one's own. `BENCH_SECONDS` of each fault, 3 unless said.
"""

import asyncio
import os
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench.process import Measured, running
from bench.table import Row
from chimney.core.log_filter import LogFilter
from chimney.store.local import LocalStore

SECONDS = float(os.environ.get("BENCH_SECONDS", "3"))
AT_ONCE = 100
SENDERS = 2
AGAIN_SECONDS = 0.1
SLOW_US = 50_000
SYNCS, WRITES = "fsync,fdatasync", "pwrite64"
FAULTS = {
    f"a sync takes {SLOW_US // 1000} ms more": f"{SYNCS}:delay_enter={SLOW_US}",
    "every sync fails (EIO)": f"{SYNCS}:error=EIO",
    "every third sync fails (EIO)": f"{SYNCS}:error=EIO:when=1+3",
    "every write fails (EIO)": f"{WRITES}:error=EIO",
    "every fifth write fails (EIO)": f"{WRITES}:error=EIO:when=1+5",
    "no room for any write (ENOSPC)": f"{WRITES}:error=ENOSPC",
}


@contextmanager
def injected(pid: int, fault: str) -> Iterator[None]:
    """The kernel answers so to these calls of the process, until the block ends."""
    calls = fault.partition(":")[0]
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={fault}", "-p", str(pid)]
    )
    try:
        yield
    finally:
        tracer.terminate()
        tracer.wait(10)


class Sender:
    """Sends numbered records one batch after the other; what is refused is sent again, as a program's SDK does."""

    def __init__(self, url: str, name: str) -> None:
        self._url, self._name = url, name
        self.acked = 0
        self.refused = 0
        self.took: list[float] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def _send(self) -> None:
        while not self._ended.is_set():
            body = self._body(self.acked)
            while not self._ended.is_set() and not self._acked(body):
                self.refused += 1
                self._ended.wait(AGAIN_SECONDS)

    def _body(self, first: int) -> bytes:
        now_ns = str(time.time_ns())
        rows = [
            {"timeUnixNano": now_ns, "severityNumber": 9, "body": {"stringValue": f"{self._name}-{number}"}}
            for number in range(first, first + AT_ONCE)
        ]
        service = {"key": "service.name", "value": {"stringValue": "shop"}}
        whole = {"resource": {"attributes": [service]}, "scopeLogs": [{"logRecords": rows}]}
        return msgspec.json.encode({"resourceLogs": [whole]})

    def _acked(self, body: bytes) -> bool:
        began = time.perf_counter()
        request = urllib.request.Request(self._url, body, {"content-type": "application/json"})
        try:
            urllib.request.urlopen(request, timeout=30).close()
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
            error.close()
            return False
        self.took.append((time.perf_counter() - began) * 1000)
        self.acked += AT_ONCE
        return True

    def end(self) -> None:
        self._ended.set()
        self._thread.join()


def _until_more(senders: list[Sender]) -> float:
    """Seconds until each sender had another ack."""
    began, before = time.perf_counter(), [one.acked for one in senders]
    while any(one.acked == known for one, known in zip(senders, before, strict=True)):
        if time.perf_counter() - began > 60:
            return 60.0
        time.sleep(0.01)
    return time.perf_counter() - began


def _probed(table: Measured, seconds: float) -> float:
    """The longest that /livez took meanwhile, in milliseconds."""
    worst, ends = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < ends:
        began = time.perf_counter()
        urllib.request.urlopen(f"{table.address}/livez", timeout=30).close()
        worst = max(worst, (time.perf_counter() - began) * 1000)
        time.sleep(0.02)
    return worst


def under(table: Measured, name: str, senders: list[Sender]) -> Iterator[Row]:
    acked, refused = sum(one.acked for one in senders), sum(one.refused for one in senders)
    before = [len(one.took) for one in senders]
    with injected(table.pid, FAULTS[name]):
        worst = _probed(table, SECONDS)
    resumed = _until_more(senders)
    took = sorted(ms for one, known in zip(senders, before, strict=True) for ms in one.took[known:])
    acked, refused = sum(one.acked for one in senders) - acked, sum(one.refused for one in senders) - refused
    figures = (
        f"{acked:,} acked in {took[len(took) // 2]:.0f} ms, {refused} refused with 503, /livez at worst {worst:.0f} ms"
    )
    yield Row(f"{name}: again after, s", figures, resumed, 10)


async def survey(folder: Path) -> tuple[Counter[str], str | None]:
    """How often each message is there, and what was damaged."""
    store = LocalStore(folder, read_seconds=600)
    await store.open()
    seen: Counter[str] = Counter()
    before, more = None, True
    while more:
        found = await store.read(LogFilter(source="shop"), limit=20_000, before=before)
        seen.update(row.message for row in found.rows)
        before, more = found.rows[-1].id if found.rows else None, found.more
    damage = store.damage
    await store.close()
    return seen, damage


def run() -> list[Row]:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = {"CHIMNEY_TABLE_DATA_DIR": str(folder), "CHIMNEY_TABLE_PASSWORD": "bench"}
        with running("chimney", "table", "--listen", "127.0.0.1:0", environ=settings) as table:
            senders = [Sender(f"{table.address}/v1/logs", f"s{number}") for number in range(SENDERS)]
            try:
                _until_more(senders)
                for fault in FAULTS:
                    rows += under(table, fault, senders)
            finally:
                for one in senders:
                    one.end()
        seen, damage = asyncio.run(survey(folder))
    acked = {f"s{number}-{one}" for number, sender in enumerate(senders) for one in range(sender.acked)}
    twice = sum(count - 1 for count in seen.values())
    return [
        *rows,
        Row("acked records lost", f"of {len(acked):,}, after a restart", float(len(acked - set(seen))), 0),
        Row("records there twice", "", float(twice), 0),
        Row("damaged files", damage or "none", float(damage is not None), 0),
    ]
