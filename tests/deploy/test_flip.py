"""Visitors and readers while `deploy/switch` sends them to the other slot. The long version is `make bench-switch`."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.processes import environ
from tests.fakes.caddy import GLOBAL, SITE, Caddy
from tests.fakes.flip import flip
from tests.fakes.slots import TOKENS, TwoSlots

SCRIPT = Path(__file__).parents[2] / "deploy" / "switch"


@pytest.fixture
def stack(slots: TwoSlots) -> Iterator[tuple[Caddy, TwoSlots]]:
    caddy = slots.caddy
    assert caddy is not None
    caddy.values["upstream"] = slots.addresses["blue"]
    caddy.write(GLOBAL + SITE)
    yield caddy.start(), slots
    caddy.stop()


async def test_nobody_notices_a_switch(stack: tuple[Caddy, TwoSlots]) -> None:
    """No request fails; each reader of a stream comes back once, and misses and hears twice nothing."""
    caddy, slots = stack

    async def switch() -> None:
        command = [str(SCRIPT), "--origin", f"http://{slots.addresses['blue']}", "--reason", "a test", "green"]
        said = environ(CHIMNEY_OPERATE_TOKEN=TOKENS["CHIMNEY_OPERATE_TOKEN"])
        process = await asyncio.create_subprocess_exec(*command, env=said, stderr=asyncio.subprocess.PIPE)
        _, told = await process.communicate()
        assert process.returncode == 0, told.decode()

    seen = await flip(caddy.port, TOKENS["CHIMNEY_READ_TOKEN"], switch, rate=200, count=1_400, readers=10)
    assert seen.visitors.failed == []
    assert seen.visitors.sent == sum(seen.visitors.by_slot.values()) == 1_400
    assert min(seen.visitors.by_slot["blue"], seen.visitors.by_slot["green"]) > 200
    assert seen.reconnections == [1] * 10
    for reader in seen.readers:
        assert (reader.missed(), reader.repeated(), reader.gaps, reader.turned_away) == ([], [], [], [])
