"""What the origin says of a real Caddy."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.conftest import Ask, MakeOrigin
from tests.fakes.caddy import GLOBAL, SITE, Caddy
from tests.fakes.permission import somebody_else
from tests.fakes.waiting import eventually

from chimney.origin.caddy import Admin, CaddyError
from chimney.origin.upstreams import answering, edge_id
from chimney.wire.edge import Trouble

SLOTS = {"blue": "127.0.0.1:8081", "green": "127.0.0.1:8082"}
MakeCaddy = Callable[..., Caddy]


@pytest.fixture
def edge_of(make_origin: MakeOrigin, asking: Ask) -> Any:
    """What /api/edge answers for an origin with these settings."""

    async def edge_of(**settings: Any) -> Any:
        origin = await make_origin(github_token=None, **{"slots": SLOTS, **settings})
        answer = await asking(origin).get("/api/edge")
        assert answer.status_code == 200, answer.text
        return answer.json()

    return edge_of


@pytest.mark.parametrize("unix", [False, True])
async def test_where_caddy_points_is_told_over_tcp_and_over_a_socket(
    make_caddy: MakeCaddy, edge_of: Any, unix: bool
) -> None:
    caddy = make_caddy(unix=unix, upstream="localhost:8081").start()
    edge = await edge_of(caddy_admin=caddy.admin)
    assert (edge["reachable"], edge["trouble"], edge["pointing"], edge["active_slot"]) == (True, None, "active", "blue")
    assert edge["upstreams"] == [
        {"address": "localhost:8081", "slot": "blue", "in_flight": 0, "fails": 0, "answers": None}
    ]
    [proxy] = edge["proxies"]
    assert caddy.config(f"/config/{proxy['path']}")["handler"] == "reverse_proxy"
    assert (proxy["hosts"], proxy["server"]) == (["127.0.0.1"], "srv0")


async def test_without_caddy_the_answer_says_which_setting_there_is(edge_of: Any) -> None:
    edge = await edge_of(slots=None)
    assert (edge["reachable"], edge["trouble"]) == (False, "not_configured")
    assert "CHIMNEY_CADDY_ADMIN" in edge["detail"]
    assert edge["access_log"]["state"] == "not_configured"


async def test_a_caddy_that_is_down_is_told_from_one_that_may_not_be_asked(make_caddy: MakeCaddy, edge_of: Any) -> None:
    caddy = make_caddy()
    edge = await edge_of(caddy_admin=caddy.admin)
    assert (edge["reachable"], edge["trouble"]) == (False, "refused")
    assert "does not run" in edge["detail"]


@pytest.mark.parametrize("address", ["unix//{folder}/none.sock", "http://no.such.host.invalid:2019"])
async def test_trouble_on_the_way_to_caddy_has_a_name(make_caddy: MakeCaddy, address: str) -> None:
    admin = Admin(address.format(folder=make_caddy().folder).replace("unix///", "unix//"))
    with pytest.raises(CaddyError) as raised:
        await admin.config()
    assert raised.value.trouble is (Trouble.NO_SOCKET if address.startswith("unix") else Trouble.DNS)
    await admin.close()


async def test_a_caddy_that_hangs_is_told_in_time(edge_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chimney.origin.caddy.TIMEOUT", httpx2.Timeout(0.2))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        edge = await edge_of(caddy_admin=f"http://127.0.0.1:{listening.getsockname()[1]}")
    assert (edge["reachable"], edge["trouble"]) == (False, "timeout")


async def test_what_is_not_caddy_is_told_as_that(still: Any, origin: Any, serving: Any) -> None:
    class Started:
        """An origin that serves, in the place where Caddy's admin API should be."""

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await origin(scope, receive, send)

        async def start(self) -> None: ...

        async def drain(self) -> None: ...

        async def stop(self) -> None: ...

    async with serving(Started()) as address:
        admin = Admin(address)
        with pytest.raises(CaddyError) as raised:
            await admin.config()
        assert raised.value.trouble is Trouble.NOT_CADDY
        await admin.close()


async def test_a_socket_without_permission_is_told_with_the_way_out(readable_folder: Path) -> None:
    caddy = Caddy(readable_folder / "caddy", unix=True).start()
    admin = Admin(caddy.admin)
    try:
        caddy.socket.chmod(0o000)
        with somebody_else(), pytest.raises(CaddyError) as raised:
            await admin.config()
    finally:
        caddy.stop()
    assert raised.value.trouble is Trouble.PERMISSION
    assert "0660" in str(raised.value)
    await admin.close()


