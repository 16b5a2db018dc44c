"""Private repositories are for the scope read; repositories of an organisation are found and left out."""

import hashlib
import hmac
import io
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.fakes.github import tagged
from tests.fakes.role import started
from tests.fakes.waiting import eventually

from chimney.config import OriginSettings
from chimney.instrumentation import LogPipe
from chimney.origin.app import Origin

READ = {"authorization": "Bearer reader"}
SECRET = "It's a Secret to Everybody"
OPEN, SHUT, OLD, LEFT = "acme/rocket", "acme/vault", "acme/relic", "acme/scratch"


def repository(name: str, *, private: bool = False, archived: bool = False) -> dict[str, Any]:
    return {
        "id": abs(hash(name)) % 10_000, "full_name": name, "name": name.partition("/")[2], "private": private,
        "archived": archived, "html_url": f"https://github.com/{name}", "default_branch": "main", "language": "Go",
        "description": None, "open_issues_count": 3, "updated_at": "2026-11-15T09:00:00Z",
    }  # fmt: skip


class GitHub(httpx2.AsyncBaseTransport):
    """Repositories and nothing else but empty lists."""

    def __init__(self) -> None:
        self.repos = {
            OPEN: repository(OPEN),
            SHUT: repository(SHUT, private=True),
            OLD: repository(OLD, archived=True),
            LEFT: repository(LEFT),
        }
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        self.asked.append(request.url.raw_path.decode())
        if path == "/orgs/acme/repos":
            public = request.url.params.get("type") == "public"
            return tagged([one for one in self.repos.values() if not (public and one["private"])])(request)
        if path.removeprefix("/repos/") in self.repos:
            return tagged(self.repos[path.removeprefix("/repos/")])(request)
        return tagged({"total_count": 0, "workflow_runs": []} if path.endswith("/runs") else [])(request)


class Home:
    def __init__(self, folder: Path, **settings: Any) -> None:
        self.github = GitHub()
        said = {"repo": OPEN, "github_token": "t", "read_token": ["reader"], "webhook_secret": SECRET, **settings}
        pipe = LogPipe(io.TextIOWrapper(io.BytesIO()))
        self.origin = Origin(OriginSettings(data_dir=folder, **said), pipe, transport=self.github)
        self.page = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.origin), base_url="http://origin.localhost"
        )

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self.page.get(path, headers=headers)

    async def tell(self, event: str, action: str, repo: dict[str, Any]) -> None:
        body = json.dumps({"action": action, "repository": repo}).encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/json", "x-github-event": event, "x-hub-signature-256": f"sha256={signature}",
            "x-github-delivery": f"{time.time_ns():032x}",
        }  # fmt: skip
        answer = await self.page.post("/api/webhooks/github", content=body, headers=headers)
        assert answer.status_code == 202


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    home = Home(tmp_path, org="acme", repos_exclude=["scratch"])
    async with started(home.origin):
        await eventually(lambda: SHUT in home.origin.github.watched.names)
        yield home


async def test_an_organisation_is_discovered_without_what_is_archived_or_excluded(home: Home) -> None:
    assert home.origin.github.watched.names == [OPEN, SHUT]
    assert (await home.get(f"/api/github/{OLD}/pulls", **READ)).status_code == 404
    assert (await home.get(f"/api/github/{LEFT}/pulls", **READ)).status_code == 404


async def test_what_visitors_see_of_the_organisation_is_what_is_public(home: Home) -> None:
    listed = (await home.get("/api/github/org/repos")).json()
    assert (listed["org"], listed["mode"]) == ("acme", "org")
    assert listed["repos"] == [{
        "full_name": OPEN, "name": "rocket", "description": None, "language": "Go", "open_issues_count": 3,
        "updated_at": "2026-11-15T09:00:00Z", "html_url": f"https://github.com/{OPEN}",
    }]  # fmt: skip
    both = (await home.get("/api/github/org/repos", **READ)).json()["repos"]
    assert [one["full_name"] for one in both] == [OPEN, SHUT]


async def test_the_repositories_watched_are_told_with_their_counts_to_whom_they_are_for(home: Home) -> None:
    seen = (await home.get("/api/repos")).json()["items"]
    assert [(one["repo"], one["open_issues"], one["open_prs"]) for one in seen] == [(OPEN, 3, 0)]
    assert [one["repo"] for one in (await home.get("/api/repos", **READ)).json()["items"]] == [OPEN, SHUT]


