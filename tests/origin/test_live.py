"""A change at GitHub shows within a second, and costs at most one request of the quota."""

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.fakes.dragonfly import dragonfly
from tests.fakes.pair import Pair, pair_of
from tests.fakes.role import started
from tests.fakes.waiting import eventually

from chimney.config import OriginSettings
from chimney.instrumentation import LogPipe
from chimney.origin.app import Origin
from chimney.store import redis

SUMMARY = "/api/pipeline/summary"
LISTS = (
    "pulls?state=open",
    "pulls?state=closed&sort=updated&direction=desc",
    "issues?state=open",
    "issues?labels=type:bug&state=open",
    "actions/runs?per_page=20",
    "branches",
    "releases",
    "deployments",
)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with pair_of(tmp_path) as pair:
        yield pair


async def look_around(pair: Pair) -> dict[str, Any]:
    return {path: await pair.see(path) for path in (SUMMARY, *LISTS)}


async def test_a_merge_shows_everywhere_and_costs_one_request_at_most(pair: Pair) -> None:
    number = (await pair.do("open_pr"))["numbers"][0]
    await eventually(lambda: shows_open(pair, number))
    await look_around(pair)
    commits = await pair.see("commits")
    before = await pair.charged()
    merged = (await pair.do("merge_pr", number=number))["pull_request"]

    async def shows() -> bool:
        seen = await look_around(pair)
        summary = seen[SUMMARY]
        return (
            (summary["last_merged_pr"] or {}).get("number") == number
            and number not in [one["number"] for one in seen[LISTS[0]]]
            and number == seen[LISTS[1]][0]["number"]
            and number not in [one["number"] for one in seen[LISTS[2]]]
            and summary["runs"][0]["revision"] == merged["merge_commit_sha"]
            and seen[LISTS[4]]["workflow_runs"][0]["head_sha"] == merged["merge_commit_sha"]
            and merged["head"]["ref"] not in [one["name"] for one in seen[LISTS[5]]]
            and (await pair.see("commits"))[0]["sha"] == merged["merge_commit_sha"]
        )

    await eventually(shows)
    summary = await pair.see(SUMMARY)
    assert summary["open_prs"] == len(await pair.see("pulls?state=open&per_page=100"))
    assert (await pair.see("commits"))[1]["sha"] == commits[0]["sha"]
    assert await pair.charged() - before <= 1


async def shows_open(pair: Pair, number: int) -> bool:
    return number in [one["number"] for one in await pair.see("pulls?state=open&per_page=100")]


ACTS = ("open_bug", "close_bug", "push", "start_run", "finish_run", "release", "deployment", "close_pr", "open_issue")


async def test_a_dashboard_that_looks_all_the_time_sees_each_change_at_no_cost(pair: Pair) -> None:
    await pair.do("open_pr")
    await pair.do("open_bug")
    await eventually(lambda: settled(pair))
    await look_around(pair)
    for act in ACTS:
        before = await pair.charged()
        await pair.do(act)
        await eventually(lambda: settled(pair))
        seen = await look_around(pair)
        assert await pair.charged() == before, act
        for path in LISTS:
            told, _, query = path.partition("?")
            truth = (await pair.github.get(f"/repos/acme/rocket/{told}?{query}")).json()
            assert shown(seen[path]) == shown(truth), (act, path)
        assert seen[SUMMARY]["open_issues"] == await counted(pair, "issues?state=open&per_page=100", pulls=False)
        assert seen[SUMMARY]["open_prs"] == await counted(pair, "pulls?state=open&per_page=100", pulls=True)


def shown(body: Any) -> list[Any]:
    """What a listing tells: which, and in which state."""
    items = body["workflow_runs"] if isinstance(body, dict) else body
    names = ("id", "number", "name", "state", "status", "conclusion", "tag_name", "labels")
    return [{name: one[name] for name in names if name in one} for one in items]


async def counted(pair: Pair, path: str, *, pulls: bool) -> int:
    answer = (await pair.github.get(f"/repos/acme/rocket/{path}")).json()
    return sum(pulls or "pull_request" not in one for one in answer)


async def settled(pair: Pair) -> bool:
    """Every delivery of the stand-in was worked off."""
    sent = {one.guid for one in pair.standin.hook.deliveries}
    kept = await pair.see("/api/webhooks/deliveries?limit=500")
    return sent <= {one["id"] for one in kept["items"] if one["result"] != "pending"}


def is_warm(origin: Origin) -> bool:
    return any(loop.name == "warm" and loop.last_success for loop in origin.loops.loops)


async def test_another_replica_shows_what_a_webhook_told_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis, "DEADLINE", 10.0)  # on a busy machine what is told too late costs a request
    async with dragonfly(tmp_path) as shared, pair_of(tmp_path, dragonfly_url=shared.url) as pair:
        there = Origin(
            OriginSettings(
                repo="acme/rocket",
                github_token="ghp_tests",
                github_api_url="http://github.test",
                data_dir=tmp_path / "there",
                dragonfly_url=shared.url,
            ),
            LogPipe(io.TextIOWrapper(io.BytesIO())),
            transport=httpx2.ASGITransport(app=pair.standin.asgi),
        )
        asked = httpx2.ASGITransport(app=there)
        async with started(there), httpx2.AsyncClient(transport=asked, base_url="http://there.test") as page:
            here = pair.origin
            assert here
            await eventually(lambda: here.github.replicas.far.connected and there.github.replicas.far.connected)
            for one in (here, there):
                await eventually(lambda one=one: is_warm(one))  # type: ignore[misc]
            listing = "/api/github/issues?labels=type:bug&state=open"
            await pair.see(listing)
            await eventually(lambda: here.github.replicas.waiting == 0)
            await page.get(listing)
            before = await pair.charged()
            number = (await pair.do("open_bug"))["numbers"][0]

            async def shows() -> bool:
                return number in [one["number"] for one in (await page.get(listing)).json()]

            await eventually(shows)
            assert await pair.charged() == before
