"""An origin that is killed in the middle of a switch: visitors stay on one slot that is well; the audit shows it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.e2e.processes import Running, free_port
from tests.fakes.between import between
from tests.fakes.caddy import Caddy
from tests.fakes.slots import TOKENS, TwoSlots

HEADERS = {"authorization": f"Bearer {TOKENS['CHIMNEY_OPERATE_TOKEN']}"}
KILLS = [("before", "PATCH", "blue"), ("after", "PATCH", "green")]


@pytest.fixture
def stack(tmp_path: Path, slots: TwoSlots) -> Iterator[tuple[Caddy, TwoSlots]]:
    caddy = Caddy(tmp_path / "caddy", upstream=slots.addresses["blue"]).start()
    yield caddy, slots
    caddy.stop()


class Assassin:
    """Kills the origin at one step of its switch, and only then."""

    def __init__(self) -> None:
        self.when, self.what = "", "nothing yet"
        self.changed = False
        self.victim: Running | None = None

    def __call__(self, when: str, line: str) -> None:
        self.changed = self.changed or line.startswith("PATCH")
        due = self.changed and when == self.when and line.startswith(self.what)
        if due and self.victim and self.victim.process.poll() is None:
            self.victim.kill()


async def test_killed_at_any_step_one_slot_serves_and_the_next_switch_works(
    stack: tuple[Caddy, TwoSlots], tmp_path: Path
) -> None:
    caddy, slots = stack
    (tmp_path / "third").mkdir()
    assassin = Assassin()
    async with between(caddy.admin_port, assassin) as admin, httpx2.AsyncClient(headers=HEADERS, timeout=20) as client:
        environ = {
            "CHIMNEY_REPO": slots.repo,
            "CHIMNEY_GITHUB_API_URL": "http://127.0.0.1:9",
            "CHIMNEY_SLOTS": ",".join(f"{slot}={address}" for slot, address in slots.addresses.items()),
            "CHIMNEY_CADDY_ADMIN": admin,
            **TOKENS,
        }
        listen = f"127.0.0.1:{free_port()}"
        third = Running("origin", "--listen", listen, folder=tmp_path / "third", environ=environ)
        assassin.victim = third
        try:
            for when, what, slot in KILLS:
                url = await here(third)
                assert (await switch(client, url, "blue")).status_code == 200
                assassin.when, assassin.what, assassin.changed = when, what, False
                with pytest.raises(httpx2.HTTPError):
                    await switch(client, url, "green")
                assert caddy.dials() == [slots.addresses[slot]]
                assert (await client.get(f"{caddy.url}/api/version")).json()["slot"] == slot
                assassin.when = ""
                third.again()
            url = await here(third)
            told: Any = (await client.get(f"{url}/api/audit")).json()["items"]
            assert [one["result"] for one in told if one["act"] == "switch"].count("begun") == 4
            assert len([one for one in told if one["result"] in ("done", "unchanged")]) == 2
            assert (await switch(client, url, "green")).status_code == 200
        finally:
            third.close()


async def here(process: Running) -> str:
    """Its address, without holding up the loop that stands between."""
    return await asyncio.to_thread(lambda: process.url)


async def switch(client: httpx2.AsyncClient, url: str, slot: str) -> httpx2.Response:
    return await client.post(f"{url}/api/edge/switch", json={"slot": slot, "reason": "a test"})
