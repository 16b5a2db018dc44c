"""Where a configuration points, and what a switch changes in it."""

import json
from typing import Any

import pytest

from chimney.core import edge
from chimney.core.edge import Counts
from chimney.wire.edge import Pointing, Slot

SLOTS: dict[Slot, str] = {"blue": "127.0.0.1:8081", "green": "127.0.0.1:8082"}


def proxy(*dials: str, **more: Any) -> dict[str, Any]:
    return {"handler": "reverse_proxy", "upstreams": [{"dial": dial} for dial in dials], **more}


def served(*handlers: dict[str, Any], hosts: list[str] | None = None) -> dict[str, Any]:
    """As `caddy adapt` makes it of a site: a subroute below a host matcher."""
    route: dict[str, Any] = {"handle": [{"handler": "subroute", "routes": [{"handle": list(handlers)}]}]}
    return {"match": [{"host": hosts}], **route} if hosts else route


def config(*routes: dict[str, Any]) -> dict[str, Any]:
    return {"apps": {"http": {"servers": {"srv0": {"listen": [":80"], "routes": list(routes)}}}}}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("localhost:80", "127.0.0.1:80"),
        (":80", "127.0.0.1:80"),
        ("[::1]:80", "localhost:80"),
        ("tcp/Blue:80", "blue:80"),
    ],
)
def test_an_address_has_one_spelling(one: str, other: str) -> None:
    assert edge.normal(one) == edge.normal(other)


@pytest.mark.parametrize(("one", "other"), [("127.0.0.1:80", "127.0.0.1:81"), ("a:80", "b:80"), ("unix//a", "unix//b")])
def test_different_addresses_stay_different(one: str, other: str) -> None:
    assert edge.normal(one) != edge.normal(other)


@pytest.mark.parametrize(
    ("routes", "pointing", "active"),
    [
        ([served(proxy("localhost:8081"))], Pointing.ACTIVE, "blue"),
        ([served(proxy("127.0.0.1:8082", lb_policy={}))], Pointing.ACTIVE, "green"),
        ([served(proxy("a:1"))], Pointing.ELSEWHERE, None),
        ([served(proxy())], Pointing.ELSEWHERE, None),
        ([served({"handler": "static_response"})], Pointing.NO_PROXY, None),
        ([], Pointing.NO_PROXY, None),
        ([served(proxy(":8081")), served(proxy(":8082"))], Pointing.SPLIT, None),
        ([served(proxy(":8081", ":8082"))], Pointing.BOTH, None),
        ([served(proxy(":8081")), served(proxy("a:1"))], Pointing.ACTIVE, "blue"),
    ],
)
def test_where_a_configuration_points(routes: list[Any], pointing: Pointing, active: str | None) -> None:
    reading = edge.read(config(*routes), SLOTS, {})
    assert (reading.pointing, reading.active) == (pointing, active)


@pytest.mark.parametrize("strange", [None, [], "text", 5, {"apps": None}, {"apps": {"http": {"servers": []}}}])
def test_a_strange_configuration_has_no_proxy(strange: object) -> None:
    assert edge.read(strange, SLOTS, {}).pointing is Pointing.NO_PROXY
    assert edge.plan(strange, SLOTS, "green") == []


@pytest.mark.parametrize("upstreams", [None, "x", [5], [{}], [{"dial": 7}], [{"dial": ""}], {"dial": ":8081"}])
def test_strange_upstreams_point_nowhere(upstreams: object) -> None:
    handler = {"handler": "reverse_proxy", "upstreams": upstreams}
    assert edge.read(config(served(handler)), SLOTS, {}).pointing is Pointing.ELSEWHERE


def test_a_configuration_nested_without_end_is_left() -> None:
    deep: Any = proxy(":8081")
    for _ in range(500):
        deep = {"handle": [deep]}
    assert edge.find(deep) == []


def test_a_proxy_is_told_with_its_path_its_hosts_and_caddys_figures() -> None:
    [told] = edge.read(
        config(served(proxy(":8081"), hosts=["x.example.org"])), SLOTS, {"127.0.0.1:8081": Counts(3, 1)}
    ).proxies
    assert told.path == "apps/http/servers/srv0/routes/0/handle/0/routes/0/handle/0"
    assert (told.hosts, told.server, told.slot) == (["x.example.org"], "srv0", "blue")
    assert [(one.in_flight, one.fails) for one in told.upstreams] == [(3, 1)]


def test_a_switch_changes_the_upstreams_that_point_to_the_other_slot_and_nothing_else() -> None:
    whole = config(
        served(proxy("localhost:8081", health_checks={"active": {"uri": "/readyz"}})),
        served(proxy("10.0.0.9:7000")),
        served(proxy(":8081", ":9000")),
    )
    before = json.dumps(whole)
    first, second = edge.plan(whole, SLOTS, "green")
    assert json.dumps(whole) == before
    assert first.path == "apps/http/servers/srv0/routes/0/handle/0/routes/0/handle/0/upstreams"
    assert first.after == [{"dial": "127.0.0.1:8082"}]
    assert second.after == [{"dial": "127.0.0.1:8082"}, {"dial": ":9000"}]
    assert edge.at(whole, first.path) == first.before


def test_an_upstream_keeps_its_other_settings() -> None:
    handler = {"handler": "reverse_proxy", "upstreams": [{"dial": ":8081", "max_requests": 9}]}
    [change] = edge.plan(config(served(handler)), SLOTS, "green")
    assert change.after == [{"dial": "127.0.0.1:8082", "max_requests": 9}]


def test_a_proxy_that_names_both_slots_is_left_with_the_one() -> None:
    [change] = edge.plan(config(served(proxy(":8081", ":8082"))), SLOTS, "green")
    assert change.after == [{"dial": ":8082"}]


def test_nothing_changes_when_it_points_there_already() -> None:
    assert edge.plan(config(served(proxy("localhost:8082"))), SLOTS, "green") == []


def test_a_site_of_one_slot_beside_the_others_is_not_moved() -> None:
    whole = config(
        served(proxy(":8081"), hosts=["origin.example.org"]),
        served(proxy(":8081"), hosts=["blue.origin.example.org"]),
        served(proxy(":8082"), hosts=["green.origin.example.org"]),
    )
    assert edge.read(whole, SLOTS, {}).active == "blue"
    [change] = edge.plan(whole, SLOTS, "green")
    assert "/routes/0/" in change.path


def test_a_site_that_is_only_named_like_a_slot_is_moved() -> None:
    whole = config(served(proxy(":8081"), hosts=["blue.example.org"]))
    assert len(edge.plan(whole, SLOTS, "green")) == 1


def test_an_address_of_a_part_is_quoted() -> None:
    whole = {"apps": {"http": {"servers": {"a/b c": {"routes": [served(proxy(":8081"))]}}}}}
    [change] = edge.plan(whole, SLOTS, "green")
    assert change.path.startswith("apps/http/servers/a%2Fb%20c/routes/0")
    assert edge.at(whole, change.path) == change.before


@pytest.mark.parametrize("path", ["apps/none", "apps/http/servers/srv0/routes/7", "apps/http/servers/srv0/routes/x"])
def test_nothing_stands_where_nothing_is(path: str) -> None:
    assert edge.at(config(), path) is None


@pytest.mark.parametrize(("body", "digest"), [(b"", "811c9dc5"), (b"a", "e40c292c"), (b"foobar", "bf9cf968")])
def test_the_etag_is_made_as_caddy_makes_it(body: bytes, digest: str) -> None:
    """Vectors of FNV-1a, 32 bits, from its authors."""
    assert edge.etag("/config/", body) == f'"/config/ {digest}"'
