"""GitHub is told of deployments, once each, and tells us of those that nobody reported."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.conftest import Ask, MakeOrigin, until
from tests.fakes.pair import REPO, Pair, pair_of
from tests.fakes.waiting import eventually

from chimney.origin import github_deployments
from chimney.origin.app import Origin
from chimney.web.asgi import Receive, Scope, Send

DEPLOYMENTS = f"/repos/{REPO}/deployments"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub's second between two changes is not waited for."""
    monkeypatch.setattr(github_deployments, "BETWEEN_CHANGES", 0.01)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with pair_of(tmp_path, environment_url="https://rocket.example") as running:
        yield running


def head(pair: Pair) -> str:
    return pair.standin.repo.branches["main"]


async def report(pair: Pair, phase: str, **more: Any) -> dict[str, Any]:
    said = {"phase": phase, "revision": head(pair), "id": f"run-1-{phase}", "run_url": "https://ci.example/1", **more}
    answer = await pair.page.post("/api/deploy/events", json=said)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def ours(pair: Pair) -> list[dict[str, Any]]:
    """The deployments at GitHub that we made, newest first."""
    listed = (await pair.github.get(DEPLOYMENTS)).json()
    return [one for one in listed if isinstance(one["payload"], dict) and "chimney" in one["payload"]]


async def statuses(pair: Pair, number: int = 0) -> list[str]:
    """Of our newest deployment at GitHub, oldest first."""
    made = await ours(pair)
    if not made:
        return []
    listed = (await pair.github.get(f"{DEPLOYMENTS}/{made[number]['id']}/statuses")).json()
    return [one["state"] for one in listed[::-1]]


async def shows(pair: Pair, *states: str) -> None:
    async def same() -> bool:
        return await statuses(pair) == list(states)

    await eventually(same)


async def test_github_shows_the_deployment_and_its_three_statuses(pair: Pair) -> None:
    await report(pair, "started", slot="green")
    await shows(pair, "in_progress")
    await report(pair, "succeeded", slot="green")
    await shows(pair, "in_progress", "success")
    await report(pair, "rolled_back", slot="green", actor="ada", reason="errors doubled")
    await shows(pair, "in_progress", "success", "inactive")
    [made] = await ours(pair)
    assert (made["sha"], made["environment"], made["payload"]["slot"]) == (head(pair), "production", "green")
    listed = (await pair.github.get(f"{DEPLOYMENTS}/{made['id']}/statuses")).json()
    assert {one["log_url"] for one in listed} == {"https://ci.example/1"}
    assert {one["environment_url"] for one in listed} == {"https://rocket.example"}

    async def well() -> bool:
        said = (await pair.see("/api/deploy/status"))["github"]
        return bool(said == {"state": "on", "detail": None, "waiting": 0})

    await eventually(well)


async def test_a_failed_one_is_a_failure_there(pair: Pair) -> None:
    await report(pair, "failed", duration_seconds=30)
    await shows(pair, "in_progress", "failure")


async def test_our_own_echo_is_no_deployment_of_its_own(pair: Pair) -> None:
    await report(pair, "started")
    await report(pair, "succeeded")
    await shows(pair, "in_progress", "success")
    assert pair.origin
    counts = pair.origin.github.hearing.webhooks.counts
    await until(lambda: counts["deployment_status", "accepted"] == 2)
    await until(lambda: pair.origin and pair.origin.events.counts["webhook"] >= 3)
    told = await pair.see("/api/deploy/status")
    assert (told["total_deploys"], told["last_deploy"]["sources"]) == (1, ["report"])


async def test_it_is_told_once_over_restarts(pair: Pair) -> None:
    await report(pair, "started")
    await shows(pair, "in_progress")
    await pair.stop()
    await pair.start(environment_url="https://rocket.example")
    await report(pair, "succeeded")
    await shows(pair, "in_progress", "success")
    assert len(await ours(pair)) == 1


async def test_what_was_made_before_a_crash_is_found_again(pair: Pair) -> None:
    await report(pair, "started")
    await shows(pair, "in_progress")
    assert pair.origin
    await pair.origin._state.run(lambda db: db.execute("DELETE FROM github_deployment"))
    await report(pair, "succeeded")
    await shows(pair, "in_progress", "success")
    assert len(await ours(pair)) == 1


async def test_two_slots_tell_it_once(pair: Pair, make_origin: MakeOrigin, tmp_path: Path) -> None:
    await make_origin(
        transport=httpx2.ASGITransport(app=pair.standin.asgi),
        github_api_url="http://github.test",
        data_dir=tmp_path / "data",
        slot="green",
    )
    for number in range(4):
        await report(pair, "started", id=f"s-{number}", environment=f"place-{number}")
        await report(pair, "succeeded", id=f"e-{number}", environment=f"place-{number}")

    async def all_told() -> bool:
        return len(await ours(pair)) == 4 and {tuple(await statuses(pair, number)) for number in range(4)} == {
            ("in_progress", "success")
        }

    await eventually(all_told, within=10)