@pytest.mark.parametrize(
    "path", [f"/api/github/{SHUT}/pulls", f"/api/v3/repos/{SHUT}", f"/api/pipeline/summary?repo={SHUT}"]
)
async def test_a_private_repository_is_for_the_scope_read_and_no_cache_keeps_it(home: Home, path: str) -> None:
    for _ in range(2):
        answer = await home.get(path, **READ)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-store")
        refused = await home.get(path)
        assert (refused.status_code, b"vault" in refused.content.replace(path.encode(), b"")) == (401, False)
        assert (await home.get(path, authorization="Bearer wrong")).status_code == 401


async def test_public_repositories_are_for_everybody(home: Home) -> None:
    for path in ("/api/github/pulls", f"/api/v3/repos/{OPEN}", "/api/pipeline/summary"):
        answer = await home.get(path)
        assert answer.status_code == 200
        assert "private" not in answer.headers.get("cache-control", "")


async def test_the_organisations_list_of_githubs_shows_visitors_only_what_is_public(home: Home) -> None:
    seen = (await home.get("/api/v3/orgs/acme/repos?type=all")).json()
    assert [one["full_name"] for one in seen] == [OPEN, OLD, LEFT]
    answer = await home.get("/api/v3/orgs/acme/repos?type=all", **READ)
    assert SHUT in [one["full_name"] for one in answer.json()]
    assert answer.headers["cache-control"] == "private, no-store"


async def test_a_repository_that_becomes_private_is_gone_for_visitors_at_once(home: Home) -> None:
    assert (await home.get("/api/github/pulls")).status_code == 200
    home.github.repos[OPEN] = repository(OPEN, private=True)
    await home.tell("repository", "privatized", home.github.repos[OPEN])
    await eventually(lambda: home.origin.github.watched.is_private(OPEN))
    assert (await home.get("/api/github/pulls")).status_code == 401
    assert (await home.get("/api/pipeline/summary")).status_code == 401
    assert (await home.get("/api/repos")).json()["items"] == []
    assert (await home.get("/api/github/pulls", **READ)).headers["cache-control"] == "private, no-store"


async def test_without_a_webhook_it_is_found_out_in_the_next_round(home: Home) -> None:
    assert (await home.get("/api/github/pulls")).status_code == 200
    home.github.repos[OPEN] = repository(OPEN, private=True)
    await home.origin.github.cache.invalidate(None)  # its answer has grown old
    await home.origin.github.audience.look()
    assert (await home.get("/api/github/pulls")).status_code == 401


async def test_a_repository_that_is_created_is_found_by_its_webhook(home: Home) -> None:
    home.github.repos["acme/probe"] = repository("acme/probe")
    await home.tell("repository", "created", home.github.repos["acme/probe"])
    await eventually(lambda: "acme/probe" in home.origin.github.watched.names)
    assert (await home.get("/api/github/acme/probe/pulls")).status_code == 200
    home.github.repos["acme/probe"]["archived"] = True
    await home.tell("repository", "archived", home.github.repos["acme/probe"])
    await eventually(lambda: "acme/probe" not in home.origin.github.watched.names)
    assert (await home.get("/api/github/acme/probe/pulls")).status_code == 404


async def test_repositories_that_are_named_are_listed_too(tmp_path: Path) -> None:
    home = Home(tmp_path, repos=[SHUT])
    async with started(home.origin):
        listed = (await home.get("/api/github/org/repos", **READ)).json()
        assert (listed["org"], listed["mode"]) == ("acme", "single-repo")
        assert [one["full_name"] for one in listed["repos"]] == [OPEN, SHUT]
        assert (await home.page.post("/api/github/org/repos")).status_code == 405
        assert (await home.get("/api/github/org/repos/x")).status_code == 404


@pytest.mark.parametrize("path", ["status", "events", "diff"])
async def test_what_deployments_tell_is_for_readers_while_the_repository_is_private(home: Home, path: str) -> None:
    assert (await home.get(f"/api/deploy/{path}")).status_code != 401
    home.origin.github.watched.learn(OPEN, private=True)
    assert (await home.get(f"/api/deploy/{path}")).status_code == 401
    assert (await home.get(f"/api/deploy/{path}", **READ)).status_code != 401
