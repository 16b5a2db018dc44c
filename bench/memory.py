"""Resident memory at rest, twenty seconds after the start, with data in both roles."""

import time
import urllib.request

from bench.process import origin_with_standin, running
from bench.table import Row

REST_SECONDS = 20


def run() -> list[Row]:
    with running("bench.bare", "2000") as bare, origin_with_standin() as (origin, github):
        following = {"CHIMNEY_TABLE_ORIGINS": f"origin={origin.address}", "CHIMNEY_TABLE_PASSWORD": "bench"}
        with running("chimney", "table", "--listen", "127.0.0.1:0", environ=following) as table:
            urllib.request.urlopen(f"{origin.address}/api/pipeline/summary", timeout=10).close()
            time.sleep(REST_SECONDS)
            base = bare.resident_mb()
            rows = [Row("bare ASGI server", f"{base:.0f} MB")]
            for name, process, most in (("origin", origin, 80.0), ("table", table, 120.0)):
                used = process.resident_mb()
                rows.append(Row(f"{name}, MB", f"{used / base:.1f} × the bare server", used, most))
            rows.append(Row("stand-in", f"{github.resident_mb():.0f} MB, demonstration only"))
            together = origin.resident_mb() + table.resident_mb()
            return [*rows, Row("origin and table together, MB", "", together, 200.0)]