async def test_it_is_tried_again_while_github_fails(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_deployments, "LONGEST_WAIT", 0.05)
    await pair.github.post("/_standin/faults", json={"status": 503, "for_seconds": 60})
    assert (await report(pair, "started"))["deployment"]["phase"] == "started"
    await until(lambda: pair.origin and pair.origin.deploying.mirror.counts["failed"] >= 2)
    assert "503" in (await pair.see("/api/deploy/status"))["github"]["detail"]
    await pair.github.delete("/_standin/faults")
    await shows(pair, "in_progress")


async def test_what_the_job_tells_github_itself_is_not_told_again(pair: Pair) -> None:
    made = (await pair.github.post(DEPLOYMENTS, json={"ref": head(pair), "environment": "production"})).json()
    await pair.github.post(f"{DEPLOYMENTS}/{made['id']}/statuses", json={"state": "in_progress"})
    await report(pair, "started")
    assert pair.origin
    kept = pair.origin.deploying.mirror._kept

    async def closed() -> bool:
        told = await kept.of([one.id for one in pair.origin.deploying.deployments.timeline] if pair.origin else [])
        return any(one.closed for one in told.values())

    await eventually(closed)
    assert await ours(pair) == []


async def test_a_revision_that_github_does_not_know_is_given_up(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    await report(pair, "started", revision="0" * 40)
    await until(lambda: pair.origin and pair.origin.deploying.mirror.counts["refused"] == 1)
    assert "GitHub takes no deployment of 000000000000" in caplog.text


class Forbidding:
    """GitHub for a token that may only read."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.refused = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        self.refused += 1
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 403, "headers": headers})
        body = b'{"message": "Resource not accessible by personal access token"}'
        await send({"type": "http.response.body", "body": body})


async def test_without_a_token_that_may_it_is_off_with_one_warning(
    pair: Pair, make_origin: MakeOrigin, asking: Ask, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    forbidding = Forbidding(pair.standin.asgi)
    origin: Origin = await make_origin(
        transport=httpx2.ASGITransport(app=forbidding),
        github_api_url="http://github.test",
        data_dir=tmp_path / "other",
    )
    visitor = asking(origin)
    for phase in ("started", "succeeded"):
        answer = await visitor.post("/api/deploy/events", json={"phase": phase, "revision": head(pair)})
        assert answer.status_code == 201
    await until(lambda: origin.deploying.mirror.health().state == "off")
    told = (await visitor.get("/healthz")).json()["github_deployments"]
    assert told["state"] == "off"
    assert "needs the right to write deployments" in told["detail"]
    assert [one for one in caplog.messages if one.startswith("GitHub is not told")] != []
    assert len([one for one in caplog.messages if one.startswith("GitHub is not told")]) == 1
    assert forbidding.refused == 1


@pytest.mark.parametrize("said", [{"github_token": None}, {"github_deployments": False}, {"repo": None}], ids=str)
async def test_where_it_cannot_be_told_it_is_not_configured(
    make_origin: MakeOrigin, asking: Ask, said: dict[str, Any]
) -> None:
    told = (await asking(await make_origin(**said)).get("/api/deploy/status")).json()
    assert told["github"]["state"] == "not_configured"


async def by_github(pair: Pair, *states: str) -> None:
    made = (await pair.github.post(DEPLOYMENTS, json={"ref": head(pair), "environment": "production"})).json()
    for state in states:
        await pair.github.post(f"{DEPLOYMENTS}/{made['id']}/statuses", json={"state": state})


async def phases(pair: Pair) -> list[tuple[str, list[str]]]:
    return [(one["phase"], one["sources"]) for one in (await pair.see("/api/deploy/events"))["items"]]


async def told(pair: Pair, *expected: tuple[str, list[str]]) -> None:
    async def same() -> bool:
        return await phases(pair) == list(expected)

    await eventually(same)


async def test_when_nobody_reports_github_s_own_webhooks_tell(pair: Pair) -> None:
    await by_github(pair, "queued", "in_progress")
    await told(pair, ("started", ["github"]))
    await by_github(pair, "failure")
    await told(pair, ("failed", ["github"]), ("started", ["github"]))
    assert await ours(pair) == []


async def test_what_both_tell_is_one_deployment(pair: Pair) -> None:
    await by_github(pair, "in_progress", "success")
    await told(pair, ("succeeded", ["github"]))
    await asyncio.gather(report(pair, "started"), report(pair, "succeeded"))
    await told(pair, ("succeeded", ["github", "report"]))
