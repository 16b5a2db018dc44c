"""Acts of operators, through an origin and into the audit."""

import json
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr
from tests.fakes.origin import FakeOrigin
from tests.table.conftest import Make
from tests.table.running import Running

from chimney.config import FollowedOrigin
from chimney.store.audit import AuditLog

SWITCH = {"slot": "green", "reason": "the new one is warm"}


def followed(origin: FakeOrigin, name: str = "hel1") -> FollowedOrigin:
    return FollowedOrigin(name=name, url=origin.url, operate_token=SecretStr("op"), read_token=SecretStr("re"))


def says(origin: FakeOrigin, path: str, value: Any, status: int = 200) -> None:
    origin.answers[path] = (status, {"content-type": "application/json"}, json.dumps(value).encode())


@pytest.fixture
async def table(make_table: Make, origin: FakeOrigin) -> Running:
    return await make_table(followed(origin))


@pytest.fixture
async def operator(table: Running) -> httpx2.AsyncClient:
    return await table.signed_in()


async def last(client: httpx2.AsyncClient) -> dict[str, Any]:
    item: dict[str, Any] = (await client.get("/api/audit")).json()["items"][0]
    return item


async def test_an_act_is_done_by_the_origin_and_both_ends_of_it_are_audited(
    table: Running, operator: httpx2.AsyncClient, origin: FakeOrigin
) -> None:
    says(origin, "/api/edge/switch", {"active_slot": "green"})
    answer = await operator.post("/api/acts/switch", json=SWITCH)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["did"], answer.json()["observed"]) == ("switch to green", {"active_slot": "green"})
    assert origin.acts == [("/api/edge/switch", SWITCH, "Bearer op")]
    kept = await last(operator)
    told = {name: kept[name] for name in ("id", "act", "who", "origin", "did", "reason", "asked", "result", "observed")}
    assert told == {
        "id": answer.json()["id"],
        "act": "switch",
        "who": "operator",
        "origin": "hel1",
        "did": "switch to green",
        "reason": SWITCH["reason"],
        "asked": SWITCH,
        "result": "done",
        "observed": {"active_slot": "green"},
    }
    assert kept["request_id"] == answer.headers["x-request-id"]
    assert kept["finished_at"] >= kept["at"]
    assert await AuditLog(table.table.database).broken() is None


async def test_what_the_origin_refuses_is_told_in_its_words(operator: httpx2.AsyncClient, origin: FakeOrigin) -> None:
    problem = {"type": "x", "title": "Conflict", "status": 409, "detail": "green is not ready", "instance": "r1"}
    says(origin, "/api/edge/switch", problem, status=409)
    answer = await operator.post("/api/acts/switch", json=SWITCH)
    assert (answer.status_code, answer.json()["detail"]) == (409, "hel1: green is not ready")
    assert ((await last(operator))["result"], (await last(operator))["detail"]) == ("refused", "green is not ready")


async def test_a_token_that_the_origin_does_not_take_is_the_tables_fault(
    operator: httpx2.AsyncClient, origin: FakeOrigin
) -> None:
    problem = {"type": "x", "title": "Unauthorized", "status": 401, "detail": "Wrong.", "instance": "r1"}
    says(origin, "/api/edge/switch", problem, status=401)
    answer = await operator.post("/api/acts/switch", json=SWITCH)
    assert answer.status_code == 502
    assert "CHIMNEY_TABLE_ORIGIN_HEL1_OPERATE_TOKEN" in answer.json()["detail"]


async def test_an_origin_that_dies_half_way_leaves_an_act_of_unknown_outcome(
    operator: httpx2.AsyncClient, origin: FakeOrigin
) -> None:
    origin.dies = True
    answer = await operator.post("/api/acts/switch", json=SWITCH)
    assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (504, "act-outcome-unknown")
    assert (await last(operator))["result"] == "unknown"


async def test_an_origin_that_is_not_there_was_asked_nothing(operator: httpx2.AsyncClient, origin: FakeOrigin) -> None:
    await origin.stop()
    answer = await operator.post("/api/acts/switch", json=SWITCH)
    assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (502, "origin-unreachable")
    assert (await last(operator))["result"] == "failed"


async def test_what_cannot_be_audited_is_not_done(
    table: Running, operator: httpx2.AsyncClient, origin: FakeOrigin
) -> None:
    """faults.md A: disk full, state path."""
    says(origin, "/api/edge/switch", {})
    full = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
    await table.table.database.run(lambda db: db.execute(full))
    answer = await operator.post("/api/acts/switch", json=SWITCH)
    assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (503, "audit-unwritable")
    assert origin.acts == []


