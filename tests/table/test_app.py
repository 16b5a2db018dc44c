import asyncio
import json
import os
import re
import stat
from pathlib import Path

import pytest
from tests.fakes.origin import FakeOrigin
from tests.fakes.waiting import eventually
from tests.table.conftest import Make
from tests.table.running import Running, quiet_stream

from chimney.config import TableSettings
from chimney.instrumentation import LogPipe
from chimney.store.errors import FolderError, InUseError
from chimney.table.app import Table, openapi
from chimney.table.page import SCREENS


async def test_an_origin_is_followed_probed_and_shown(make_table: Make, origin: FakeOrigin) -> None:
    origin.log("hello")
    running = await make_table(origin)
    client = await running.signed_in()

    async def seen() -> bool:
        (one,) = (await client.get("/api/overview")).json()["origins"]
        return bool(one["pipeline"] and one["deploy"] and one["state"] == "up" and one["stream"]["last_id"] == 1)

    await eventually(seen)
    overview = (await client.get("/api/overview")).json()
    assert overview["findings"]["items"] == []
    assert overview["changes"][0]["ci"] == "success"
    assert overview["origins"][0]["uptime_24h_pct"] == 100
    assert len(overview["origins"][0]["uptime_bars"]) == 90
    assert (await client.get("/api/origins")).json()["items"][0]["name"] == "hel1"
    assert (await client.get("/api/pipelines")).json()["items"][0]["pipeline"]["repo"] == "acme/rocket"
    assert (await client.get("/api/deployments")).json()["items"][0]["origin"] == "hel1"
    health = (await client.get("/healthz")).json()
    assert (health["status"], health["origins"], health["origins_connected"]) == ("ok", 1, 1)


async def test_an_origin_that_dies_becomes_a_finding_and_one_that_returns_resolves_it(
    make_table: Make, origin: FakeOrigin
) -> None:
    running = await make_table(origin)
    client = await running.signed_in()

    async def codes() -> list[str]:
        return [one["code"] for one in (await client.get("/api/findings")).json()["items"]]

    async def critical() -> bool:
        return await codes() == ["origin_unreachable"]

    async def good() -> bool:
        return await codes() == []

    told: list[tuple[str, str]] = []
    running.table.watching.watch.on_change.append(
        lambda alerts: told.extend((one.change.value, one.finding.code) for one in alerts)
    )
    stream = await running.stream("/api/stream?topics=findings", client)
    await eventually(lambda: running.table.watching.followed[0].probe.health)
    await origin.stop()
    await eventually(critical)
    while not json.loads((await stream.next("findings")).data)["items"]:
        pass
    await origin.start(origin.port)
    await eventually(good)
    assert told == [("firing", "origin_unreachable"), ("resolved", "origin_unreachable")]


async def test_what_was_stored_is_there_after_a_restart(make_table: Make, origin: FakeOrigin) -> None:
    for number in range(5):
        origin.log(f"m{number}")
    first = await make_table(origin)
    await eventually(lambda: first.table.ingest.records["hel1"] == 5)
    await first.stop()
    origin.log("m5")
    second = await make_table(origin)
    client = await second.signed_in()
    await eventually(lambda: second.table.ingest.records["hel1"] == 1)
    rows = (await client.get("/api/logs?source=hel1")).json()["items"]
    assert [row["message"] for row in reversed(rows)] == [f"m{number}" for number in range(6)]


async def test_a_second_table_on_the_same_folder_is_refused(running: Running) -> None:
    folder = running.table._settings.data_dir
    second = Table(TableSettings(data_dir=folder), pipe=LogPipe(quiet_stream()))
    with pytest.raises(InUseError, match=f"in use by pid {os.getpid()}"):
        await second.start()
    await second.drain()
    await second.stop()


async def test_an_unusable_folder_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    table = Table(TableSettings(data_dir=tmp_path / "file"), pipe=LogPipe(quiet_stream()))
    with pytest.raises(FolderError, match=r"cannot use .*file: "):
        await table.start()
    await table.stop()


