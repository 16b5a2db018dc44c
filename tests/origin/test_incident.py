"""The incident that this project comes from, replayed: it lasted since nobody could see. Now each cause has a name."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Ask, MakeOrigin
from tests.fakes.caddy import GLOBAL, SITE, Caddy
from tests.fakes.slots import TwoSlots
from tests.fakes.waiting import eventually

MakeCaddy = Callable[..., Caddy]
REDIRECTING = GLOBAL + "http://127.0.0.1:{port} {{\n\tredir https://elsewhere.test{{uri}} 308\n}}\n"


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[TwoSlots]:
    """Green, started without its configuration."""
    slots = TwoSlots(tmp_path / "bare", only="green", configured=False).start()
    yield slots
    slots.close()


async def test_each_cause_of_the_incident_is_named(
    make_caddy: MakeCaddy, make_origin: MakeOrigin, asking: Ask, bare: TwoSlots
) -> None:
    redirecting = make_caddy()
    redirecting.values["admin"] = "off"
    redirecting.write(REDIRECTING)
    redirecting.start()
    blue = f"127.0.0.1:{redirecting.port}"
    caddy = make_caddy(unix=True, upstream=blue).start()
    origin = await make_origin(
        github_token=None,
        slots={"blue": blue, "green": bare.addresses["green"]},
        caddy_admin=caddy.admin,
        caddyfile=caddy.file,
        caddy_access_log=caddy.access_log,
        probes=[redirecting.url, "http://origin.no-such-name.invalid"],
        probe_seconds=0.2,
        deploy_stuck_seconds=1,
    )
    visitor = asking(origin)
    report = {"phase": "started", "revision": "b" * 40, "slot": "green", "message": "half of its files"}
    assert (await visitor.post("/api/deploy/events", json=report)).status_code == 201
    caddy.write(SITE + GLOBAL)  # the global block in the wrong place
    assert caddy.reload().returncode == 1
    await origin.edge.watch.round()

    edge = (await visitor.get("/api/edge")).json()
    assert (edge["reachable"], edge["active_slot"]) == (True, "blue")
    assert "must be first" in edge["reloads"]["last"]["message"]
    checks = {one["slot"]: one["fault"] for one in edge["checks"]}
    assert "redirected: 308" in checks["blue"]
    assert "started without its configuration" in checks["green"]
    assert edge["said"][0].startswith("visitors are sent to blue, and it is not well")

    await eventually(lambda: both_probed(visitor))
    [history, nowhere] = await probed(visitor)
    assert (history["results"][0]["stage"], history["results"][0]["status"]) == ("redirect", 308)
    assert nowhere["results"][0]["stage"] == "dns"

    await eventually(lambda: is_stuck(visitor))
    status = (await visitor.get("/api/deploy/status")).json()
    assert (status["active_slot"], status["active_source"]) == ("blue", "edge")
    assert status["slots"]["blue"]["healthy"] is False
    assert "308" in status["slots"]["blue"]["problem"]

    refused = await visitor.post("/api/edge/switch", json={"slot": "green", "reason": "a way out"})
    assert (refused.status_code, refused.json()["type"]) == (409, "docs/errors.md#slot-not-ready")
    assert caddy.dials() == [blue]


async def probed(visitor: Any) -> list[Any]:
    return list((await visitor.get("/api/health/history")).json()["items"])


async def both_probed(visitor: Any) -> bool:
    return [bool(one["results"]) for one in await probed(visitor)] == [True, True]


async def is_stuck(visitor: Any) -> bool:
    in_progress = (await visitor.get("/api/deploy/status")).json()["in_progress"]
    return bool(in_progress and in_progress["stuck"])
