"""The origin as a whole: from start to stop."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.conftest import REPO, Ask, MakeOrigin, Serving, until
from tests.fakes.github import GitHub, says
from tests.fakes.role import started

from chimney.config import OriginSettings
from chimney.instrumentation import LogPipe
from chimney.origin.app import Origin, openapi
from chimney.store.errors import StoreError
from chimney.web.app import Phase


async def test_an_origin_is_alive_before_it_is_started_and_ready_after(
    tmp_path: Path, pipe: LogPipe, asking: Ask
) -> None:
    origin = Origin(OriginSettings(data_dir=tmp_path), pipe, transport=GitHub())
    visitor = asking(origin)
    assert (await visitor.get("/livez")).status_code == 200
    assert (await visitor.get("/readyz")).json() == {"status": "starting"}
    for path in ("/healthz", "/api/version", "/api/github/pulls", "/"):
        answer = await visitor.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.headers["content-type"] == "application/problem+json"
    async with started(origin):
        assert (await visitor.get("/readyz")).status_code == 200
        await origin.drain()
        assert (await visitor.get("/readyz")).json() == {"status": "draining"}
        assert (await visitor.get("/livez")).status_code == 200


@pytest.mark.parametrize(
    ("part", "step"), [("_state", "open"), ("ring", "recall"), ("github", "build"), ("deploying", "start")]
)
async def test_an_origin_whose_start_failed_half_way_stops_all_the_same(
    tmp_path: Path, pipe: LogPipe, monkeypatch: pytest.MonkeyPatch, part: str, step: str
) -> None:
    origin = Origin(OriginSettings(data_dir=tmp_path, repo=REPO), pipe, transport=GitHub())

    def refuse(*_: Any, **__: Any) -> None:
        raise StoreError("no room")

    if part == "deploying":
        monkeypatch.setattr("chimney.origin.deploying.Deploying.start", refuse)
    else:
        monkeypatch.setattr(getattr(origin, part), step, refuse)
    with pytest.raises(StoreError, match="no room"):
        await origin.start()
    await origin.drain()
    await origin.stop()


async def test_an_origin_without_any_settings_answers_everything_it_can(make_origin: MakeOrigin, asking: Ask) -> None:
    visitor = asking(await make_origin(repo=None, github_token=None, transport=GitHub()))
    told = {path: (await visitor.get(path)).status_code for path in (
        "/healthz", "/api/version", "/api/metrics", "/api/deploy/status", "/api/logs", "/api/repos",
        "/api/pipeline/summary", "/api/github/pulls",
    )}  # fmt: skip
    unconfigured = {told.pop("/api/pipeline/summary"), told.pop("/api/github/pulls")}
    assert set(told.values()) == {200}
    assert unconfigured <= {404, 503}


async def test_a_folder_that_cannot_be_used_is_said_when_the_origin_is_made(tmp_path: Path, pipe: LogPipe) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot use"):
        Origin(OriginSettings(data_dir=tmp_path / "file"), pipe)


async def test_two_slots_share_a_folder(make_origin: MakeOrigin, asking: Ask) -> None:
    blue, green = await make_origin(slot="blue"), await make_origin(slot="green")
    for origin, slot in ((blue, "blue"), (green, "green")):
        told = (await asking(origin).get("/healthz")).json()
        assert (told["status"], told["slot"]) == ("ok", slot)
    assert blue.boot != green.boot


async def test_what_the_summary_asks_is_kept_warm_and_asked_within_its_budget(make_origin: MakeOrigin) -> None:
    github = GitHub(says([]))
    origin = await make_origin(transport=github)
    await until(lambda: len(github.asked) >= 6 and not origin.github.cache._flights)
    assert len(github.paths) == len(set(github.paths))
    assert all(path.startswith(f"/repos/{REPO}") for path in github.paths)


async def test_without_a_token_nothing_is_asked_before_somebody_looks(make_origin: MakeOrigin, asking: Ask) -> None:
    github = GitHub(says([]))
    origin = await make_origin(transport=github, github_token=None)
    await asking(origin).get("/healthz")
    assert github.asked == []


async def test_a_stop_does_not_wait_for_a_github_that_hangs(make_origin: MakeOrigin, asking: Ask) -> None:
    github = GitHub()
    github.gate.clear()
    origin = await make_origin(transport=github, github_token=None)
    waiting = asyncio.create_task(asking(origin).get("/api/github/pulls"))
    await until(lambda: github.asked)
    began = time.monotonic()
    await make_origin.end(origin)
    assert time.monotonic() - began < 6
    await asyncio.wait((waiting,), timeout=10)
    assert waiting.cancelled(), "who still waits then is cut off"


async def test_what_was_said_just_before_the_end_is_there_after_it(make_origin: MakeOrigin) -> None:
    first = await make_origin(github_token=None)
    first.events.say("deployment", "the last words", revision="a" * 40)
    await make_origin.end(first)
    again = await make_origin(github_token=None)
    assert again.events.recent(1)[0].message == "the last words"


async def test_the_openapi_document_is_made_without_network_or_trace(tmp_path: Path) -> None:
    document: dict[str, Any] = openapi(tmp_path)
    assert document["info"]["title"] == "chimney origin"
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert all(one.get("summary") for one in operations)
    ids = [one["operationId"] for one in operations]
    assert len(ids) == len(set(ids))


async def test_a_real_server_serves_it_all(make_origin: MakeOrigin, serving: Serving, tmp_path: Path) -> None:
    origin = Origin(OriginSettings(data_dir=tmp_path / "served", repo=REPO), LogPipe(), transport=GitHub(says([])))
    async with serving(origin) as address, httpx2.AsyncClient(base_url=address) as client:
        first, second = await client.get("/api/github/pulls"), await client.get("/api/github/pulls")
        assert (first.json(), second.headers["cache-status"]) == ([], "chimney; hit")
        head = await client.head("/api/github/pulls")
        assert (head.status_code, head.headers["content-length"], head.content) == (200, "2", b"")
        assert (await client.get("/healthz/nothing")).status_code == 404
        body = b'{"phase": "' + b"x" * 2_000_000 + b'"}'
        too_large = await client.post("/api/deploy/events", content=body, headers={"content-type": "application/json"})
        assert too_large.status_code == 413
        assert (await client.get("/livez")).status_code == 200
    assert origin.shell.phase is Phase.DRAINING
