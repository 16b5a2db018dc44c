"""Switching a real Caddy between two real origins."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.conftest import Ask, MakeOrigin
from tests.fakes.caddy import GLOBAL, SITE, Caddy
from tests.fakes.slots import TwoSlots

from chimney.core.edge import etag, plan
from chimney.origin.caddy import Admin, ChangedError
from chimney.origin.lease import Lease
from chimney.store.errors import StorageFullError

MakeCaddy = Callable[..., Caddy]
SLOTS = {"blue": "127.0.0.1:8081", "green": "127.0.0.1:8082"}
SWITCH = "/api/edge/switch"


class Bench:
    """A third origin that watches a Caddy of its own in front of the two."""

    def __init__(self, caddy: Caddy, origin: Any, visitor: httpx2.AsyncClient, slots: TwoSlots) -> None:
        self.caddy = caddy
        self.origin = origin
        self.visitor = visitor
        self.slots = slots

    async def switch(self, slot: str, **more: Any) -> httpx2.Response:
        return await self.visitor.post(SWITCH, json={"slot": slot, "reason": "a test", **more})

    async def audit(self) -> list[Any]:
        items = (await self.visitor.get("/api/audit")).json()["items"]
        return [(one["act"], one["result"], one["who"], one["detail"].get("after")) for one in reversed(items)]

    def served_by(self) -> str:
        with httpx2.Client() as client:
            return str(client.get(f"{self.caddy.url}/api/version").json()["slot"])


@pytest.fixture
async def bench(slots: TwoSlots, make_caddy: MakeCaddy, make_origin: MakeOrigin, asking: Ask) -> Bench:
    caddy = make_caddy(unix=True, upstream=slots.addresses["blue"]).start()
    origin = await make_origin(github_token=None, repo=slots.repo, slots=slots.addresses, caddy_admin=caddy.admin)
    return Bench(caddy, origin, asking(origin), slots)


async def test_a_switch_is_checked_done_seen_and_written_down(bench: Bench) -> None:
    before = bench.caddy.config()
    assert bench.served_by() == "blue"
    answer = await bench.switch("green", actor="ada")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["result"], told["before"], told["active_slot"]) == ("done", "blue", "green")
    assert (told["edge"]["active_slot"], told["check"]["ready"]) == ("green", True)
    assert (told["drained"]["slot"], told["drained"]["complete"]) == ("blue", True)
    assert bench.served_by() == "green"
    [path] = told["changed"]
    assert bench.caddy.config(f"/config/{path}") == [{"dial": bench.slots.addresses["green"]}]
    assert await bench.audit() == [("switch", "begun", "ada", None), ("switch", "done", "ada", "green")]
    event = (await bench.visitor.get("/api/edge")).json()["last_switch"]["data"]
    assert event["request_id"] == answer.headers["x-request-id"]
    assert {name: event[name] for name in ("who", "reason", "before", "after", "result")} == {
        "who": "ada",
        "reason": "a test",
        "before": "blue",
        "after": "green",
        "result": "done",
    }
    after = bench.caddy.config()
    assert str(before).replace(bench.slots.addresses["blue"], "X") == str(after).replace(
        bench.slots.addresses["green"], "X"
    )
    status = (await bench.visitor.get("/api/deploy/status")).json()
    assert (status["active_slot"], status["active_source"]) == ("green", "edge")


async def test_a_switch_to_where_it_points_changes_nothing(bench: Bench) -> None:
    told = (await bench.switch("blue")).json()
    assert (told["result"], told["changed"], told["active_slot"]) == ("unchanged", [], "blue")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"slot": "red"}, "$.slot"),
        ({}, "$"),
        ({"slot": "green", "reason": "x" * 501}, "$.reason"),
        ({"slot": "green", "revision": "main"}, "$.revision"),
    ],
)
async def test_what_cannot_be_meant_is_refused_with_its_path(bench: Bench, body: Any, path: str) -> None:
    answer = await bench.visitor.post(SWITCH, json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"].startswith(path)
    assert await bench.audit() == []


async def test_without_caddy_the_setting_is_named(make_origin: MakeOrigin, asking: Ask) -> None:
    visitor = asking(await make_origin(github_token=None))
    answer = await visitor.post(SWITCH, json={"slot": "green"})
    assert answer.status_code == 503
    assert "CHIMNEY_CADDY_ADMIN" in answer.json()["detail"]


async def refused(bench: Bench, slot: str, status: int, slug: str, **more: Any) -> str:
    """The detail; visitors stay where they were, and the audit has it."""
    answer = await bench.switch(slot, **more)
    assert (answer.status_code, answer.json()["type"]) == (status, f"docs/errors.md#{slug}"), answer.text
    assert bench.caddy.dials() == [bench.slots.addresses["blue"]]
    assert (await bench.audit())[-1][1] == ("refused" if status == 409 else "failed")
    return str(answer.json()["detail"])


async def test_a_slot_that_is_down_gets_no_visitors(bench: Bench) -> None:
    bench.slots.addresses, kept = {**bench.slots.addresses, "green": "127.0.0.1:9"}, bench.slots.addresses
    bench.origin.edge.watch.slots["green"] = bench.origin.edge.watch.checks.addresses["green"] = "127.0.0.1:9"
    said = await refused(bench, "green", 409, "slot-not-ready")
    bench.slots.addresses = kept
    assert "no connection" in said
    assert "Visitors stay with blue" in said


async def test_a_slot_that_redirects_its_health_check_gets_no_visitors(bench: Bench, make_caddy: MakeCaddy) -> None:
    """The incident: 308 to https for everything, the health check too."""
    wrong = make_caddy()
    wrong.values["admin"] = "off"
    wrong.write(GLOBAL + "http://127.0.0.1:{port} {{\n\tredir https://elsewhere.test{{uri}} 308\n}}\n")
    wrong.start()
    bench.origin.edge.watch.checks.addresses["green"] = f"127.0.0.1:{wrong.port}"
    assert "308 to https://elsewhere.test/readyz" in await refused(bench, "green", 409, "slot-not-ready")


async def test_a_slot_that_was_started_without_its_configuration_gets_no_visitors(bench: Bench, tmp_path: Path) -> None:
    bare = TwoSlots(tmp_path / "bare", only="green", configured=False).start()
    try:
        bench.origin.edge.watch.checks.addresses["green"] = bare.addresses["green"]
        said = await refused(bench, "green", 409, "slot-not-ready")
        checks = {one["slot"]: one for one in (await bench.visitor.get("/api/edge")).json()["checks"]}
    finally:
        bare.close()
    assert "started without its configuration" in said
    assert "CHIMNEY_REPO" in checks["green"]["fault"]


async def test_a_slot_in_the_other_ones_place_gets_no_visitors(bench: Bench) -> None:
    bench.origin.edge.watch.checks.addresses["green"] = bench.slots.addresses["blue"]
    assert "it says that it is slot blue" in await refused(bench, "green", 409, "slot-not-ready")


@pytest.mark.parametrize(("revision", "status"), [("0" * 40, 409), (TwoSlots.REVISION[:10], 200)])
async def test_a_slot_that_runs_another_revision_gets_no_visitors(bench: Bench, revision: str, status: int) -> None:
    answer = await bench.switch("green", revision=revision)
    assert answer.status_code == status, answer.text
    assert status == 200 or "it runs revision" in answer.json()["detail"]


async def test_what_was_deployed_there_is_what_it_should_run(bench: Bench) -> None:
    report = {"phase": "started", "revision": "b" * 40, "slot": "green"}
    assert (await bench.visitor.post("/api/deploy/events", json=report)).status_code == 201
    assert "bbbbbbbbbbbb is wanted" in await refused(bench, "green", 409, "slot-not-ready")


async def test_two_switches_at_once_are_one(bench: Bench) -> None:
    answers = await asyncio.gather(bench.switch("green"), bench.switch("green"))
    assert sorted(one.status_code for one in answers) == [200, 409]
    [late] = [one.json() for one in answers if one.status_code == 409]
    assert late["type"].endswith("#switch-in-progress")
    assert (await bench.switch("blue")).status_code == 200


async def test_a_switch_of_the_other_slots_process_counts_too(bench: Bench, tmp_path: Path) -> None:
    other = Lease(tmp_path / "data" / "switch.lock")
    assert other.held()
    assert (await bench.switch("green")).json()["type"].endswith("#switch-in-progress")
    other.close()
    assert (await bench.switch("green")).status_code == 200


async def test_a_caddy_that_is_down_is_503_and_written_down(bench: Bench) -> None:
    bench.caddy.stop()
    answer = await bench.switch("green")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.json()["type"].endswith("#edge-unreachable")
    assert (await bench.audit())[-1][1] == "failed"


@pytest.mark.parametrize("site", ["respond hello", "reverse_proxy 127.0.0.1:7000"])
async def test_without_a_proxy_of_a_slot_there_is_nothing_to_switch(bench: Bench, site: str) -> None:
    bench.caddy.write(GLOBAL + SITE.replace("reverse_proxy {upstream}", site))
    assert bench.caddy.reload().returncode == 0
    answer = await bench.switch("green")
    assert (answer.status_code, answer.json()["type"]) == (409, "docs/errors.md#edge-not-switchable")


async def test_several_proxies_are_moved_together_and_others_left(bench: Bench) -> None:
    text = "reverse_proxy /a/* {upstream}\n\treverse_proxy /b/* 127.0.0.1:7000\n\treverse_proxy {upstream}"
    bench.caddy.write(GLOBAL + SITE.replace("reverse_proxy {upstream}", text))
    assert bench.caddy.reload().returncode == 0
    told = (await bench.switch("green")).json()
    assert len(told["changed"]) == 2
    green = bench.slots.addresses["green"]
    assert sorted(bench.caddy.dials()) == sorted([green, "127.0.0.1:7000", green])


async def test_somebody_elses_change_is_not_overwritten(bench: Bench) -> None:
    """Between our reading and our writing."""
    admin = bench.origin.edge.admin
    read = admin.config

    async def read_and_then_somebody_changes() -> Any:
        config = await read()
        admin.config = read
        bench.caddy.request("PATCH", "/config/apps/http/grace_period", b'"7s"')
        return config

    admin.config = read_and_then_somebody_changes
    assert "nothing was overwritten" in await refused(bench, "green", 409, "edge-changed")
    assert bench.caddy.config("/config/apps/http/grace_period") == "7s"


async def test_a_caddy_without_etags_is_compared_instead(bench: Bench) -> None:
    admin = Admin(bench.caddy.admin)
    config = await admin.config()
    assert config.etag is not None
    assert config.etag == etag("/config/", bench.caddy.request("GET", "/config/"))
    old = type(config)(config.value, None)
    bench.caddy.request("PATCH", "/config/apps/http/grace_period", b'"7s"')
    [change] = plan(config.value, bench.origin.edge.watch.slots, "green")
    with pytest.raises(ChangedError):
        await admin.replace(change, old)
    await admin.close()


async def test_a_switch_that_cannot_be_written_down_is_not_done(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(_record: object) -> None:
        raise StorageFullError("no room")

    monkeypatch.setattr(bench.origin.deploying.audit._kept, "add", full)
    answer = await bench.switch("green")
    assert (answer.status_code, bench.caddy.dials()) == (503, [bench.slots.addresses["blue"]])


async def test_a_change_right_after_ours_is_what_is_told(bench: Bench) -> None:
    admin = bench.origin.edge.admin
    replace = admin.replace

    async def replace_and_then_back(change: Any, config: Any) -> None:
        await replace(change, config)
        back = f'[{{"dial":"{bench.slots.addresses["blue"]}"}}]'.encode()
        bench.caddy.request("PATCH", f"/config/{change.path}", back)

    admin.replace = replace_and_then_back
    assert "points to blue now" in await refused(bench, "green", 409, "edge-changed")


async def test_a_switch_needs_the_scope_operate(make_origin: MakeOrigin, asking: Ask) -> None:
    origin = await make_origin(github_token=None, read_token="r", operate_token="o")
    for token, status in (("r", 403), ("x", 401), ("o", 503)):
        answer = await asking(origin, authorization=f"Bearer {token}").post(SWITCH, json={"slot": "green"})
        assert answer.status_code == status