async def test_damage_is_a_finding(make_table: Make, tmp_path: Path) -> None:
    await (await make_table()).stop()
    (tmp_path / "data" / "journal.sqlite").write_bytes(b"garbage" * 2000)
    running = await make_table()
    client = await running.signed_in()

    async def found() -> bool:
        items = (await client.get("/api/findings")).json()["items"]
        return "storage_damaged" in [one["code"] for one in items]

    await eventually(found)


async def test_the_command_line_gets_a_token_that_only_the_owner_reads(running: Running) -> None:
    file = running.table._settings.data_dir / "cli.token"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    bearer = {"authorization": f"Bearer {file.read_text().strip()}"}
    assert (await running.client.get("/api/findings", headers=bearer)).status_code == 200


async def test_a_table_that_follows_nothing_says_so(running: Running) -> None:
    client = await running.signed_in()

    async def said() -> bool:
        return [one["code"] for one in (await client.get("/api/findings")).json()["items"]] == ["no_data"]

    await eventually(said)


async def test_without_a_built_page_it_says_how_to_build_it(running: Running) -> None:
    answer = await running.client.get("/")
    assert answer.status_code == 200
    assert "make setup" in answer.text


async def test_the_page_is_served_with_its_policy_for_every_screen(make_table: Make, tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("<!doctype html>")
    running = await make_table(page=tmp_path / "page")
    for path in ("/", "/logs", "/deployments/7"):
        answer = await running.client.get(path)
        assert answer.text == "<!doctype html>"
        assert answer.headers["content-security-policy"].startswith("default-src 'self'; img-src")
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert (await running.client.get("/api/nothing")).status_code == 404


async def test_who_comes_while_it_starts_gets_the_page_which_asks_again(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>the page")
    starting = Running(
        Table(TableSettings(data_dir=tmp_path / "data"), pipe=LogPipe(quiet_stream()), page_folder=tmp_path)
    )
    try:
        answer = await starting.client.get("/logs")
        assert (answer.status_code, answer.text) == (200, "<!doctype html>the page")
        session = await starting.client.get("/api/session")
        assert (session.status_code, session.json()["type"].partition("#")[2]) == (503, "starting")
    finally:
        await starting.client.aclose()


async def test_metrics_name_what_the_table_does(make_table: Make, origin: FakeOrigin) -> None:
    running = await make_table(origin)
    await eventually(lambda: running.table.watching.followed[0].follower.state().state == "connected")
    text = (await running.client.get("/api/metrics")).text
    for line in (
        'chimney_table_origin_connected{origin="hel1"} 1.0',
        "chimney_table_journal_rows",
        "chimney_panics_total",
    ):
        assert line in text


async def test_readiness_ends_before_the_process_does(running: Running) -> None:
    assert (await running.client.get("/readyz")).status_code == 200
    await running.table.drain()
    assert (await running.client.get("/readyz")).status_code == 503
    assert (await running.client.get("/livez")).status_code == 200
    assert (await running.client.get("/healthz")).status_code == 503


async def test_nothing_holds_up_the_event_loop(running: Running) -> None:
    """A search over many records runs elsewhere: meanwhile others are answered."""
    client = await running.signed_in()
    searching = asyncio.create_task(client.get("/api/logs?grep=needle"))
    assert (await running.client.get("/livez")).status_code == 200
    assert (await searching).status_code == 200


def test_the_openapi_document_needs_no_data_and_names_every_route() -> None:
    document = openapi()
    assert document["openapi"].startswith("3.1")
    assert {"/api/overview", "/api/logs", "/api/logs/stream", "/api/stream", "/api/session"} <= document["paths"].keys()
    parameters = {row["name"] for row in document["paths"]["/api/logs"]["get"]["parameters"]}
    assert {"level", "source", "grep", "from", "to", "request_id", "trace_id", "limit", "before"} <= parameters
    operations = [o["operationId"] for item in document["paths"].values() for o in item.values()]
    assert len(operations) == len(set(operations))


def test_the_page_is_known_to_have_the_screens_that_it_has() -> None:
    listed = Path(__file__).parents[2].joinpath("ui/src/views/screens.ts").read_text()
    assert {*re.findall(r"path: '([^']*)'", listed), "tv"} == SCREENS
