"""Looking into the cache and acting on it: who may, what it says, what it changes."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.conftest import Ask, MakeOrigin, until
from tests.fakes.dragonfly import dragonfly
from tests.fakes.github import GitHub, says, validated

from chimney.origin.app import Origin
from chimney.store.memory import MemoryStore

STATS, INVALIDATE, WARM = "/api/cache/stats", "/api/cache/invalidate", "/api/cache/warm"
TOKENS = {"read_token": "reader", "deploy_token": "deployer", "operate_token": "operator"}


@pytest.fixture
async def github() -> GitHub:
    return GitHub(validated([{"n": 1}], "one"))


@pytest.fixture
async def origin(make_origin: MakeOrigin, github: GitHub) -> Origin:
    """Without a token, so it asks nothing by itself."""
    return await make_origin(transport=github, github_token=None)


async def stats(visitor: httpx2.AsyncClient, **query: Any) -> Any:
    answer = await visitor.get(STATS, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def kinds(origin: Origin) -> list[tuple[str, Any]]:
    """Events of the cache with their data, oldest first."""
    recent = [event for event in reversed(origin.events.recent(100)) if event.kind.startswith("cache")]
    return [(event.kind, event.data) for event in recent]


ROUTES = [("GET", STATS, None, "read"), ("POST", INVALIDATE, {"all": True}, "operate"), ("POST", WARM, {}, "operate")]


@pytest.mark.parametrize(("method", "path", "body", "scope"), ROUTES)
@pytest.mark.parametrize("token", [None, "wrong", "reader", "deployer", "operator"])
async def test_each_route_opens_to_its_scope_only(
    make_origin: MakeOrigin, asking: Ask, method: str, path: str, body: Any, scope: str, token: str | None
) -> None:
    origin = await make_origin(transport=GitHub(), github_token=None, **TOKENS)
    visitor = asking(origin, **({"authorization": f"Bearer {token}"} if token else {}))
    answer = await visitor.request(method, path, json=body)
    opens = {"read": ("reader", "operator"), "operate": ("operator",)}[scope]
    if token in opens:
        assert answer.is_success
    else:
        assert answer.status_code == (401 if token in (None, "wrong") else 403)


@pytest.mark.parametrize(("method", "path", "body", "scope"), ROUTES)
async def test_without_any_token_only_this_machine_itself_is_answered(
    origin: Origin, asking: Ask, method: str, path: str, body: Any, scope: str
) -> None:
    assert (await asking(origin).request(method, path, json=body)).is_success
    assert (await asking(origin, peer="192.0.2.7").request(method, path, json=body)).status_code == 401
    proxied = asking(origin, **{"x-forwarded-for": "192.0.2.7"})
    assert (await proxied.request(method, path, json=body)).status_code == 401


async def test_an_empty_cache_has_no_ages_and_no_rate(visitor: httpx2.AsyncClient) -> None:
    told = await stats(visitor)
    assert (told["entries"], told["bytes"], told["hits"], told["misses"], told["keys"]) == (0, 0, 0, 0, [])
    assert told["hit_rate_pct"] is told["age_seconds_p50"] is told["age_seconds_p95"] is told["next"] is None
    assert told["tiers"]["dragonfly"]["status"] == "not_configured"


async def test_stats_say_what_is_held_with_its_age_and_lifetime(origin: Origin, visitor: httpx2.AsyncClient) -> None:
    for _ in range(3):
        await visitor.get("/api/github/pulls?state=open")
    await visitor.get("/api/github/issues")
    held = origin.github.near.get("/repos/acme/rocket/pulls?state=open")
    assert held
    held.validated_at -= 100
    told = await stats(visitor)
    assert (told["entries"], told["hits"], told["misses"], told["hit_rate_pct"]) == (2, 2, 2, 50.0)
    assert [row["key"] for row in told["keys"]] == ["/repos/acme/rocket/issues", "/repos/acme/rocket/pulls?state=open"]
    pulls = told["keys"][1]
    assert pulls.keys() == {"key", "tier", "age_seconds", "ttl_seconds", "size_bytes", "status", "hits"}
    assert (pulls["tier"], pulls["status"], pulls["hits"], pulls["size_bytes"]) == ("memory", 200, 2, len(held.body))
    assert 100 <= pulls["age_seconds"] < 105
    assert 195 < pulls["ttl_seconds"] <= 200, "without a token everything lasts ten times longer"
    assert told["age_seconds_p50"] == told["age_seconds_p95"] == pulls["age_seconds"]
    memory = told["tiers"]["memory"]
    assert (memory["entries"], memory["bytes"]) == (2, told["bytes"])
    assert memory["capacity_bytes"] > memory["bytes"]


async def test_keys_are_paged_newest_first_each_once(origin: Origin, visitor: httpx2.AsyncClient) -> None:
    for number in range(1, 26):
        await visitor.get(f"/api/github/pulls/{number}")
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 10}
    while True:
        page = await stats(visitor, **query)
        seen += [row["key"].rpartition("/")[2] for row in page["keys"]]
        if page["next"] is None:
            break
        query["before"] = page["next"]
        await visitor.get(f"/api/github/issues/{len(seen)}")  # what comes meanwhile disturbs nothing
    assert seen == [str(number) for number in range(25, 0, -1)]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "before=x", "before=", "before=%00"])
async def test_a_page_that_there_is_not_is_400_and_named(visitor: httpx2.AsyncClient, query: str) -> None:
    answer = await visitor.get(f"{STATS}?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == f"query.{query.partition('=')[0]}"


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("pulls", ["/issues"]),
        ("/repos/acme/rocket/pulls", ["/issues"]),
        ("/api/github/pulls/7", ["/issues", "/pulls", "/pulls?state=open"]),
        ("pulls?state=open", ["/issues", "/pulls", "/pulls/7"]),
        ("pul", ["/issues", "/pulls", "/pulls/7", "/pulls?state=open"]),
        ("/repos/acme/rocket", []),
        ("/repos/acme", []),
    ],
)
async def test_a_path_is_invalidated_by_whole_segments(
    origin: Origin, visitor: httpx2.AsyncClient, path: str, left: list[str]
) -> None:
    for target in ("pulls", "pulls?state=open", "pulls/7", "issues"):
        await visitor.get(f"/api/github/{target}")
    answer = await visitor.post(INVALIDATE, json={"path": path, "reason": "tests"})
    gone = 4 - len(left)
    told = {"evicted": gone, "memory": gone, "dragonfly": 0, "path": path, "reason": "tests"}
    assert (answer.status_code, answer.json()) == (200, told)
    assert sorted(key for key, _ in origin.github.near.entries()) == [f"/repos/acme/rocket{one}" for one in left]
    await until(lambda: kinds(origin) == [("cache_invalidated", told)])
    assert "chimney_cache_invalidated_total 1.0" in (await visitor.get("/api/metrics")).text


async def test_everything_is_invalidated_and_asked_for_anew(
    visitor: httpx2.AsyncClient, github: GitHub, origin: Origin
) -> None:
    await visitor.get("/api/github/pulls")
    answer = await visitor.post(INVALIDATE, json={"all": True})
    assert answer.json() == {"evicted": 1, "memory": 1, "dragonfly": 0, "path": None, "reason": None}
    assert "uri-miss" in (await visitor.get("/api/github/pulls")).headers["cache-status"]
    assert "if-none-match" not in github.asked[-1].headers


async def test_what_github_said_before_an_invalidation_is_not_fresh_after_it(
    visitor: httpx2.AsyncClient, github: GitHub, origin: Origin
) -> None:
    github.gate.clear()
    asking = asyncio.create_task(visitor.get("/api/github/pulls"))
    await until(lambda: github.asked)
    await visitor.post(INVALIDATE, json={"path": "pulls"})
    github.gate.set()
    assert (await asking).status_code == 200
    assert (await visitor.get("/api/github/pulls")).headers["cache-status"] != "chimney; hit"
    await until(lambda: len(github.asked) == 2)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "$"),
        ({"reason": "why"}, "$"),
        ({"all": False}, "$"),
        ({"path": "pulls", "all": True}, "$"),
        ({"path": ""}, "$.path"),
        ({"path": "/"}, "$.path"),
        ({"path": "../x"}, "$.path"),
        ({"path": "pulls\r\nx: y"}, "$.path"),
        ({"path": 7}, "$.path"),
        ({"path": None}, "$"),
        ({"all": "yes"}, "$.all"),
        ({"all": True, "reason": 1}, "$.reason"),
        ({"all": True, "reasons": "x"}, "$"),
        ([], "$"),
    ],
)
async def test_a_wrong_invalidation_removes_nothing_and_is_400(
    origin: Origin, visitor: httpx2.AsyncClient, body: Any, where: str
) -> None:
    await visitor.get("/api/github/pulls")
    answer = await visitor.post(INVALIDATE, json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == where
    assert len(origin.github.near) == 1
    assert not kinds(origin)


async def test_both_tiers_are_counted(make_origin: MakeOrigin, asking: Ask, github: GitHub, tmp_path: Path) -> None:
    async with dragonfly(tmp_path) as server:
        origin = await make_origin(transport=github, github_token=None, dragonfly_url=server.url)
        visitor = asking(origin)
        await until(lambda: origin.github.replicas.far.connected)
        for target in ("pulls", "pulls/7", "issues"):
            await visitor.get(f"/api/github/{target}")
        await until(lambda: not origin.github.replicas.waiting)
        dropped = (await visitor.post(INVALIDATE, json={"path": "pulls", "reason": "r"})).json()
        assert (dropped["evicted"], dropped["memory"], dropped["dragonfly"]) == (4, 2, 2)
        tier = (await stats(visitor))["tiers"]["dragonfly"]
        assert (tier["status"], tier["hits"], tier["misses"], tier["waiting"]) == ("connected", 0, 3, 0)
        await make_origin.end(origin)


async def test_the_usual_paths_are_warmed_so_the_first_visitor_does_not_wait(
    origin: Origin, visitor: httpx2.AsyncClient, github: GitHub
) -> None:
    answer = await visitor.post(WARM, json={})
    assert answer.status_code == 202
    warming = answer.json()["warming"]
    assert len(warming) == len(set(warming)) > 8
    assert {"/repos/acme/rocket", "/repos/acme/rocket/pulls?state=open"} <= set(warming)
    await until(lambda: kinds(origin) == [("cache_warmed", {"paths": warming, "failed": 0})])
    asked = len(github.asked)
    assert (await visitor.get("/api/github/pulls?state=open")).headers["cache-status"] == "chimney; hit"
    await visitor.get("/api/pipeline/summary")
    assert len(github.asked) == asked
    assert f"chimney_cache_warmed_total {float(len(warming))}" in (await visitor.get("/api/metrics")).text


@pytest.mark.parametrize("said", ["pulls/7", "/pulls/7", "/api/github/pulls/7", "/repos/acme/rocket/pulls/7",
                                  "repos/ACME/rocket/pulls/7", "/api/v3/repos/acme/rocket/pulls/7"])  # fmt: skip
async def test_paths_of_ones_own_are_warmed_through_the_grammar(
    origin: Origin, visitor: httpx2.AsyncClient, said: str
) -> None:
    answer = await visitor.post(WARM, json={"paths": [said, "pulls?state=open&page=2", said]})
    key = "/repos/acme/rocket/pulls"
    assert answer.json() == {"warming": [f"{key}/7", f"{key}?page=2&state=open"]}
    await until(lambda: len(origin.github.near) == 2)


@pytest.mark.parametrize("path", ["hooks", "pulls?evil=1", "/repos/evil/rocket/pulls", "../x", "", "//evil.test/x",
                                  "/api/cache/stats", "pulls\r\n", "ä"])  # fmt: skip
async def test_a_path_that_may_not_be_asked_is_400_and_nothing_is_asked(
    visitor: httpx2.AsyncClient, github: GitHub, path: str
) -> None:
    answer = await visitor.post(WARM, json={"paths": ["pulls", path] if path else ["pulls", "%"]})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == "$.paths[1]"
    assert not github.asked


@pytest.mark.parametrize("body", [{"paths": "pulls"}, {"paths": [1]}, {"path": []}, {"paths": ["pulls"] * 101}, []])
async def test_a_wrong_wish_to_warm_is_400(visitor: httpx2.AsyncClient, body: Any) -> None:
    assert (await visitor.post(WARM, json=body)).status_code == 400


async def test_warming_that_fails_says_how_much(make_origin: MakeOrigin, asking: Ask) -> None:
    origin = await make_origin(transport=GitHub(says(status=500)), github_token=None)
    assert (await asking(origin).post(WARM, json={"paths": ["pulls", "issues"]})).status_code == 202
    await until(lambda: kinds(origin) and kinds(origin)[0][1]["failed"] == 2)


async def test_warming_stands_in_line_and_the_line_is_short(
    origin: Origin, visitor: httpx2.AsyncClient, github: GitHub
) -> None:
    github.gate.clear()
    answers = [await visitor.post(WARM, json={"paths": ["pulls"]}) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [202] * 10 + [503]
    assert answers[-1].headers["retry-after"]
    github.gate.set()
    await until(lambda: not origin.github.control._warming)
    assert len(github.asked) == 1


async def test_stopping_does_not_wait_for_what_is_being_warmed(make_origin: MakeOrigin, asking: Ask) -> None:
    github = GitHub()
    github.gate.clear()
    origin = await make_origin(transport=github, github_token=None)
    await asking(origin).post(WARM, json={"paths": ["pulls"]})
    await until(lambda: github.asked)
    async with asyncio.timeout(2):
        await make_origin.end(origin)


async def test_evictions_are_one_event_a_round(origin: Origin, visitor: httpx2.AsyncClient) -> None:
    small = MemoryStore(capacity_bytes=1500)
    origin.github.control._near = origin.github.cache._store = small
    for number in range(1, 11):
        await visitor.get(f"/api/github/pulls/{number}")
    await origin.github.control.tell_evictions()
    await origin.github.control.tell_evictions()
    told = {"evicted": 8, "entries": 2, "bytes": small.bytes}
    await until(lambda: kinds(origin) == [("cache_evicted", told)])