async def test_where_visitors_are_sent_to_no_slot_it_is_told_whether_anything_answers_there(
    make_caddy: MakeCaddy, edge_of: Any
) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        alive = f"127.0.0.1:{listening.getsockname()[1]}"
        caddy = make_caddy()
        caddy.write(GLOBAL + f"http://127.0.0.1:{{port}} {{{{\n\treverse_proxy {alive} 127.0.0.1:9\n}}}}\n")
        edge = await edge_of(caddy_admin=caddy.start().admin)
    assert {one["address"]: one["answers"] for one in edge["upstreams"]} == {alive: True, "127.0.0.1:9": False}


def test_an_edge_has_one_id_whoever_asks_it() -> None:
    known = {edge_id(one) for one in ("http://127.0.0.1:2019", "unix//run/caddy.sock", "http://caddy:2019")}
    assert len(known) == 3
    assert edge_id("http://caddy:2019") == edge_id("http://caddy:2019")


@pytest.mark.parametrize("address", ["", "no port", "::::", "host:port", "{http.reverse_proxy.upstream}", "[::1"])
async def test_what_is_no_address_is_left_out(address: str) -> None:
    assert await answering([address]) == {}


@pytest.mark.parametrize(
    ("site", "pointing", "said"),
    [
        ("http://127.0.0.1:{port} {{\n\trespond hello\n}}\n", "no_proxy", "no reverse_proxy"),
        ("http://127.0.0.1:{port} {{\n\treverse_proxy 127.0.0.1:7000\n}}\n", "elsewhere", "127.0.0.1:7000"),
        (
            "http://127.0.0.1:{port} {{\n\treverse_proxy /a/* 127.0.0.1:8081\n\treverse_proxy 127.0.0.1:8082\n}}\n",
            "split",
            "some reverse proxies point to blue",
        ),
        ("http://127.0.0.1:{port} {{\n\treverse_proxy 127.0.0.1:8081 127.0.0.1:8082\n}}\n", "both", "names both slots"),
        (
            "http://127.0.0.1:{port} {{\n\treverse_proxy /a/* 127.0.0.1:8081\n\treverse_proxy 127.0.0.1:8081\n}}\n",
            "active",
            "2 reverse proxies",
        ),
    ],
)
async def test_no_proxy_several_and_strange_ones_are_told_apart(
    make_caddy: MakeCaddy, edge_of: Any, site: str, pointing: str, said: str
) -> None:
    caddy = make_caddy()
    caddy.write(GLOBAL + site)
    edge = await edge_of(caddy_admin=caddy.start().admin)
    assert edge["pointing"] == pointing
    assert any(said in one for one in edge["said"]), edge["said"]


async def test_the_global_block_in_the_wrong_place_is_named(
    make_caddy: MakeCaddy, make_origin: MakeOrigin, asking: Ask
) -> None:
    """The incident: the reload was refused, Caddy went on as before, and nobody could see why."""
    caddy = make_caddy(upstream="127.0.0.1:8081").start()
    origin = await make_origin(github_token=None, slots=SLOTS, caddy_admin=caddy.admin, caddyfile=caddy.file)
    visitor = asking(origin)
    caddy.write(SITE + GLOBAL)
    assert caddy.reload().returncode == 1
    await origin.edge.watch.round()
    edge = (await visitor.get("/api/edge")).json()
    assert edge["reachable"]
    assert edge["active_slot"] == "blue"
    assert edge["reloads"]["failures"] == 1
    assert edge["reloads"]["last"]["source"] == "file"
    assert "global configuration, and if used, it must be first" in edge["reloads"]["last"]["message"]
    assert any("must be first" in one for one in edge["said"])
    assert origin.events.counts["edge_reload_failed"] == 1
    caddy.write(GLOBAL + SITE)
    await origin.edge.watch.round()
    assert (await visitor.get("/api/edge")).json()["reloads"]["last"] is None


