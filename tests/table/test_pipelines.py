"""Pipelines over all repositories, and the delivery figures, as the table serves them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import msgspec
from tests.core.origins import deployment, deploys, health, pipeline, run
from tests.fakes.origin import FakeOrigin
from tests.fakes.waiting import eventually
from tests.table.conftest import Make
from tests.table.running import Running

NOW = datetime.now(UTC).replace(microsecond=0)
JSON = {"content-type": "application/json"}


def said(value: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, JSON, msgspec.json.encode(value)


def pull(number: int, **more: Any) -> dict[str, Any]:
    at = NOW - timedelta(hours=3)
    return {
        "number": number,
        "title": f"Change {number}",
        "html_url": f"https://github.com/acme/rocket/pull/{number}",
        "state": "open",
        "created_at": at,
        "updated_at": at,
        "user": {"login": "ann"},
        "head": {"ref": "fix", "sha": "b" * 40},
        "base": {"ref": "main", "sha": "c" * 40},
        **more,
    }


RELEASE = {"tag_name": "v1.2.3", "html_url": "https://github.com/acme/rocket/releases/v1.2.3", "published_at": NOW}


async def known(table: Running) -> None:
    await eventually(lambda: all(one.pipeline and one.state == "up" for one in table.table.watching.board.pipelines()))


async def test_an_item_has_pull_requests_releases_and_quota(make_table: Make, origin: FakeOrigin) -> None:
    origin.answers["/api/github/acme/rocket/pulls"] = said([pull(7, draft=True)])
    origin.answers["/api/github/acme/rocket/releases"] = said([RELEASE, {**RELEASE, "draft": True}])
    table = await make_table(origin)
    client = await table.signed_in()
    await known(table)
    (item,) = (await client.get("/api/pipelines")).json()["items"]
    assert (item["origin"], item["repo"], item["pipeline"]["repo"]) == ("hel1", "acme/rocket", "acme/rocket")
    assert [(one["number"], one["author"], one["draft"], one["revision"]) for one in item["pulls"]] == [
        (7, "ann", True, "b" * 40)
    ]
    assert [one["tag"] for one in item["releases"]] == ["v1.2.3"]
    assert item["github"]["rate_limit"]["remaining"] == 4800
    assert item["partial"] == []


async def test_each_repository_of_an_origin_is_an_item(make_table: Make, origin: FakeOrigin) -> None:
    listed = [{"repo": repo, "open_issues": 1, "open_prs": 1, "url": None, "default_branch": "main"} for repo in "ab"]
    listed.append({**listed[0], "repo": "acme/rocket"})
    origin.answers["/api/repos"] = said({"items": listed})
    table = await make_table(origin)
    await known(table)
    items = (await (await table.signed_in()).get("/api/pipelines")).json()["items"]
    assert [one["repo"] for one in items] == ["acme/rocket", "acme/rocket", "acme/rocket"]  # the fake tells one summary
    assert sum("pipeline/summary?repo=" in asked for asked in origin.asked) == 2


def workflow_run(number: int, minutes_ago: int, **more: Any) -> dict[str, Any]:
    at = NOW - timedelta(minutes=minutes_ago)
    return {
        "id": number,
        "name": "CI",
        "path": ".github/workflows/ci.yml",
        "status": "completed",
        "event": "push",
        "conclusion": "success",
        "head_branch": "main",
        "head_sha": "b" * 40,
        "html_url": "https://x/1",
        "created_at": at,
        "updated_at": at,
        "run_attempt": 2,
        "actor": {"login": "ann"},
        **more,
    }


async def test_runs_of_all_repositories_are_one_list(make_table: Make, origin: FakeOrigin) -> None:
    listed = [{"repo": f"acme/{name}", "open_issues": 1, "open_prs": 1, "url": None, "default_branch": "main"}
              for name in ("rocket", "pad", "gone")]  # fmt: skip
    origin.answers["/api/repos"] = said({"items": listed})
    many = [workflow_run(number, 2 * number) for number in range(1, 101)]
    origin.answers["/api/github/acme/rocket/actions/runs"] = said({"total_count": 200, "workflow_runs": many})
    origin.answers["/api/github/acme/pad/actions/runs"] = said(
        {"total_count": 1, "workflow_runs": [workflow_run(7, 3)]}
    )
    table = await make_table(origin)
    await known(table)
    client = await table.signed_in()
    page = (await client.get("/api/pipelines/runs")).json()
    assert [(one["repo"], one["id"]) for one in page["items"][:3]] == [
        ("acme/rocket", 1),
        ("acme/pad", 7),
        ("acme/rocket", 2),
    ]
    assert (page["items"][0]["origin"], page["items"][0]["attempt"], page["next"]) == ("hel1", 2, "2")
    assert page["partial"] == [{"part": "acme/gone", "reason": "it answered 404"}]
    await client.get("/api/pipelines/runs", params={"before": "2"})
    assert any("rocket/actions/runs?per_page=100&page=2" in asked for asked in origin.asked)


async def test_what_cannot_be_read_is_named_and_the_rest_stands(make_table: Make, origin: FakeOrigin) -> None:
    origin.answers["/api/github/acme/rocket/pulls"] = (200, JSON, b'[{"number": "seven"}]')
    table = await make_table(origin)
    await known(table)
    (item,) = (await (await table.signed_in()).get("/api/pipelines")).json()["items"]
    assert (item["pulls"], item["releases"]) == (None, None)
    reasons = {one["part"]: one["reason"] for one in item["partial"]}
    assert "another shape" in reasons["pulls"]
    assert reasons["releases"] == "it answered 404"
    assert item["pipeline"]["runs"]


async def test_an_origin_without_a_repository_says_so(make_table: Make, origin: FakeOrigin) -> None:
    origin.answers["/healthz"] = said(health(repo=None))
    origin.answers["/api/pipeline/summary"] = (404, {}, b"")
    table = await make_table(origin)
    await eventually(lambda: table.table.watching.board.pipelines()[0].state == "up")
    (item,) = (await (await table.signed_in()).get("/api/pipelines")).json()["items"]
    assert (item["pipeline"], item["reason"]) == (None, "no repository is configured: set CHIMNEY_REPO at the origin")


async def test_the_figures_say_what_they_were_counted_from(make_table: Make, origin: FakeOrigin) -> None:
    times = {"started_at": NOW - timedelta(hours=2), "ended_at": NOW - timedelta(hours=1)}
    landed = msgspec.structs.replace(deployment(), revision="d" * 40, **times)
    merged = pull(7, state="closed", merged_at=NOW - timedelta(hours=3), merge_commit_sha="d" * 40)
    origin.answers["/api/deploy/status"] = said(deploys(landed))
    origin.answers["/api/pipeline/summary"] = said(pipeline(run()))
    origin.answers["/api/github/pulls"] = said([merged, pull(8, state="closed")])
    table = await make_table(origin)
    client = await table.signed_in()
    await known(table)
    await eventually(table.table.watching.board.deployments)
    figures = (await client.get("/api/pipelines/figures", params={"days": 7})).json()
    assert (figures["environment"], figures["days"], figures["partial"]) == ("production", 7, [])
    assert figures["deployment_frequency"]["counted_from"][0]["deployment"] == "d1"
    (change,) = figures["lead_time"]["counted_from"]
    assert (change["number"], change["seconds"], change["by"]) == (7, 7200.0, "revision")
    elsewhere = (await client.get("/api/pipelines/figures", params={"environment": "staging"})).json()
    assert elsewhere["deployment_frequency"] == {
        "per_day": None,
        "over_days": 0.0,
        "deployments": 0,
        "counted_from": [],
    }


async def test_days_have_bounds(operator: httpx2.AsyncClient) -> None:
    answer = await operator.get("/api/pipelines/figures", params={"days": 0})
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "query.days")
    assert (await operator.get("/api/pipelines/figures")).json()["days"] == 30
