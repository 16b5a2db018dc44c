"""Going back, its reason, and being told when what was left comes again; and the diff that decides it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.conftest import until
from tests.fakes.caddy import Caddy
from tests.fakes.health import service
from tests.fakes.pair import Pair, pair_of
from tests.fakes.waiting import eventually

from chimney.web.problem import ProblemError
from chimney.web.record import RequestRecord
from chimney.wire.edge import SwitchRequest

STATUS, EVENTS, ROLLBACK = "/api/deploy/status", "/api/deploy/events", "/api/deploy/rollback"


class Switched(msgspec.Struct):
    active_slot: str


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with pair_of(tmp_path, deploy_workflow="deploy.yml", github_deployments=False) as running:
        yield running


def history(pair: Pair) -> list[str]:
    """Revisions of main, newest first."""
    repo = pair.standin.repo
    return [commit.sha for commit in repo.ancestry(repo.branches["main"])]


async def report(pair: Pair, phase: str, revision: str, **more: Any) -> str:
    answer = await pair.page.post(EVENTS, json={"phase": phase, "revision": revision, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def roll_back(pair: Pair, deployment: str, reason: str = "errors doubled", **more: Any) -> tuple[int, Any]:
    answer = await pair.page.post(ROLLBACK, json={"deployment": deployment, "reason": reason, **more})
    return answer.status_code, answer.json()


async def timeline(pair: Pair) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in (await pair.see(EVENTS))["items"]}


async def audited(pair: Pair) -> list[str]:
    items = (await pair.see("/api/audit"))["items"]
    return [one["result"] for one in items[::-1] if one["act"] == "rollback"]


async def test_the_diff_of_two_revisions_tells_commits_pull_requests_files_and_authors(pair: Pair) -> None:
    head, *_, base = history(pair)[:6]
    told = await pair.see(f"/api/deploy/diff?base={base}&head={head}")
    assert (told["status"], told["ahead_by"], told["commits"][0]["revision"]) == ("ahead", len(told["commits"]), head)
    assert told["files"][0].keys() >= {"path", "status", "additions", "deletions"}
    assert told["authors"]
    assert told["truncated"] is False
    numbers = {one["pr"]["number"] for one in told["commits"] if one["pr"]}
    assert {one["number"] for one in told["pull_requests"]} == numbers
    before = await pair.charged()
    again = await pair.see(f"/api/deploy/diff?base={base}&head={head}")
    assert again["commits"] == told["commits"]
    assert await pair.charged() == before


async def test_without_revisions_the_diff_is_what_the_last_deployment_changed(pair: Pair) -> None:
    head, base, *_ = history(pair)
    assert (await pair.page.get("/api/deploy/diff")).status_code == 400
    await report(pair, "succeeded", base)
    await report(pair, "started", head)
    told = await pair.see("/api/deploy/diff")
    assert (told["base"], told["head"], [one["revision"] for one in told["commits"]]) == (base, head, [head])


@pytest.mark.parametrize(
    ("query", "status"),
    [("base=a..b&head=abc1234", 400), ("base=abc1234&head=..%2F..%2Fx", 400), ("base=abc1234&head=%0d", 400),
     ("base=0000000&head=1111111", 404)],
)  # fmt: skip
async def test_what_cannot_be_compared_is_refused(pair: Pair, query: str, status: int) -> None:
    answer = await pair.page.get(f"/api/deploy/diff?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_back_by_the_workflow_marks_what_is_left_and_says_who_and_why(pair: Pair) -> None:
    head, base, *_ = history(pair)
    good = await report(pair, "succeeded", base)
    bad = await report(pair, "succeeded", head, actor="ada")
    assert (await timeline(pair))[good]["way_back"] == {
        "possible": True, "how": "workflow", "slot": None, "why": None,
    }  # fmt: skip
    status, told = await roll_back(pair, good, actor="grace")
    assert status == 200, told
    assert (told["how"], told["observed"]["run"]["workflow"]) == ("workflow", "Deploy")
    assert (told["left"]["id"], told["left"]["phase"]) == (bad, "rolled_back")
    left = (await timeline(pair))[bad]
    assert left["rolled_back"].items() >= {"by": "grace", "reason": "errors doubled"}.items()
    assert left["actor"] == "ada"
    assert "rolled back itself by grace" in left["way_back"]["why"]
    assert await audited(pair) == ["begun", "done"]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
async def test_a_rollback_says_why(pair: Pair, reason: str) -> None:
    good = await report(pair, "succeeded", history(pair)[1])
    status, told = await roll_back(pair, good, reason)
    assert (status, told["errors"][0]["path"]) == (400, "$.reason")
    assert await audited(pair) == []


async def test_what_cannot_be_returned_to_is_refused_with_why(pair: Pair) -> None:
    head = history(pair)[0]
    live = await report(pair, "succeeded", head)
    status, told = await roll_back(pair, live)
    assert (status, told["type"], told["detail"]) == (
        409, "docs/errors.md#no-way-back", f"One cannot go back to {head[:12]}: it is what runs now.",
    )  # fmt: skip
    assert (await roll_back(pair, "nothing"))[0] == 404
    missing = await pair.page.post(ROLLBACK, json={"deployment": live})
    assert missing.status_code == 400


async def test_back_by_the_slot_that_still_runs_it(pair: Pair) -> None:
    head, base, *_ = history(pair)
    await pair.stop()
    async with service() as blue, service() as green:
        blue.runs(base, slot="blue")
        green.runs(head)
        slots = {"blue": f"127.0.0.1:{blue.port}", "green": f"127.0.0.1:{green.port}"}
        origin = await pair.start(slots=slots, deploy_workflow=None)
        switched: list[tuple[str, str | None, str | None]] = []

        async def switch(asked: SwitchRequest, _request: RequestRecord) -> Switched:
            switched.append((asked.slot, asked.reason, asked.revision))
            return Switched(active_slot=asked.slot)

        good = await report(pair, "succeeded", base, slot="blue")
        await report(pair, "succeeded", head, slot="green")
        assert "no edge is known" in (await timeline(pair))[good]["way_back"]["why"]
        origin.deploying.rollbacks.switch = switch
        status, told = await roll_back(pair, good)
        assert (status, told["how"], told["observed"]) == (200, "switch", {"active_slot": "blue"})
        assert switched == [("blue", "errors doubled", base)]
        assert (await pair.see(STATUS))["active_slot"] == "blue"


async def test_a_switch_that_is_refused_marks_nothing(pair: Pair) -> None:
    head, base, *_ = history(pair)
    await pair.stop()
    async with service() as blue:
        blue.runs(base, slot="blue")
        origin = await pair.start(slots={"blue": f"127.0.0.1:{blue.port}"})

        async def refuse(_asked: SwitchRequest, _request: RequestRecord) -> Switched:
            raise ProblemError(409, "no-way-back", "someone else changed the configuration")

        origin.deploying.rollbacks.switch = refuse
        good = await report(pair, "succeeded", base, slot="blue")
        bad = await report(pair, "succeeded", head, slot="green")
        assert (await roll_back(pair, good))[0] == 409
        assert (await timeline(pair))[bad]["phase"] == "succeeded"
        assert await audited(pair) == ["begun", "failed: someone else changed the configuration"]


async def test_the_next_deployment_that_contains_it_is_flagged(pair: Pair) -> None:
    newest, head, base, *_ = history(pair)
    await report(pair, "succeeded", base)
    bad = await report(pair, "succeeded", head)
    await report(pair, "rolled_back", head, actor="grace", reason="errors doubled")
    back = await report(pair, "succeeded", base)
    again = await report(pair, "started", newest)
    assert pair.origin
    counts = pair.origin.events.counts
    await until(lambda: counts["deployment_contains_bad"] == 1)

    async def flagged() -> dict[str, Any]:
        return dict((await timeline(pair))[again]["contains"] or {})

    await eventually(flagged)
    assert (await flagged()).items() >= {
        "revision": head, "deployment": bad, "by": "grace", "reason": "errors doubled",
    }.items()  # fmt: skip
    assert (await timeline(pair))[back]["contains"] is None
    assert (await pair.see(STATUS))["in_progress"]["contains"]["revision"] == head


async def test_only_operators_may(pair: Pair) -> None:
    await pair.stop()
    await pair.start(operate_token=["secret"], deploy_token=["deploy"])
    refused = await pair.page.post(
        ROLLBACK, json={"deployment": "x", "reason": "y"}, headers={"authorization": "Bearer deploy"}
    )
    assert refused.status_code == 403


async def test_going_back_has_caddy_send_visitors_to_the_slot_that_still_runs_it(
    pair: Pair, make_caddy: Callable[..., Caddy]
) -> None:
    head, base, *_ = history(pair)
    await pair.stop()
    async with service() as blue, service() as green:
        blue.runs(base, slot="blue")
        green.runs(head, slot="green")
        slots = {"blue": f"127.0.0.1:{blue.port}", "green": f"127.0.0.1:{green.port}"}
        caddy = make_caddy(unix=True, upstream=slots["green"]).start()
        await pair.start(slots=slots, caddy_admin=caddy.admin, deploy_workflow=None)
        good = await report(pair, "succeeded", base, slot="blue")
        bad = await report(pair, "succeeded", head, slot="green")
        status, told = await roll_back(pair, good, actor="grace")
        assert (status, told["how"]) == (200, "switch"), told
        assert (told["observed"]["active_slot"], caddy.dials()) == ("blue", [slots["blue"]])
        assert (await timeline(pair))[bad]["rolled_back"]["by"] == "grace"
        now = await pair.see(STATUS)
        assert (now["active_slot"], now["active_source"], now["slots"]["blue"]["revision"]) == ("blue", "edge", base)
    acts = [(one["act"], one["result"]) for one in (await pair.see("/api/audit"))["items"][::-1]]
    assert acts == [("rollback", "begun"), ("switch", "begun"), ("switch", "done"), ("rollback", "done")]
