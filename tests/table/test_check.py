"""Why an origin is not connected, step by step."""

import json

import httpx2
import msgspec
import pytest
from pydantic import SecretStr
from tests.core.origins import health
from tests.fakes.origin import FakeOrigin
from tests.table.conftest import Make

from chimney.config import FollowedOrigin
from chimney.table.check import check

NAMES = ["dns", "connect", "tls", "health", "read_token", "stream", "operate_token"]
JSON = {"content-type": "application/json"}
Steps = dict[str, dict[str, str | float | bool | None]]


async def checked(make_table: Make, *, url: str, **more: object) -> Steps:
    followed = FollowedOrigin(name="hel-1", url=url, **more)
    operator = await (await make_table(followed)).signed_in()
    answer = await operator.post("/api/origins/hel-1/check", json={})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert [one["step"] for one in body["steps"]] == NAMES
    assert body["ok"] == (not any(one["ok"] is False for one in body["steps"]))
    return {one["step"]: one for one in body["steps"]}


def well(origin: FakeOrigin) -> None:
    origin.answers["/healthz"] = (200, JSON, msgspec.json.encode(health()))
    origin.answers["/api/edge"] = (200, JSON, b"{}")
    origin.answers["/api/cache/invalidate"] = (400, JSON, b'{"detail": "$.reason: is missing"}')


async def test_an_origin_that_is_well_passes_every_step(make_table: Make, origin: FakeOrigin) -> None:
    well(origin)
    secret = SecretStr("a-token")
    steps = await checked(make_table, url=origin.url, read_token=secret, operate_token=secret)
    assert {name: one["ok"] for name, one in steps.items()} == {**dict.fromkeys(NAMES, True), "tls": None}
    assert steps["operate_token"]["detail"] == "the operate token is taken"
    assert all(one["ms"] is not None for name, one in steps.items() if name != "tls")
    assert "a-token" not in json.dumps(steps)


async def test_a_name_without_an_address_stops_the_way(make_table: Make) -> None:
    steps = await checked(make_table, url="http://nowhere.invalid")
    assert steps["dns"]["ok"] is False
    assert "nowhere.invalid" in str(steps["dns"]["remedy"])
    assert {one["ok"] for name, one in steps.items() if name != "dns"} == {None}


async def test_nobody_at_the_port_stops_the_way(make_table: Make, origin: FakeOrigin) -> None:
    await origin.stop()
    steps = await checked(make_table, url=origin.url)
    assert (steps["dns"]["ok"], steps["connect"]["ok"], steps["health"]["ok"]) == (True, False, None)
    assert str(origin.port) in str(steps["connect"]["remedy"])


async def test_what_speaks_no_tls_is_told(origin: FakeOrigin) -> None:
    """Without a table, whose probes would meet the same: asyncio leaves the sockets of failed handshakes open."""
    followed = FollowedOrigin(name="hel-1", url=origin.url.replace("http://", "https://"))
    async with httpx2.AsyncClient() as client:
        steps = {str(one.step): one for one in (await check(followed, client)).steps}
    assert (steps["connect"].ok, steps["tls"].ok, steps["health"].ok) == (True, False, None)
    assert "certificate" in str(steps["tls"].remedy)


@pytest.mark.parametrize(
    ("answer", "remedy"),
    [
        ((308, {"location": "https://hel1/"}, b""), "follows no redirect"),
        ((502, {}, b""), "behind it is not"),
        ((404, {}, b""), "Something else"),
        ((200, {"content-type": "text/html"}, b"<html>"), "Something else"),
    ],
)
async def test_health_that_is_none_says_what_to_do(
    make_table: Make, origin: FakeOrigin, answer: tuple[int, dict[str, str], bytes], remedy: str
) -> None:
    origin.answers["/healthz"] = answer
    steps = await checked(make_table, url=origin.url)
    assert steps["health"]["ok"] is False
    assert remedy in str(steps["health"]["remedy"])
    assert steps["stream"]["ok"] is None


async def test_each_token_is_tried_and_its_setting_named(make_table: Make, origin: FakeOrigin) -> None:
    well(origin)
    origin.token = "another"
    for path in ("/api/edge", "/api/cache/invalidate"):
        origin.answers[path] = (401, JSON, b"{}")
    steps = await checked(make_table, url=origin.url, read_token=SecretStr("wrong"))
    assert [name for name, one in steps.items() if one["ok"] is False] == ["read_token", "stream", "operate_token"]
    assert "CHIMNEY_TABLE_ORIGIN_HEL_1_READ_TOKEN" in str(steps["read_token"]["remedy"])
    assert "CHIMNEY_TABLE_ORIGIN_HEL_1_OPERATE_TOKEN" in str(steps["operate_token"]["remedy"])
    assert steps["operate_token"]["detail"] == "no operate token is configured here"


async def test_an_origin_that_is_not_followed_is_404(operator: httpx2.AsyncClient) -> None:
    assert (await operator.post("/api/origins/nope/check", json={})).status_code == 404
