"""Past findings, silences, and what becomes of findings over a restart."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from tests.core.test_finding_life import finding
from tests.fakes.origin import FakeOrigin
from tests.fakes.waiting import eventually
from tests.table.conftest import Make
from tests.table.running import Running

from chimney.store.database import Database
from chimney.store.errors import StorageFullError
from chimney.store.findings import FindingLog
from chimney.wire.finding import Alert, Change

ID = "no_data:table"
SILENCE = f"/api/findings/{quote(ID)}/silence"


def current(client: httpx2.AsyncClient, *codes: str) -> Callable[[], Awaitable[bool]]:
    async def found() -> bool:
        return [one["code"] for one in (await client.get("/api/findings")).json()["items"]] == list(codes)

    return found


async def history(client: httpx2.AsyncClient, query: str = "") -> Any:
    return (await client.get(f"/api/findings/history{query}")).json()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def die_and_return(table: Running, client: httpx2.AsyncClient, origin: FakeOrigin) -> None:
    await eventually(lambda: table.table.watching.followed[0].probe.health)
    await origin.stop()
    await eventually(current(client, "origin_unreachable"))
    await origin.start(origin.port)
    await eventually(current(client))


async def test_a_finding_that_is_over_is_in_the_history(make_table: Make, origin: FakeOrigin) -> None:
    table = await make_table(origin)
    client = await table.signed_in()
    await die_and_return(table, client, origin)
    await table.table.watching.keeper.save()
    (item,) = (await history(client))["items"]
    assert (item["id"], item["origin"]) == ("origin_unreachable:origin:hel1", "hel1")
    assert at(item["since"]) <= at(item["fired_at"]) < at(item["resolved_at"])
    lasted = (at(item["resolved_at"]) - at(item["since"])).total_seconds()
    assert item["duration_seconds"] == pytest.approx(lasted, abs=0.2)
    for query, count in (
        ("?code=origin_unreachable&origin=hel1", 1),
        ("?code=panic", 0),
        ("?origin=nbg1", 0),
        ("?from=2100-01-01T00:00:00Z", 0),
        ("?to=2000-01-01T00:00:00Z", 0),
    ):
        assert len((await history(client, query))["items"]) == count, query


async def test_the_history_is_paged(running: Running) -> None:
    client = await running.signed_in()
    log = FindingLog(running.table.database)
    for number in range(5):
        one = finding(id=f"f{number}")
        await log.write([Alert(change=change, at=one.since, finding=one) for change in Change])
    first = await history(client, "?limit=3")
    second = await history(client, f"?limit=3&before={first['next']}")
    assert [one["id"] for one in (*first["items"], *second["items"])] == ["f4", "f3", "f2", "f1", "f0"]
    assert second["next"] is None


async def test_one_that_lasts_over_a_restart_is_the_same_and_told_once(make_table: Make, origin: FakeOrigin) -> None:
    first = await make_table(origin)
    client = await first.signed_in()
    await eventually(lambda: first.table.watching.followed[0].probe.health)
    await origin.stop()
    await eventually(current(client, "origin_unreachable"))
    (before,) = (await client.get("/api/findings")).json()["items"]
    await first.stop()
    told: list[Alert] = []
    second = await make_table(origin)
    second.table.watching.watch.on_change.append(told.extend)
    again = await second.signed_in()
    await eventually(current(again, "origin_unreachable"))
    (after,) = (await again.get("/api/findings")).json()["items"]
    assert (after["id"], after["since"]) == (before["id"], before["since"])
    assert told == []
    await origin.start(origin.port)
    await eventually(current(again))
    assert [one.change for one in told] == [Change.RESOLVED]


async def test_a_silenced_finding_is_shown_as_such_and_audited(running: Running) -> None:
    client = await running.signed_in()
    told: list[Alert] = []
    await eventually(current(client, "no_data"))
    running.table.watching.watch.on_change.append(told.extend)
    answer = await client.post(SILENCE, json={"for_seconds": 3600, "reason": "not set up yet"})
    assert answer.status_code == 200, answer.text
    silenced = answer.json()["silenced"]
    assert (silenced["by"], silenced["reason"]) == ("operator", "not set up yet")
    assert (at(silenced["until"]) - at(silenced["at"])).total_seconds() == 3600
    await eventually(lambda: told)
    (shown,) = (await client.get("/api/findings")).json()["items"]
    assert shown["silenced"] == silenced
    assert [(one.change, one.finding.silenced is not None) for one in told] == [(Change.UPDATED, True)]
    kept = (await client.get("/api/audit")).json()["items"][0]
    assert (kept["act"], kept["result"], kept["did"]) == ("silence", "done", f"silence {ID} for 3600 s")
    assert (await client.post(SILENCE, json={"for_seconds": 0})).json()["silenced"] is None
    await eventually(lambda: len(told) == 2)
    assert told[1].finding.silenced is None


async def test_a_silence_lasts_over_a_restart(make_table: Make) -> None:
    first = await make_table()
    client = await first.signed_in()
    await eventually(current(client, "no_data"))
    await client.post(SILENCE, json={"for_seconds": 3600})
    await first.stop()
    second = await make_table()
    again = await second.signed_in()
    await eventually(current(again, "no_data"))
    assert (await again.get("/api/findings")).json()["items"][0]["silenced"]["by"] == "operator"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "for_seconds"),
        ({"for_seconds": -1}, "$.for_seconds"),
        ({"for_seconds": 1e12}, "$.for_seconds"),
        ({"for_seconds": "long"}, "$.for_seconds"),
        ({"for_seconds": 1, "reason": "x" * 501}, "$.reason"),
        ({"for_seconds": 1, "resaon": "x"}, "resaon"),
    ],
)
async def test_a_silence_that_makes_no_sense_is_refused_by_its_fault(
    running: Running, body: dict[str, Any], path: str
) -> None:
    client = await running.signed_in()
    await eventually(current(client, "no_data"))
    answer = await client.post(SILENCE, json=body)
    assert answer.status_code == 400
    assert path in answer.text


async def test_only_operators_silence_and_only_what_is_current(running: Running) -> None:
    client = await running.signed_in()
    assert (await client.post("/api/findings/x:y/silence", json={"for_seconds": 1})).status_code == 404
    token = await running.table.operating.sessions.new_token("ci", "viewer")
    bearer = {"authorization": f"Bearer {token}"}
    assert (await running.client.post(SILENCE, json={"for_seconds": 1}, headers=bearer)).status_code == 403


async def test_what_cannot_be_kept_waits_and_nothing_grows_for_ever(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = running.table.watching.keeper
    monkeypatch.setattr("chimney.table.finding_log.WAITING", 3)

    async def full(_self: Database, _act: Any) -> None:
        raise StorageFullError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(Database, "run", full)
        one = finding()
        keeper.hear([Alert(change=Change.FIRING, at=one.since, finding=finding(id=f"f{n}")) for n in range(5)])
        await keeper.save()
        assert (len(keeper._waiting), keeper.dropped) == (3, 2)
    await keeper.save()
    assert {"f2", "f3", "f4"} <= {one.id for one in await FindingLog(running.table.database).current()}