async def test_what_a_caddyfile_imports_by_a_relative_path_is_found(
    make_caddy: MakeCaddy, make_origin: MakeOrigin, asking: Ask, tmp_path: Path
) -> None:
    caddy = make_caddy(upstream="127.0.0.1:8081").start()
    file = tmp_path / "elsewhere" / "Caddyfile"
    file.parent.mkdir()
    (file.parent / "upstream.conf").write_text("reverse_proxy 127.0.0.1:8081\n")
    file.write_text(":80 {\n\timport upstream.conf\n}\n")
    origin = await make_origin(github_token=None, slots=SLOTS, caddy_admin=caddy.admin, caddyfile=file)
    await origin.edge.watch.round()
    reloads = (await asking(origin).get("/api/edge")).json()["reloads"]
    assert (reloads["last"], reloads["watched"]) == (None, [str(file)])


async def test_a_configuration_that_was_sent_and_refused_is_found_in_caddys_own_log(
    make_caddy: MakeCaddy, make_origin: MakeOrigin, asking: Ask
) -> None:
    caddy = make_caddy(upstream="127.0.0.1:8081").start()
    origin = await make_origin(github_token=None, slots=SLOTS, caddy_admin=caddy.admin, caddy_log=caddy.own_log)
    text = (SITE + GLOBAL).format(**caddy.values).encode()
    with pytest.raises(OSError, match="400"):
        caddy.request("POST", "/load", text, {"content-type": "text/caddyfile"})
    await eventually(lambda: origin.edge.log.refusals.count == 1)
    edge = (await asking(origin).get("/api/edge")).json()
    assert edge["reloads"]["last"]["source"] == "log"
    assert "must be first" in edge["reloads"]["last"]["message"]
    caddy.request(
        "POST",
        "/load",
        caddy.file.read_bytes() + b"\n",
        {"content-type": "text/caddyfile", "cache-control": "must-revalidate"},
    )
    await eventually(lambda: origin.edge.log.refusals.last is None)


async def test_caddy_lost_back_and_changed_are_events(make_caddy: MakeCaddy, make_origin: MakeOrigin) -> None:
    caddy = make_caddy(upstream="127.0.0.1:8081").start()
    origin = await make_origin(github_token=None, slots=SLOTS, slot="blue", caddy_admin=caddy.admin)
    watch = origin.edge.watch
    await watch.round()
    caddy.stop()
    await watch.round()
    caddy.values["upstream"] = "127.0.0.1:8082"
    caddy.write(GLOBAL + SITE)
    left: list[bool] = []
    watch.on_left = lambda: left.append(True)
    caddy.start()
    await watch.round()
    counts = origin.events.counts
    assert (counts["edge_lost"], counts["edge_back"], counts["edge_changed"], left) == (1, 1, 1, [True])


async def test_a_slot_lets_go_of_its_readers_also_when_it_never_saw_caddy_point_to_it(
    make_caddy: MakeCaddy, make_origin: MakeOrigin
) -> None:
    origin = await make_origin(github_token=None, slots=SLOTS, slot="blue")
    caddy = make_caddy(upstream="127.0.0.1:8082").start()
    origin.edge.watch.admin = Admin(caddy.admin)
    reader = origin.ring.hub.subscribe("a", lambda _entry: True)
    await origin.edge.watch.round()
    assert reader.closing
    origin.ring.hub.unsubscribe(reader)


async def test_the_slots_are_asked_and_a_redirecting_health_check_is_named(make_caddy: MakeCaddy, edge_of: Any) -> None:
    """The incident: the origins answered 308 to the health check."""
    caddy = make_caddy()
    slot = make_caddy()
    slot.values["admin"] = "off"
    slot.write(GLOBAL + "http://127.0.0.1:{port} {{\n\tredir https://elsewhere.test{{uri}} 308\n}}\n")
    blue = f"127.0.0.1:{slot.start().port}"
    caddy.values["upstream"] = blue
    caddy.write(GLOBAL + SITE)
    caddy.start()
    edge = await edge_of(caddy_admin=caddy.admin, slots={"blue": blue, "green": "127.0.0.1:9"})
    checks = {one["slot"]: one for one in edge["checks"]}
    assert (checks["blue"]["ready"], checks["blue"]["status"]) == (False, 308)
    assert "redirected: 308 to https://elsewhere.test/readyz" in checks["blue"]["fault"]
    assert "/readyz: no connection to 127.0.0.1 port 9" in checks["green"]["fault"]
    assert edge["said"][0].startswith(
        "visitors are sent to blue, and it is not well: /readyz: the health check is redirected"
    )
