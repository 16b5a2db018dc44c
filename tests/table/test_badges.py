"""Badges and CCTray XML over a real table."""

import base64
import xml.etree.ElementTree as ET  # of our own making

import msgspec
import pytest
from tests.core.origins import health
from tests.fakes.origin import FakeOrigin
from tests.fakes.waiting import eventually
from tests.table.conftest import Make
from tests.table.running import Running

JSON = {"content-type": "application/json"}
DRAWN = ("uptime", "deploy", "pipeline")


async def followed(make_table: Make, origin: FakeOrigin, *, public: bool | None = True, **more: object) -> Running:
    origin.answers["/healthz"] = (200, JSON, msgspec.json.encode(health(repo_public=public)))
    runs = {"total_count": 1, "workflow_runs": [RUN]}
    origin.answers["/api/github/acme/rocket/actions/runs"] = (200, JSON, msgspec.json.encode(runs))
    running = await make_table(origin, **more)
    board = running.table.watching.board
    await eventually(lambda: bool(board.origins()[0].pipeline and board.origins()[0].deploy), within=20)
    return running


RUN = {
    "id": 7,
    "name": "CI",
    "path": ".github/workflows/ci.yml",
    "status": "completed",
    "conclusion": "failure",
    "head_branch": "main",
    "head_sha": "b" * 40,
    "event": "push",
    "created_at": "2026-11-01T11:00:00Z",
    "updated_at": "2026-11-01T11:05:00Z",
    "run_started_at": "2026-11-01T11:00:00Z",
    "html_url": "https://github.com/acme/rocket/actions/runs/7",
    "display_title": "Fix",
    "run_attempt": 1,
}


@pytest.mark.parametrize(
    ("shown", "public", "seen"),
    [
        ("auto", True, DRAWN),
        ("auto", False, ("uptime",)),
        ("auto", None, ("uptime",)),
        ("public", False, DRAWN),
        ("closed", True, ()),
    ],
)
async def test_who_sees_a_badge_is_as_the_settings_say(
    make_table: Make, origin: FakeOrigin, shown: str, public: bool | None, seen: tuple[str, ...]
) -> None:
    running = await followed(make_table, origin, public=public, badges=shown)
    answers = {name: await running.client.get(f"/badge/hel1/{name}.svg") for name in DRAWN}
    assert tuple(name for name, answer in answers.items() if answer.status_code == 200) == seen
    nowhere = await running.client.get("/badge/nowhere/uptime.svg")
    for answer in answers.values():
        assert answer.headers["content-type"].startswith("image/svg+xml")
        if answer.status_code == 404:
            assert (answer.text, answer.headers["cache-control"]) == (nowhere.text, "no-store")
    operator = await running.signed_in()
    for name in DRAWN:
        assert (await operator.get(f"/badge/hel1/{name}.svg")).status_code == 200


async def test_a_badge_may_be_kept_for_a_minute_and_is_asked_for_again(make_table: Make, origin: FakeOrigin) -> None:
    running = await followed(make_table, origin)
    first = await running.client.get("/badge/hel1/deploy.svg")
    assert first.headers["cache-control"] == "public, max-age=60"
    assert "default-src 'none'" in first.headers["content-security-policy"]
    again = await running.client.get("/badge/hel1/deploy.svg", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await running.client.head("/badge/hel1/deploy.svg")).status_code in (200, 405)


@pytest.mark.parametrize(
    "path", ["/badge/hel1/other.svg", "/badge/<script>/uptime.svg", "/badge/" + "x" * 5000 + "/uptime.svg"]
)
async def test_there_is_a_grey_badge_for_what_there_is_not(running: Running, path: str) -> None:
    answer = await running.client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "image/svg+xml; charset=utf-8")
    assert ET.fromstring(answer.text).tag.endswith("svg")
    assert "script" not in answer.text


async def test_cctray_tells_of_workflows_and_deployments(make_table: Make, origin: FakeOrigin) -> None:
    running = await followed(make_table, origin)
    operator = await running.signed_in()
    answer = await operator.get("/api/cctray.xml")
    assert answer.headers["content-type"] == "application/xml; charset=utf-8"
    projects = {one.attrib["name"]: one.attrib for one in ET.fromstring(answer.text)}
    assert projects.keys() == {"acme/rocket :: CI :: main", "hel1 :: deploy :: production"}
    assert projects["acme/rocket :: CI :: main"]["lastBuildStatus"] == "Failure"
    assert projects["hel1 :: deploy :: production"]["lastBuildLabel"] == "a" * 7
    asked = len(origin.asked)
    assert (await operator.get("/api/cctray.xml")).text == answer.text
    assert [one for one in origin.asked[asked:] if "actions/runs" in one] == []


async def test_wallboards_show_what_they_have_in_any_way(make_table: Make, origin: FakeOrigin) -> None:
    running = await followed(make_table, origin)
    operator = await running.signed_in()
    link = (await operator.post("/api/links", json={"name": "CCMenu"})).json()
    token = await running.table.operating.sessions.new_token("ci", "viewer")

    def basic(password: str) -> dict[str, str]:
        return {"authorization": "Basic " + base64.b64encode(f"any:{password}".encode()).decode()}

    async def status(query: str = "", headers: dict[str, str] | None = None) -> int:
        return (await running.client.get(f"/api/cctray.xml{query}", headers=headers)).status_code

    for secret in (link["token"], token):
        assert await status(headers={"authorization": f"Bearer {secret}"}) == 200
        assert await status(headers=basic(secret)) == 200
    assert await status(f"?link={link['token']}") == 200
    assert await status(f"?link={token}") == 401  # an API token does not belong into an address
    for wrong in ({}, basic("wrong"), basic(""), {"authorization": "Basic %%%"}, {"authorization": "Bearer "}):
        assert await status(headers=wrong) == 401
    await operator.delete(f"/api/links/{link['id']}")
    assert await status(f"?link={link['token']}") == 401


async def test_a_link_opens_badges_and_projects_of_its_origins_only(make_table: Make, origin: FakeOrigin) -> None:
    running = await followed(make_table, origin, public=False)
    operator = await running.signed_in()
    wide = (await operator.post("/api/links", json={"name": "w", "origins": ["hel1"]})).json()["token"]
    assert (await running.client.get(f"/badge/hel1/deploy.svg?link={wide}")).status_code == 200
    answer = await running.client.get(f"/badge/hel1/deploy.svg?link={wide}")
    assert answer.headers["cache-control"] == "private, no-cache"
    assert (await running.client.get("/badge/hel1/deploy.svg?link=wrong")).status_code == 404
