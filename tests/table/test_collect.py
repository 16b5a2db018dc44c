"""What the table asks of an origin beside its health and its log."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx2
import msgspec
import pytest
from tests.core.origins import deployment
from tests.fakes.origin import FakeOrigin
from tests.fakes.waiting import eventually
from tests.table.conftest import Make
from tests.table.running import Running

from chimney.config import FollowedOrigin
from chimney.table import collect, follow
from chimney.table.collect import Collector, Question

JSON = {"content-type": "application/json"}
METRICS = b"# TYPE jobs_total counter\njobs_total 7\n"


async def collectors(client: httpx2.AsyncClient) -> dict[str, dict[str, Any]]:
    (origin,) = (await client.get("/api/origins")).json()["items"]
    return {one["name"]: one for one in origin["collectors"]}


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EDGE_SECONDS", "VERSION_SECONDS"):
        monkeypatch.setattr(collect, name, 0.2)
    monkeypatch.setattr(follow, "NOT_WANTED_SECONDS", 0.1)


async def test_metrics_become_series(make_table: Make, origin: FakeOrigin) -> None:
    origin.answers["/api/metrics"] = (200, {"content-type": "text/plain"}, METRICS)
    client = await (await make_table(origin, scrape_seconds=1)).signed_in()

    async def series() -> Any:
        query = {"name": "jobs_total", "fn": "max", "labels": "origin=hel1"}
        return (await client.get("/api/series", params=query)).json()["series"]

    await eventually(series, within=15)
    (one,) = await series()
    assert one["labels"] == {"origin": "hel1"}
    assert (await collectors(client))["metrics"]["last_success_at"]


async def test_version_and_edge_are_shown_and_what_fails_says_why(make_table: Make, origin: FakeOrigin) -> None:
    version = {"chimney_version": "9", "repo": None, "release": None, "revision": "abc", "slot": "blue"}
    origin.answers["/api/version"] = (200, JSON, json.dumps(version).encode())
    client = await (await make_table(origin)).signed_in()

    async def shown() -> bool:
        (one,) = (await client.get("/api/origins")).json()["items"]
        return bool(one["version"] and one["version"]["revision"] == "abc")

    await eventually(shown, within=15)
    await eventually(lambda: _error(client, "edge"))
    assert "404" in str(await _error(client, "edge"))


async def _error(client: httpx2.AsyncClient, name: str) -> str | None:
    error: str | None = (await collectors(client))[name]["error"]
    return error


async def test_events_are_kept_as_records_of_their_own_source(make_table: Make, origin: FakeOrigin) -> None:
    at = datetime.now(UTC).isoformat()
    event = {"kind": "dragonfly_lost", "at": at, "message": "Dragonfly is gone", "data": {"reason": "refused"}}
    hello = {"version": "1", "boot": "boot-1", "oldest_id": 7, "newest_id": 7}
    body = f"event: hello\ndata: {json.dumps(hello)}\n\nid: 7\nevent: dragonfly_lost\ndata: {json.dumps(event)}\n\n"
    origin.answers["/api/events"] = (200, {"content-type": "text/event-stream"}, body.encode())
    client = await (await make_table(origin)).signed_in()

    async def rows() -> list[Any]:
        answer = await client.get("/api/logs", params={"source": "hel1:events"})
        items: list[Any] = answer.json()["items"]
        return items

    await eventually(rows, within=15)
    await eventually(lambda: sum(one.startswith("/api/events") for one in origin.asked) > 1)  # the same event again
    (row,) = await rows()
    assert (row["message"], row["level"], row["origin_id"]) == ("Dragonfly is gone", "warning", 7)
    assert row["fields"] == {"event": "dragonfly_lost", "reason": "refused"}


async def test_deployments_of_while_the_table_was_away_are_caught_up(make_table: Make, origin: FakeOrigin) -> None:
    old = [msgspec.structs.replace(deployment(), id=f"d{number}") for number in range(3)]
    page = {"items": msgspec.to_builtins(old), "next": None}
    origin.answers["/api/deploy/events"] = (200, JSON, json.dumps(page, default=str).encode())
    client = await (await make_table(origin)).signed_in()

    async def known() -> bool:
        items = (await client.get("/api/deployments")).json()["items"]
        return {"d0", "d1", "d2"} <= {one["id"] for one in items}

    await eventually(known, within=15)


async def test_nothing_is_asked_of_an_origin_that_does_not_answer(running: Running) -> None:
    asked = Collector(
        FollowedOrigin(name="x", url="http://127.0.0.1:9"),
        client=httpx2.AsyncClient(),
        ingest=running.table.ingest,
        scrape_seconds=15,
        reachable=lambda: False,
        deployed=lambda _origin, _deployments: False,
    )
    assert await asked.scrape() < 3
    assert [one.error for one in asked.states()] == [None] * 5
    await asked._client.aclose()


def test_a_question_waits_longer_after_each_failure_and_not_after_a_success() -> None:
    question = Question("x", 10)
    waits = [question.ill(ValueError("no")) for _ in range(6)]
    assert waits[0] < 25 < waits[2]
    assert max(waits) <= collect.LONGEST_WAIT * 1.2
    assert question.state().error == "no"
    assert question.well() < 12
    assert question.state().error is None
