"""Caddy's access log as records: from a real Caddy in front of a real origin."""

import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.conftest import Ask, MakeOrigin, Serving
from tests.fakes.asgi import OpenStream
from tests.fakes.caddy import GLOBAL, SITE, Caddy
from tests.fakes.waiting import eventually

from chimney.instrumentation import LogPipe
from chimney.origin.app import Origin

MakeCaddy = Callable[..., Caddy]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Started:
    """A running origin; only its serving is begun and ended."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._origin(scope, receive, send)

    async def start(self) -> None: ...

    async def drain(self) -> None:
        await self._origin.drain()

    async def stop(self) -> None: ...


@pytest.fixture
async def behind(
    make_origin: MakeOrigin, make_caddy: MakeCaddy, serving: Serving, installed: LogPipe
) -> AsyncIterator[tuple[Origin, Caddy]]:
    """An origin behind a Caddy whose access log it follows; the log is created after the origin started."""
    caddy = make_caddy()
    origin = await make_origin(github_token=None, caddy_access_log=caddy.access_log)
    async with serving(Started(origin)) as address:
        caddy.values["upstream"] = address.removeprefix("http://")
        caddy.write(GLOBAL + SITE)
        caddy.start()
        yield origin, caddy
        caddy.stop()


async def records(origin: Origin, asking: Ask, **query: Any) -> list[Any]:
    answer = await asking(origin).get("/api/logs/caddy", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def has(origin: Origin, count: int) -> None:
    await eventually(lambda: origin.edge.log.lines >= count)


async def test_a_request_through_caddy_has_one_id_in_both_logs(behind: tuple[Origin, Caddy], asking: Ask) -> None:
    origin, caddy = behind
    headers = {
        "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
        "authorization": "Bearer canary-secret",
        "cookie": "a=canary-secret",
    }
    async with httpx2.AsyncClient() as client:
        answer = await client.get(f"{caddy.url}/api/version?token=canary-secret&x=1", headers=headers)
        await client.get(f"{caddy.url}/nothing")
    await has(origin, 2)
    [record] = await records(origin, asking, trace_id=TRACE)
    assert record["request_id"] == answer.headers["x-request-id"]
    assert (record["path"], record["status"], record["logger"]) == (
        "/api/version?token=…masked&x=1",
        200,
        "caddy.access",
    )
    assert 0 < record["latency_ms"] < 5_000
    assert record["bytes"] == len(answer.content)
    await eventually(
        lambda: any(TRACE.encode() in entry.data for entry in origin.ring._held)
    )  # it keeps them in batches
    own = (await asking(origin).get("/api/logs", params={"request_id": record["request_id"]})).json()["items"]
    assert [(one["trace_id"], one["logger"]) for one in own] == [(TRACE, "chimney.request")]
    assert "canary-secret" not in json.dumps(await records(origin, asking))
    assert [one["status"] for one in await records(origin, asking, grep="nothing")] == [404]


async def test_the_access_log_is_streamed_and_resumes(behind: tuple[Origin, Caddy]) -> None:
    origin, caddy = behind
    stream = OpenStream(origin, "/api/logs/caddy/stream", {})
    assert await stream.opened() == 200
    async with httpx2.AsyncClient() as client:
        await client.get(f"{caddy.url}/livez?first")
        event = await stream.next("log")
        assert json.loads(event.data)["path"] == "/livez?first"
        await stream.close()
        await client.get(f"{caddy.url}/livez?second")
    await has(origin, 2)
    again = OpenStream(origin, "/api/logs/caddy/stream", {"last-event-id": str(event.id)})
    assert json.loads((await again.next("log")).data)["path"] == "/livez?second"
    await again.close()


async def test_no_line_is_missed_or_told_twice_while_caddy_rotates(
    make_caddy: MakeCaddy, make_origin: MakeOrigin, asking: Ask
) -> None:
    caddy = make_caddy()
    rolling = SITE.replace(
        "output file {access_log}", "output file {access_log} {{\n\t\t\troll_size 1MiB\n\t\t\troll_uncompressed\n\t\t}}"
    )
    caddy.write(GLOBAL + rolling.replace("reverse_proxy {upstream}", "respond hello"))
    caddy.start()
    origin = await make_origin(github_token=None, caddy_access_log=caddy.access_log)
    async with httpx2.AsyncClient() as client:
        await client.get(f"{caddy.url}/0")
        await has(origin, 1)
        for number in range(1, 60):
            await client.get(f"{caddy.url}/{number}", headers={"x-filler": "f" * 60_000})
    await has(origin, 60)
    told = [one["path"] for one in await records(origin, asking, limit=500)]
    assert told == [f"/{number}" for number in reversed(range(60))]
    status = origin.edge.log.status()
    assert (status.rotations >= 2, status.malformed, status.state) == (True, 0, "reading")
    assert status.last_line_age_seconds is not None


async def test_a_log_that_is_not_json_is_counted_and_warned_of_once(
    make_caddy: MakeCaddy, make_origin: MakeOrigin, asking: Ask, installed: LogPipe
) -> None:
    caddy = make_caddy(log_format="console")
    caddy.write(GLOBAL + SITE.replace("reverse_proxy {upstream}", "respond hello"))
    origin = await make_origin(github_token=None, caddy_access_log=caddy.access_log, caddy_admin=caddy.start().admin)
    async with httpx2.AsyncClient() as client:
        for _ in range(5):
            await client.get(caddy.url)
    await eventually(lambda: origin.edge.log.malformed >= 5)
    assert await records(origin, asking) == []
    edge = (await asking(origin).get("/api/edge")).json()
    assert "format json" in edge["access_log"]["detail"]
    await eventually(lambda: _warned(origin, asking))


async def _warned(origin: Origin, asking: Ask) -> bool:
    found = (await asking(origin).get("/api/logs", params={"grep": "not JSON", "level": "warning"})).json()["items"]
    assert len(found) <= 1
    return len(found) == 1


@pytest.mark.parametrize(
    "form", ["duration_format string", "duration_format nano", "time_format rfc3339_nano", "time_format wall_nano"]
)
async def test_other_formats_of_time_and_duration_are_read(
    make_caddy: MakeCaddy, make_origin: MakeOrigin, asking: Ask, form: str
) -> None:
    caddy = make_caddy(log_format=f"json {{\n\t\t\t{form}\n\t\t}}")
    caddy.write(GLOBAL + SITE.replace("reverse_proxy {upstream}", "respond hello"))
    caddy.start()
    origin = await make_origin(github_token=None, caddy_access_log=caddy.access_log)
    async with httpx2.AsyncClient() as client:
        await client.get(caddy.url)
    await has(origin, 1)
    [record] = await records(origin, asking)
    assert 0 < record["latency_ms"] < 1_000
    assert record["ts"].startswith("20")
    age = origin.edge.log.status().last_line_age_seconds
    assert age is not None
    assert age < 60


async def test_records_of_the_edge_outlive_a_restart_and_come_once(
    make_origin: MakeOrigin, asking: Ask, tmp_path: Path
) -> None:
    file = tmp_path / "access.log"
    line = json.dumps({"ts": 1795547999.5, "request": {"method": "GET", "uri": "/%d"}, "status": 200, "duration": 0.1})
    file.write_text("".join(line % number + "\n" for number in range(10)))
    first = await make_origin(github_token=None, caddy_access_log=file)
    await has(first, 10)
    await make_origin.end(first)
    with file.open("a") as stream:
        stream.write(line % 10 + "\n")
    second = await make_origin(github_token=None, caddy_access_log=file)
    await has(second, 1)
    told = await records(second, asking, limit=500)
    assert [one["path"] for one in told] == [f"/{number}" for number in range(10, -1, -1)]


async def test_two_slots_read_one_access_log_once_and_both_show_it(
    make_origin: MakeOrigin, asking: Ask, tmp_path: Path
) -> None:
    """Their ids are the same, so a reader may go on with the other slot; the second takes over when the first ends."""
    file = tmp_path / "access.log"
    line = json.dumps({"ts": 1795547999.5, "request": {"method": "GET", "uri": "/%d"}, "status": 200, "duration": 0.1})

    def write(first: int, last: int) -> None:
        with file.open("a") as stream:
            stream.write("".join(line % number + "\n" for number in range(first, last)))

    blue = await make_origin(github_token=None, slot="blue", caddy_access_log=file)
    write(0, 10)
    await has(blue, 10)
    green = await make_origin(github_token=None, slot="green", caddy_access_log=file)
    write(10, 20)
    await has(blue, 20)
    shown = await records(blue, asking, limit=500)
    await eventually(lambda: _shows(green, asking, 20))
    assert await records(green, asking, limit=500) == shown
    assert green.edge.log.lines == 0
    assert "other slot" in str(green.edge.log.status().detail)
    await make_origin.end(blue)
    write(20, 30)
    await has(green, 10)
    told = await records(green, asking, limit=500)
    assert [one["path"] for one in told] == [f"/{number}" for number in range(29, -1, -1)]
    assert [one["id"] for one in told] == sorted({one["id"] for one in told}, reverse=True)


async def _shows(origin: Origin, asking: Ask, count: int) -> bool:
    return len(await records(origin, asking, limit=500)) == count


@pytest.mark.parametrize("query", ["level=loud", "limit=0", "before=x"])
async def test_a_wrong_filter_is_a_problem(make_origin: MakeOrigin, asking: Ask, query: str) -> None:
    origin = await make_origin(github_token=None)
    answer = await asking(origin).get(f"/api/logs/caddy?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    with contextlib.suppress(KeyError):
        assert answer.json()["errors"][0]["path"].startswith("query.")
