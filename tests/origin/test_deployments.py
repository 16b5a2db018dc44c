"""Deploy reports in, status and timeline out."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.conftest import Ask, MakeOrigin

from chimney.origin.app import Origin

A, B = "a" * 40, "b" * 40
EVENTS, STATUS = "/api/deploy/events", "/api/deploy/status"


async def report(visitor: httpx2.AsyncClient, **fields: Any) -> httpx2.Response:
    return await visitor.post(EVENTS, json={"phase": "succeeded", "revision": A, **fields})


async def test_before_any_report_there_is_nothing_and_that_is_fine(visitor: httpx2.AsyncClient) -> None:
    told = (await visitor.get(STATUS)).json()
    assert told.keys() >= {
        "active_slot", "slots", "last_deploy", "in_progress", "recent_deploys", "total_deploys", "success_rate_pct",
        "origins",
    }  # fmt: skip
    assert (told["last_deploy"], told["total_deploys"], told["recent_deploys"]) == (None, 0, [])
    assert told["slots"]["blue"].items() >= {"revision": None, "healthy": None, "since": None}.items()
    assert (await visitor.get(EVENTS)).json() == {"items": [], "next": None}


@pytest.mark.parametrize(
    "fields",
    [
        {"phase": "succeeded", "revision": A},
        {"phase": None, "outcome": "success", "revision": None, "sha": A},
        {"duration_s": 42.5, "deployed_at": "2026-01-01T00:00:00Z"},
        {"duration_seconds": 42, "at": "2026-01-01T02:00:00+02:00"},
        {"environment": "staging", "slot": "green", "pr_number": 7, "pr_title": "<b>Fix</b>", "message": "a\nb"},
        {"actor": "ada", "run_url": "https://ci.example/1", "origin_ips": ["10.0.0.1"]},
        {"unknown": {"nested": [1]}},
    ],
)
async def test_a_report_is_taken_with_201(visitor: httpx2.AsyncClient, fields: dict[str, Any]) -> None:
    answer = await report(visitor, **fields)
    assert answer.status_code == 201, answer.text
    assert answer.json()["deployment"]["revision"] == A
    assert answer.json()["id"]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"revision": None}, "$.revision"),
        ({"phase": None}, "$.phase"),
        ({"phase": "done"}, "$.phase"),
        ({"revision": "not hex"}, "$.revision"),
        ({"slot": "red"}, "$.slot"),
        ({"at": "2999-01-01T00:00:00Z"}, "$.at"),
        ({"at": "yesterday"}, "$.at"),
        ({"at": "2026-01-01T00:00:00"}, "$.at"),
        ({"pr_number": "seven"}, "$.pr_number"),
        ({"duration_seconds": -1}, "$.duration_seconds"),
        ({"run_url": "javascript:alert(1)"}, "$.run_url"),
        ({"origin_ips": "10.0.0.1"}, "$.origin_ips"),
        ({"origin_ips": [1]}, "$.origin_ips[0]"),
        ({"revision": 7}, "$.revision"),
        ({"id": ""}, None),
    ],
)
async def test_a_bad_report_is_a_400_with_the_path_of_its_fault(
    visitor: httpx2.AsyncClient, fields: dict[str, Any], path: str | None
) -> None:
    answer = await report(visitor, **fields)
    if path is None:
        assert answer.status_code == 201
        return
    assert answer.status_code == 400, answer.text
    assert [fault["path"] for fault in answer.json()["errors"]] == [path]
    assert (await visitor.get(EVENTS)).json()["items"] == []


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b'"x"', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"phase": "\\ud800", "revision": "aaaaaaa"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"a":' * 100_000, "application/json", 400),
        (b'{"phase":"succeeded","revision":"aaaaaaa"}', "text/plain", 415),
        (b"phase=succeeded", "application/x-www-form-urlencoded", 415),
        (b'{"phase":"succeeded","revision":"aaaaaaa"}', "", 415),
        (b'{"message": "' + b"x" * 1_100_000 + b'"}', "application/json", 413),
    ],
    ids=range(13),
)
async def test_what_is_no_report_at_all_is_refused_in_our_shape(
    visitor: httpx2.AsyncClient, origin: Origin, body: bytes, content_type: str, status: int
) -> None:
    headers = {"content-type": content_type} if content_type else {}
    answer = await visitor.post(EVENTS, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["instance"] == answer.headers["x-request-id"]
    assert origin.shell.recover.panics == 0


async def test_the_same_id_is_taken_once(visitor: httpx2.AsyncClient) -> None:
    first = await report(visitor, id="run-1", phase="started")
    again = await report(visitor, id="run-1", phase="failed", message="something else")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert (await visitor.get(STATUS)).json()["total_deploys"] == 1


async def test_a_start_and_an_end_are_one_deployment(visitor: httpx2.AsyncClient) -> None:
    started = (await report(visitor, phase="started", slot="green", at="2026-01-01T00:00:00Z")).json()["deployment"]
    running = (await visitor.get(STATUS)).json()
    ended = (await report(visitor, slot="green", at="2026-01-01T00:01:30Z")).json()["deployment"]
    done = (await visitor.get(STATUS)).json()
    assert running["in_progress"]["id"] == started["id"] == ended["id"]
    assert (ended["phase"], ended["duration_seconds"]) == ("succeeded", 90)
    assert (done["in_progress"], done["active_slot"], done["total_deploys"]) == (None, "green", 1)
    assert done["slots"]["green"]["revision"] == A
    assert done["last_deploy"]["age_seconds"] > 0


async def test_the_timeline_is_paged_newest_first(visitor: httpx2.AsyncClient) -> None:
    for number in range(7):
        await report(visitor, revision=f"{number:040x}", at=f"2026-01-0{number + 1}T00:00:00Z")
    seen: list[str] = []
    before: str | None = None
    for _ in range(3):
        query = {"limit": "3"} | ({"before": before} if before else {})
        page = (await visitor.get(EVENTS, params=query)).json()
        seen += [item["revision"] for item in page["items"]]
        before = page["next"]
    assert seen == [f"{number:040x}" for number in range(6, -1, -1)]
    assert before is None


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "before=nothing"])
async def test_a_page_that_cannot_be_is_a_400_that_names_the_parameter(visitor: httpx2.AsyncClient, query: str) -> None:
    answer = await visitor.get(f"{EVENTS}?{query}")
    assert answer.status_code == 400
    assert [fault["path"] for fault in answer.json()["errors"]] == [f"query.{query.partition('=')[0]}"]


async def test_reports_are_there_after_a_restart_and_still_taken_once(make_origin: MakeOrigin, asking: Ask) -> None:
    first = await make_origin()
    visitor = asking(first)
    await report(visitor, id="one", slot="blue", at="2026-01-01T00:00:00Z")
    await report(visitor, id="two", revision=B, slot="green", at="2026-01-02T00:00:00Z")
    before = (await visitor.get(STATUS)).json()
    await make_origin.end(first)
    visitor = asking(await make_origin())
    after = (await visitor.get(STATUS)).json()
    for told in (before, after):
        told["last_deploy"].pop("age_seconds")
    assert after == before
    assert (await report(visitor, id="two", revision=B)).status_code == 200
    assert (await visitor.get("/api/version")).json()["revision"] == B


async def test_both_slots_see_each_others_reports(make_origin: MakeOrigin, asking: Ask) -> None:
    blue, green = asking(await make_origin(slot="blue")), asking(await make_origin(slot="green"))
    await report(blue, slot="blue")
    await report(green, slot="green", revision=B)
    told = (await green.get(STATUS)).json()
    assert (told["slots"]["blue"]["revision"], told["slots"]["green"]["revision"]) == (A, B)


async def test_a_disk_that_refuses_is_a_503_and_nothing_is_acknowledged(
    origin: Origin, visitor: httpx2.AsyncClient, tmp_path: Path
) -> None:
    await report(visitor, id="kept")
    await origin._state.run(lambda db: db.execute("PRAGMA max_page_count=1").fetchone())
    refused = await report(visitor, id="big", message="x" * 9_000, pr_title="y" * 900, revision=B)
    assert refused.status_code == 503
    assert refused.headers["retry-after"]
    assert "not recorded" in refused.json()["detail"]
    assert (await visitor.get(STATUS)).json()["total_deploys"] == 1
    await origin._state.run(lambda db: db.execute("PRAGMA max_page_count=1000000").fetchone())
    assert (await report(visitor, id="big", revision=B)).status_code == 201


async def test_what_one_slot_took_the_other_tells_at_once(make_origin: MakeOrigin, asking: Ask) -> None:
    blue, green = asking(await make_origin(slot="blue")), asking(await make_origin(slot="green"))
    assert (await green.get(STATUS)).json()["total_deploys"] == 0
    await report(blue, id="mine", slot="blue")
    assert (await green.get(STATUS)).json()["last_deploy"]["revision"] == A
    assert [one["id"] for one in (await green.get(EVENTS)).json()["items"]] == ["mine"]
    assert (await report(green, id="mine", slot="blue")).status_code == 200


async def test_the_same_report_twice_at_once_through_both_slots_is_one(make_origin: MakeOrigin, asking: Ask) -> None:
    visitors = [asking(await make_origin(slot="blue")), asking(await make_origin(slot="green"))]
    answers = await asyncio.gather(*(report(visitors[number % 2], id="one") for number in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert (await visitors[0].get(STATUS)).json()["total_deploys"] == 1


@pytest.mark.parametrize("name", ["repo", "repository"])
async def test_a_report_about_another_repository_is_refused_and_audited(visitor: httpx2.AsyncClient, name: str) -> None:
    refused = await report(visitor, **{name: "evil/rocket"}, actor="mallory")
    assert (refused.status_code, refused.json()["type"]) == (403, "docs/errors.md#another-repository")
    assert (await visitor.get(EVENTS)).json()["items"] == []
    [noted] = (await visitor.get("/api/audit")).json()["items"]
    assert (noted["act"], noted["result"], noted["who"]) == ("deploy_report", "refused: another-repository", "mallory")
    assert (noted["detail"][name], noted["request_id"]) == ("evil/rocket", refused.headers["x-request-id"])
    assert (await report(visitor, **{name: "ACME/Rocket"})).status_code == 201


async def test_reports_may_be_bound_to_environments(make_origin: MakeOrigin, asking: Ask) -> None:
    visitor = asking(await make_origin(deploy_environments=["production"]))
    refused = await report(visitor, environment="staging")
    assert (refused.status_code, refused.json()["type"]) == (403, "docs/errors.md#another-environment")
    assert (await report(visitor)).status_code == 201
    assert [one["result"] for one in (await visitor.get("/api/audit")).json()["items"]] == [
        "refused: another-environment"
    ]


async def test_a_report_with_a_wrong_token_is_told_what_to_set(make_origin: MakeOrigin, asking: Ask) -> None:
    origin = await make_origin(deploy_token=["right"])
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic right"}):
        refused = await report(asking(origin, **headers))
        assert refused.status_code == 401
        assert "CHIMNEY_DEPLOY_TOKEN" in refused.json()["detail"]
    assert (await report(asking(origin, authorization="Bearer right"))).status_code == 201


async def test_a_deployment_that_nobody_ended_is_stuck_and_said_once(
    make_origin: MakeOrigin, asking: Ask, tmp_path: Path
) -> None:
    origin = await make_origin(deploy_stuck_seconds=60)
    visitor = asking(origin)
    before = datetime.now(UTC) - timedelta(seconds=61)
    await report(visitor, phase="started", slot="green", at=before.isoformat())
    told = (await visitor.get(STATUS)).json()
    assert (told["in_progress"]["stuck"], told["last_deploy"]["stuck"], told["stuck_after_seconds"]) == (True, True, 60)
    deployments = origin.deploying.deployments
    await deployments.tick()
    await deployments.tick()
    assert origin.events.counts["deployment_stuck"] == 1
    await report(visitor, phase="failed", slot="green")
    assert (await visitor.get(EVENTS)).json()["items"][0]["stuck"] is False


async def test_the_edge_knows_better_than_the_last_report_which_slot_is_active(
    origin: Origin, visitor: httpx2.AsyncClient
) -> None:
    await report(visitor, slot="green")
    told = (await visitor.get(STATUS)).json()
    assert (told["active_slot"], told["active_source"]) == ("green", "deployments")
    origin.deploying.deployments.configured_slot = lambda: "blue"
    told = (await visitor.get(STATUS)).json()
    assert (told["active_slot"], told["active_source"]) == ("blue", "edge")
