"""The near tier's bound: memory after ten times as much as it may hold was asked for, against after once as much."""

import http.client
import urllib.parse
from collections.abc import Iterator

from bench.process import running
from bench.table import Row
from chimney.store.memory import CAPACITY_BYTES

BODY_BYTES = 50_000
ONCE = CAPACITY_BYTES // BODY_BYTES
TIMES = 10
MOST = 1.1


def asked(address: str, numbers: Iterator[int]) -> int:
    """How many were answered."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(address).netloc, timeout=20)
    answered = 0
    for number in numbers:
        connection.request("GET", f"/api/github/commits/{number:040x}")
        answer = connection.getresponse()
        body = answer.read()
        answered += answer.status == 200 and len(body) == BODY_BYTES
    return answered


def run() -> list[Row]:
    with running("bench.bare", str(BODY_BYTES)) as github:
        settings = {
            "CHIMNEY_REPO": "acme/rocket",
            "CHIMNEY_GITHUB_TOKEN": "t",
            "CHIMNEY_GITHUB_API_URL": github.address,
        }
        with running("chimney", "origin", "--listen", "127.0.0.1:0", environ=settings) as origin:
            rest = origin.resident_mb()
            once = asked(origin.address, iter(range(1, ONCE + 1)))
            after_once = origin.resident_mb()
            more = asked(origin.address, iter(range(ONCE + 1, ONCE * TIMES + 1)))
            after_all = origin.resident_mb()
    return [
        Row("at rest", f"{rest:.0f} MB; the near tier may hold {CAPACITY_BYTES / 1e6:.0f} MB"),
        Row("asked for once as much", f"{after_once:.0f} MB, {once:,} responses of {BODY_BYTES // 1000} kB"),
        Row(f"{TIMES} times as much", f"{after_all:.0f} MB, {once + more:,} responses", after_all / after_once, MOST),
        Row("answered otherwise", "", float(ONCE * TIMES - once - more), 0),
    ]