async def test_with_several_origins_the_act_must_say_which(make_table: Make, origin: FakeOrigin) -> None:
    operator = await (await make_table(followed(origin), followed(origin, "nbg1"))).signed_in()
    says(origin, "/api/cache/warm", {"warming": []})
    vague = await operator.post("/api/acts/warm", json={})
    wrong = await operator.post("/api/acts/warm", json={"origin": "fsn1"})
    assert [answer.status_code for answer in (vague, wrong)] == [400, 400]
    assert vague.json()["errors"] == [{"path": "$.origin", "detail": "is needed, as several are followed: hel1, nbg1"}]
    assert (await operator.post("/api/acts/warm", json={"origin": "nbg1"})).json()["origin"] == "nbg1"


async def test_without_an_origin_there_is_nothing_to_act_on(running: Running) -> None:
    answer = await (await running.signed_in()).post("/api/acts/warm", json={})
    assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (409, "no-origin")


@pytest.mark.parametrize(
    ("act", "body", "status", "path"),
    [
        ("switch", {"slot": "green"}, 400, "$.reason"),
        ("switch", {**SWITCH, "run_id": 7}, 400, "$.run_id"),
        ("switch", {**SWITCH, "more": 7}, 400, "$"),
        ("rerun", {"run_id": "x"}, 400, "$.run_id"),
    ],
)
async def test_a_request_that_makes_no_sense_is_neither_done_nor_audited(
    operator: httpx2.AsyncClient, act: str, body: dict[str, Any], status: int, path: str
) -> None:
    answer = await operator.post(f"/api/acts/{act}", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (status, path)
    assert (await operator.get("/api/audit")).json()["items"] == []


async def test_viewers_may_look_and_not_act(table: Running, origin: FakeOrigin) -> None:
    token = await table.table.operating.sessions.new_token("wall", "viewer")
    bearer = {"authorization": f"Bearer {token}"}
    assert (await table.client.post("/api/acts/switch", json=SWITCH, headers=bearer)).status_code == 403
    assert (await table.client.get("/api/audit", headers=bearer)).status_code == 200
    acts = (await table.client.get("/api/acts", headers=bearer)).json()["items"]
    assert [act["act"] for act in acts if not act["hurts"]] == [
        "invalidate",
        "warm",
        "log_level",
        "rerun",
        "rerun_failed",
    ]
    assert origin.acts == []


async def test_there_are_no_other_acts(operator: httpx2.AsyncClient) -> None:
    assert (await operator.post("/api/acts/destroy", json={})).status_code == 404


async def test_the_audit_is_paged(operator: httpx2.AsyncClient, origin: FakeOrigin) -> None:
    says(origin, "/api/cache/warm", {"warming": []})
    done = [(await operator.post("/api/acts/warm", json={})).json()["id"] for _ in range(5)]
    seen: list[int] = []
    following: str | None = ""
    while following is not None:
        page = (await operator.get(f"/api/audit?limit=2{following and f'&before={following}'}")).json()
        seen += [item["id"] for item in page["items"]]
        following = page["next"]
    assert seen == done[::-1]


async def test_each_origins_cache_is_shown_or_why_it_is_not(make_table: Make, origin: FakeOrigin) -> None:
    operator = await (await make_table(followed(origin), followed(origin, "nbg1"))).signed_in()
    answer = (await operator.get("/api/cache")).json()["items"]
    assert [(one["origin"], one["stats"], one["reason"]) for one in answer] == [
        ("hel1", None, "it answered 404"),
        ("nbg1", None, "it answered 404"),
    ]
    tiers = {
        "memory": {"entries": 1, "bytes": 9, "capacity_bytes": 10, "evicted": 0},
        "dragonfly": {
            "status": "not_configured",
            "keys": None,
            "memory_bytes": None,
            "latency_ms": None,
            **dict.fromkeys(("hits", "misses", "garbage", "waiting", "dropped"), 0),
        },
    }
    stats = {"entries": 1, "bytes": 9, "hits": 3, "misses": 1, "hit_rate_pct": 75.0, "tiers": tiers}
    says(
        origin, "/api/cache/stats", {**stats, "age_seconds_p50": 1.0, "age_seconds_p95": 2.0, "keys": [], "next": None}
    )
    answer = (await operator.get("/api/cache?origin=hel1&limit=7")).json()["items"]
    assert [(one["origin"], one["stats"]["hit_rate_pct"], one["reason"]) for one in answer] == [("hel1", 75.0, None)]
    assert origin.asked[-1] == "/api/cache/stats?limit=7"
