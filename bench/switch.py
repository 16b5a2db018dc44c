"""Switching slots under load: 100,000 requests through a real Caddy, `deploy/switch green` in the middle.

Two real origins with one data folder; 40 readers of their log come back as browsers do. SWITCH_REQUESTS and SWITCH_RATE
(requests, and requests a second) make it shorter. Takes about seven minutes.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from tests.cli.processes import environ
from tests.fakes.caddy import GLOBAL, SITE, Caddy
from tests.fakes.flip import Flip, flip
from tests.fakes.slots import TOKENS, TwoSlots

from bench.table import Row

SCRIPT = Path(__file__).parent.parent / "deploy" / "switch"
REQUESTS = int(os.environ.get("SWITCH_REQUESTS", "100000"))
RATE = float(os.environ.get("SWITCH_RATE", "250"))
READERS = 40


async def press(caddy: Caddy, slots: TwoSlots) -> Flip:
    async def switch() -> None:
        command = [str(SCRIPT), "--origin", f"http://{slots.addresses['blue']}", "--reason", "bench", "green"]
        said = environ(CHIMNEY_OPERATE_TOKEN=TOKENS["CHIMNEY_OPERATE_TOKEN"])
        process = await asyncio.create_subprocess_exec(*command, env=said)
        if await process.wait():
            sys.exit("the switch failed")

    return await flip(caddy.port, TOKENS["CHIMNEY_READ_TOKEN"], switch, rate=RATE, count=REQUESTS, readers=READERS)


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        caddy = Caddy(Path(folder) / "caddy", unix=True)
        slots = TwoSlots(Path(folder), CHIMNEY_CADDY_ADMIN=caddy.admin)
        caddy.values["upstream"] = slots.addresses["blue"]
        caddy.write(GLOBAL + SITE)
        try:
            caddy.start()
            slots.start()
            seen = asyncio.run(press(caddy, slots))
        finally:
            slots.close()
            caddy.stop()
    return rows(seen)


def rows(seen: Flip) -> list[Row]:
    visitors, readers = seen.visitors, seen.readers
    for failure in visitors.failed[:10]:
        sys.stderr.write(f"failed: {failure}\n")
    waits = sorted(visitors.latencies)
    p50, p99, longest = (waits[min(len(waits) - 1, int(len(waits) * part))] * 1000 for part in (0.5, 0.99, 1))
    once = sum(1 for count in seen.reconnections if count == 1)
    marks = visitors.marks
    lost = sum(len(reader.missed()) + len(reader.repeated()) + len(reader.gaps) for reader in readers)
    by_slot = ", ".join(f"{slot} {count:,}" for slot, count in sorted(visitors.by_slot.items()))
    came_back = ", ".join(map(str, sorted(set(seen.reconnections))))
    return [
        Row("requests", f"{visitors.sent:,} in {seen.seconds:.0f} s, {visitors.sent / seen.seconds:.0f}/s: {by_slot}"),
        Row("failed", f"{len(visitors.failed)}", float(len(visitors.failed)), 0),
        Row("tried again", f"{visitors.retried} on a connection that Caddy had closed before it took the request"),
        Row("latency", f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, longest {longest:.0f} ms"),
        Row("the switch", f"{seen.switch_seconds:.1f} s from the command to its end, drain included"),
        Row("readers", f"{len(readers)}, came back {came_back} times", float(len(readers) - once), 0),
        Row("their records", f"{marks:,} each; missed, heard twice or gaps: {lost}", float(lost), 0),
    ]
