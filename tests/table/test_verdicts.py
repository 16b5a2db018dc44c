"""Verdicts over what the table stored: judged when it is time, kept, told with the deployment."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import msgspec
from tests.core.origins import deployment
from tests.fakes.waiting import eventually
from tests.table.conftest import Make
from tests.table.running import Running

from chimney.store.telemetry import Batch, Incoming
from chimney.table.measure import DURATIONS
from chimney.wire.deployment import Deployment, Phase
from chimney.wire.telemetry import SampleRow

NOW = datetime.now(UTC)
SOON = 30.0


def placed(number: int, minutes_ago: float, **more: Any) -> Deployment:
    at = NOW - timedelta(minutes=minutes_ago)
    usual = {"id": f"d{number}", "started_at": at - timedelta(seconds=30), "ended_at": at, "phase": Phase.SUCCEEDED}
    return msgspec.structs.replace(deployment(), **{**usual, **more})


def counted(minutes_ago: float, good: int, bad: int, *, slow: int = 0) -> list[SampleRow]:
    """What a scrape says: `slow` of the good ones took up to 5 s, all others 5 ms."""
    at_ms = int((NOW - timedelta(minutes=minutes_ago)).timestamp() * 1000)

    def row(status: str, fast: int, slow: int) -> SampleRow:
        buckets = [(0.005, fast), (5.0, fast + slow), (None, fast + slow)]
        labels = {"origin": "hel1", "status_class": status}
        return SampleRow(
            name=DURATIONS,
            labels=labels,
            at_ms=at_ms,
            kind="histogram",
            value=0.0,
            source="hel1",
            count=fast + slow,
            buckets=buckets,
        )

    return [row("2xx", good - slow, slow), row("5xx", bad, 0)]


async def scraped(running: Running, *scrapes: Sequence[SampleRow]) -> None:
    await running.table.ingest.offer(Batch("hel1", samples=[row for scrape in scrapes for row in scrape]))


async def verdict(client: httpx2.AsyncClient, one: str = "d2") -> dict[str, Any]:
    answer: dict[str, Any] = (await client.get(f"/api/deployments/{one}")).json()["verdict"]
    return answer


async def judged(client: httpx2.AsyncClient, looks: int = 2) -> dict[str, Any]:
    await eventually(lambda: _looked(client, looks), within=SOON)
    return await verdict(client)


async def _looked(client: httpx2.AsyncClient, looks: int) -> bool:
    found = await verdict(client)
    return bool(found) and len(found["checks"]) == looks


async def test_more_errors_than_before_are_harm_and_the_figures_say_so(
    running: Running, operator: httpx2.AsyncClient
) -> None:
    await scraped(running, counted(70, 0, 0), counted(62, 1000, 1), counted(56, 1100, 60), counted(40, 40_000, 64))
    running.table.telemetry.deployments.hear("hel1", [placed(1, 600), placed(2, 60)])
    found = await judged(operator)
    first, second = found["checks"]
    assert (first["state"], second["state"], found["state"]) == ("harmful", "harmless", "harmless")
    assert first["after_seconds"] == 300
    assert first["reasons"] == ["59 of 159 requests were answered with an error (37.11 %; 0.1 % before)"]
    assert {name: first["before"][name] for name in ("requests", "errors", "error_rate_pct", "measured_at")} == {
        "requests": 1001,
        "errors": 1,
        "error_rate_pct": 0.1,
        "measured_at": "origin",
    }
    assert (found["previous"], found["next_at"]) == ("d1", None)
    listed = (await operator.get("/api/deployments")).json()["items"]
    assert [one["verdict"] and one["verdict"]["state"] for one in listed] == ["harmless", "too_little_traffic"]


async def test_it_is_slower_than_before(running: Running, operator: httpx2.AsyncClient) -> None:
    await scraped(running, counted(70, 0, 0), counted(62, 1000, 0), counted(56, 2000, 0, slow=500))
    running.table.telemetry.deployments.hear("hel1", [placed(1, 600), placed(2, 60)])
    found = await judged(operator)
    assert found["checks"][0]["reasons"] == ["95 % of requests took up to 4500 ms; 5 ms before"]


async def test_visitors_are_counted_at_the_edge_where_more_were_seen(
    running: Running, operator: httpx2.AsyncClient
) -> None:
    def access(minutes_ago: float, status: int, **more: Any) -> bytes:
        ts = (NOW - timedelta(minutes=minutes_ago)).isoformat()
        level = "error" if status >= 500 else "info"
        return msgspec.json.encode(
            {"ts": ts, "level": level, "message": f"GET / {status}", "logger": "caddy.access", "status": status, **more}
        )

    lines = [access(58, 200 if number % 2 else 502, latency_ms=number) for number in range(1, 101)]
    lines += [access(57, 200, latency_ms=9_000, user_agent="chimney-table/1.0")] * 50
    rows = [Incoming(line, number) for number, line in enumerate(lines, start=1)]
    await running.table.ingest.offer(Batch("hel1:edge", rows))
    running.table.telemetry.deployments.hear("hel1", [placed(2, 60)])
    found = (await judged(operator))["checks"][0]
    after = {name: found["after"][name] for name in ("measured_at", "requests", "errors", "p95_ms")}
    assert after == {"measured_at": "edge", "requests": 100, "errors": 50, "p95_ms": 95}
    assert (found["state"], found["before"]) == ("harmful", None)


async def test_new_errors_and_restarts_are_of_the_deployment_they_fall_into(
    running: Running, operator: httpx2.AsyncClient
) -> None:
    def record(minutes_ago: float, message: str, **more: Any) -> dict[str, Any]:
        at = (NOW - timedelta(minutes=minutes_ago)).isoformat()
        return {"ts": at, "level": "error", "message": message, "logger": "app", **more}

    texts = [record(200, "old"), record(58, "old"), *[record(58 - number / 10, f"new {number}") for number in range(4)]]
    rows = [Incoming(msgspec.json.encode(one), number) for number, one in enumerate(texts, start=1)]
    starts = [record(59 - number / 10, "hel1 restarted", level="info") for number in range(4)]
    rows += [Incoming(msgspec.json.encode(one), None, "restart") for one in starts]
    await running.table.ingest.offer(Batch("hel1", rows))
    await eventually(lambda: len(running.table.telemetry.errors.current()) == 2)
    running.table.telemetry.deployments.hear("hel1", [placed(1, 600), placed(2, 60)])
    found = (await judged(operator))["checks"][0]
    assert {name: found["after"][name] for name in ("new_error_groups", "new_errors", "restarts")} == {
        "new_error_groups": 1,
        "new_errors": 4,
        "restarts": 3,
    }
    assert found["reasons"] == ["a new kind of error, 4 times", "it started 3 times more in 5 min"]


async def test_before_it_is_time_it_is_pending_and_a_failed_one_is_not_judged(
    running: Running, operator: httpx2.AsyncClient
) -> None:
    held = running.table.telemetry.deployments
    held.hear("hel1", [placed(2, -60), placed(3, 3000)])  # a clock that is ahead; so long no round comes to it
    held.hear("fsn1", [placed(4, 0.5, phase=Phase.FAILED)])
    pending = await verdict(operator)
    assert (pending["state"], pending["after"], pending["checks"]) == ("pending", None, [])
    due = datetime.fromisoformat(pending["next_at"])
    assert due == NOW + timedelta(minutes=65, seconds=17)  # when the scrape at the end of the window is stored
    assert [await verdict(operator, one) for one in ("d3", "d4")] == [None, None]


async def test_a_verdict_is_kept_across_a_restart_of_the_table(make_table: Make) -> None:
    first = await make_table()
    first.table.telemetry.deployments.hear("hel1", [placed(2, 60)])
    before = await judged(await first.signed_in())
    await first.stop()
    second = await make_table()
    assert await verdict(await second.signed_in()) == before


async def test_the_windows_can_be_set(make_table: Make) -> None:
    running = await make_table(verdict_seconds=[2.0, 1.0], scrape_seconds=1.0, verdict_requests=1)
    client = await running.signed_in()
    running.table.telemetry.deployments.hear("hel1", [placed(2, 0)])
    found = await judged(client)
    assert [look["after_seconds"] for look in found["checks"]] == [1.0, 2.0]
    assert found["state"] == "too_little_traffic"
