"""Errors of a running table, grouped as they are stored."""

from typing import Any

import httpx2
from tests.fakes import otlp as sent
from tests.fakes.waiting import eventually
from tests.table.conftest import Make
from tests.table.running import Running

STACK = 'Traceback (most recent call last):\n  File "/srv/pay.py", line 9, in pay\nValueError: no 7'


async def send(running: Running, signal: str, request: Any) -> None:
    answer = await running.client.post(f"/v1/{signal}", json=request)
    assert answer.status_code == 200


def failed(message: str, **more: Any) -> Any:
    fields = {"exception.type": "ValueError", "exception.message": message, "exception.stacktrace": STACK}
    return sent.log(message, severityNumber=17, fields=fields, **more)


async def groups(client: httpx2.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.get("/api/errors", params=query)).json()["items"]
    return items


async def test_errors_that_are_stored_are_grouped(running: Running, operator: httpx2.AsyncClient) -> None:
    await send(running, "logs", sent.logs(failed("no 7"), failed("no 8", traceId=sent.TRACE), sent.log("fine")))
    await eventually(running.table.telemetry.errors.current)
    (group,) = await groups(operator, source="shop")
    assert (group["type"], group["template"], group["count"], group["frames"]) == (
        "ValueError",
        "no <n>",
        2,
        ["pay (pay.py)"],
    )
    assert (group["example"]["message"], group["example"]["trace_id"]) == ("no 8", sent.TRACE)
    row = (await operator.get("/api/logs", params={"trace_id": sent.TRACE})).json()["items"][0]
    assert group["example"]["log_id"] == row["id"]
    assert (await operator.get(f"/api/errors/{group['id']}")).json() == group
    assert (await operator.get("/api/errors/unheard-of")).status_code == 404


async def test_exceptions_of_spans_are_grouped_too(running: Running, operator: httpx2.AsyncClient) -> None:
    said = sent.attributes({"exception.type": "KeyError", "exception.message": "k"})
    event = {"name": "exception", "timeUnixNano": "0", "attributes": said}
    await send(running, "traces", sent.traces(sent.span(status={"code": 2}, events=[event])))
    await eventually(running.table.telemetry.errors.current)
    (group,) = await groups(operator)
    assert (group["type"], group["source"], group["example"]["trace_id"]) == ("KeyError", "shop", sent.TRACE)


async def test_groups_are_paged_and_can_be_narrowed(running: Running, operator: httpx2.AsyncClient) -> None:
    for number, service in enumerate(("a", "b", "c")):
        record = sent.log(f"from {service}", severityNumber=17, at_ns=(1_800_000_000 + number) * 10**9 - 10**17)
        await send(running, "logs", sent.logs(record, service=service))
    await eventually(lambda: len(running.table.telemetry.errors.current()) == 3)
    page = (await operator.get("/api/errors", params={"limit": 2})).json()
    assert [one["source"] for one in page["items"]] == ["c", "b"]
    rest = (await operator.get("/api/errors", params={"before": page["next"]})).json()
    assert ([one["source"] for one in rest["items"]], rest["next"]) == (["a"], None)
    assert [one["source"] for one in await groups(operator, source="b")] == ["b"]
    assert await groups(operator, deployment="d1") == []
    assert await groups(operator, **{"from": "2040-01-01T00:00:00Z"}) == []


async def test_an_error_belongs_to_the_deployment_that_it_names(running: Running, operator: httpx2.AsyncClient) -> None:
    await send(running, "logs", sent.logs(failed("no 1"), **{"deployment.id": "d7"}))
    await eventually(running.table.telemetry.errors.current)
    (group,) = await groups(operator, deployment="d7")
    assert (group["by_deployment"], group["first_deployment"]) == ({"d7": 1}, "d7")


async def test_groups_survive_a_restart_and_what_was_not_counted_is(make_table: Make) -> None:
    first = await make_table()
    await send(first, "logs", sent.logs(failed("no 1")))
    await eventually(first.table.telemetry.errors.current)
    await first.table.telemetry.errors.save()
    first.table.ingest.heard = lambda _stored: None  # killed before it could count
    await send(first, "logs", sent.logs(failed("no 2")))
    await first.stop()
    second = await make_table()
    await eventually(lambda: [one.count for one in second.table.telemetry.errors.current()] == [2])
