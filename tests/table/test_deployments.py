"""Deployments of all origins: kept, paged, and one by one with what happened after it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import msgspec
from tests.core.origins import deployment, deploys
from tests.fakes import otlp as sent
from tests.fakes.origin import FakeOrigin
from tests.fakes.waiting import eventually
from tests.table.conftest import Make
from tests.table.running import Running

from chimney.wire.deployment import Deployment, Phase

NOW = datetime.now(UTC)
JSON = {"content-type": "application/json"}


def placed(number: int, **more: Any) -> Deployment:
    usual = {"id": f"d{number}", "started_at": NOW - timedelta(hours=10 - number), "phase": Phase.SUCCEEDED}
    return msgspec.structs.replace(deployment(), **{**usual, **more})


async def listed(client: httpx2.AsyncClient, **query: Any) -> list[str]:
    return [one["id"] for one in (await client.get("/api/deployments", params=query)).json()["items"]]


async def test_what_an_origin_told_is_kept_when_it_is_gone(make_table: Make, origin: FakeOrigin) -> None:
    origin.answers["/api/deploy/status"] = (200, JSON, msgspec.json.encode(deploys(placed(2), placed(1))))
    first = await make_table(origin)
    await eventually(lambda: len(first.table.telemetry.deployments.current()) == 2)
    await first.stop()
    client = await (await make_table()).signed_in()
    assert await listed(client) == ["d2", "d1"]


async def test_the_timeline_is_paged_and_can_be_narrowed(running: Running, operator: httpx2.AsyncClient) -> None:
    held = running.table.telemetry.deployments
    held.hear("hel1", [placed(1), placed(3)])
    held.hear("fsn1", [placed(2), placed(4, environment="staging")])
    page = (await operator.get("/api/deployments", params={"limit": 3})).json()
    assert [(one["origin"], one["id"]) for one in page["items"]] == [("fsn1", "d4"), ("hel1", "d3"), ("fsn1", "d2")]
    assert await listed(operator, before=page["next"]) == ["d1"]
    assert await listed(operator, origin="hel1") == ["d3", "d1"]
    assert await listed(operator, environment="staging") == ["d4"]


async def test_one_deployment_has_what_it_replaced_and_what_failed_after_it(
    running: Running, operator: httpx2.AsyncClient
) -> None:
    held, errors = running.table.telemetry.deployments, running.table.telemetry.errors
    held.hear("hel1", [placed(1), placed(2), placed(3, started_at=NOW - timedelta(minutes=5))])
    record = {"ts": NOW.isoformat(), "level": "error", "message": "boom 7", "logger": "app"}
    await running.store(msgspec.json.encode(record), msgspec.json.encode({**record, "level": "info"}))
    await eventually(errors.current)
    one = (await operator.get("/api/deployments/d3")).json()
    assert (one["origin"], one["previous"]["id"]) == ("hel1", "d2")
    assert [row["message"] for row in one["logs"]] == ["boom 7"]
    assert [(group["template"], group["by_deployment"]) for group in one["errors"]] == [("boom <n>", {"d3": 1})]
    assert (await operator.get("/api/deployments/d9")).status_code == 404
    assert (await operator.get("/api/deployments/d3", params={"origin": "fsn1"})).status_code == 404


async def test_an_error_falls_into_the_last_deployment_before_it(running: Running) -> None:
    held = running.table.telemetry.deployments
    held.hear("hel1", [placed(1), placed(2, phase=Phase.FAILED), placed(3)])

    def at(hours: float) -> str | None:
        return held.at("hel1", (NOW - timedelta(hours=hours)).timestamp())

    assert [at(9.5), at(8.5), at(7.5), at(1)] == [None, "d1", "d1", "d3"]


async def test_the_log_of_a_deployment_is_what_its_origin_said_until_the_next(
    running: Running, operator: httpx2.AsyncClient
) -> None:
    held = running.table.telemetry.deployments
    held.hear("hel1", [placed(number, started_at=NOW - timedelta(minutes=30 - 10 * number)) for number in (0, 1, 2)])
    for minutes in (25, 15, 5):
        record = {"ts": (NOW - timedelta(minutes=minutes)).isoformat(), "level": "info", "message": f"-{minutes}"}
        await running.store(msgspec.json.encode(record), first=30 - minutes)
        await running.store(msgspec.json.encode(record), first=30 - minutes, source="fsn1")

    async def said(deployment: str, **query: Any) -> list[str]:
        answer = await operator.get("/api/logs", params={"deployment": deployment, **query})
        return [row["message"] for row in answer.json()["items"]]

    assert [await said(one) for one in ("d0", "d1", "d2")] == [["-25"], ["-15"], ["-5"]]
    assert await said("d1", **{"from": (NOW - timedelta(minutes=12)).isoformat().replace("+00:00", "Z")}) == []
    assert await said("unheard-of") == []


async def test_the_log_of_a_deployment_that_a_sender_names(running: Running, operator: httpx2.AsyncClient) -> None:
    await running.client.post("/v1/logs", json=sent.logs(sent.log("mine"), **{"deployment.id": "d7"}))
    await running.client.post("/v1/logs", json=sent.logs(sent.log("other"), **{"deployment.id": "d8"}))
    rows = (await operator.get("/api/logs", params={"deployment": "d7"})).json()["items"]
    assert [row["message"] for row in rows] == ["mine"]
