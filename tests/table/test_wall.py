"""Links to the wall, and what they show."""

import io
import json
from pathlib import Path

import httpx2
import msgspec
import pytest
from tests.fakes.asgi import OpenStream
from tests.fakes.origin import FakeOrigin, fake_origin
from tests.fakes.waiting import eventually
from tests.table.conftest import Make
from tests.table.running import Running

from chimney.config import FollowedOrigin
from chimney.store.links import LinkStore
from chimney.table.links import MOST

PAGE = "<!doctype html><title>chimney</title>"


async def make(operator: httpx2.AsyncClient, **more: object) -> dict[str, str]:
    answer = await operator.post("/api/links", json={"name": "Kitchen", **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, str] = answer.json()
    return made


async def watch(running: Running, token: str) -> OpenStream:
    return await running.stream("/api/wall/stream", running.client, authorization=f"Bearer {token}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text(PAGE)
    return page


async def test_a_link_is_shown_once_and_kept_as_a_hash(running: Running, operator: httpx2.AsyncClient) -> None:
    made = await make(operator, expires_in_days=1)
    token = made["token"]
    assert len(token.removeprefix("chimtv_")) * 6 >= 160  # bits, in base64
    assert made["path"] == f"/tv/{token}"
    (listed,) = (await operator.get("/api/links")).json()["items"]
    assert "token" not in listed
    assert (listed["name"], listed["created_by"], listed["last_used_at"]) == ("Kitchen", "operator", None)
    (kept,) = await LinkStore(running.table.database).all()
    assert token.encode() not in msgspec.json.encode(kept)


async def test_the_wall_is_told_at_once_and_as_it_changes(make_table: Make, origin: FakeOrigin) -> None:
    running = await make_table(origin)
    made = await make(await running.signed_in())
    board = running.table.watching.board
    await eventually(lambda: bool(board.origins()[0].pipeline and board.origins()[0].deploy), within=20)
    stream = await watch(running, made["token"])
    hello = json.loads((await stream.next()).data)
    wall = json.loads((await stream.next("wall")).data)
    assert hello["boot"] == running.table.boot
    assert [(one["name"], one["state"], one["repo"]) for one in wall["origins"]] == [("hel1", "up", "acme/rocket")]
    assert wall["origins"][0]["last"]["revision"] == "a" * 40
    assert origin.url not in json.dumps(wall)
    await origin.stop()
    while not (items := json.loads((await stream.next("wall")).data)["findings"]):
        pass
    assert items[0]["origin"] == "hel1"


async def test_a_link_may_show_some_origins_only(make_table: Make, origin: FakeOrigin) -> None:
    async with fake_origin() as other:
        running = await make_table(origin, FollowedOrigin(name="nbg1", url=other.url))
        operator = await running.signed_in()
        made = await make(operator, origins=["nbg1"])
        everything = await make(operator)
        seen = json.loads((await (await watch(running, made["token"])).next("wall")).data)
        assert [one["name"] for one in seen["origins"]] == ["nbg1"]
        seen = json.loads((await (await watch(running, everything["token"])).next("wall")).data)
        assert [one["name"] for one in seen["origins"]] == ["hel1", "nbg1"]
        await origin.stop()
        await eventually(lambda: any(one.origin == "hel1" for one in running.table.watching.watch.current.items))
        seen = json.loads((await (await watch(running, made["token"])).next("wall")).data)
        assert "hel1" not in json.dumps(seen)


@pytest.mark.parametrize("days", [0.00001, None], ids=["expired", "revoked"])
async def test_a_wall_goes_dark_with_its_link(make_table: Make, folder: Path, days: float | None) -> None:
    running = await make_table(page=folder)
    operator = await running.signed_in()
    made = await make(operator, **({} if days is None else {"expires_in_days": days}))
    spared = await watch(running, (await make(operator))["token"])
    stream = await watch(running, made["token"])
    await stream.next("wall")
    if days is None:
        assert (await operator.delete(f"/api/links/{made['id']}")).status_code == 204
    await stream.ended()
    assert (await watch(running, made["token"])).status == 401
    assert (await running.client.get(made["path"])).status_code == 404
    assert not spared.task.done()
    assert len((await operator.get("/api/links")).json()["items"]) == 1


async def test_a_link_survives_the_restart_of_the_table(make_table: Make, folder: Path) -> None:
    running = await make_table(page=folder)
    made = await make(await running.signed_in())
    await running.stop()
    again = await make_table(page=folder)
    assert await (await watch(again, made["token"])).next("wall")
    assert (await again.client.get(made["path"])).status_code == 200
    (listed,) = (await (await again.signed_in()).get("/api/links")).json()["items"]
    assert listed["watching"] == 1
    assert listed["last_used_at"]


async def test_the_page_is_behind_every_link_that_is_known(make_table: Make, folder: Path) -> None:
    running = await make_table(page=folder)
    made = await make(await running.signed_in())
    answer = await running.client.get(made["path"])
    assert (answer.status_code, answer.text, answer.headers["cache-control"]) == (200, PAGE, "no-store")
    assert answer.headers["referrer-policy"] == "no-referrer"
    for wrong in ("/tv/wrong", "/tv/", "/tv/" + "x" * 5000, made["path"] + "x"):
        answer = await running.client.get(wrong)
        assert (answer.status_code, answer.text) == (404, PAGE)


async def test_the_token_is_in_no_log(make_table: Make, folder: Path) -> None:
    running = await make_table(page=folder)
    operator = await running.signed_in()
    token = (await make(operator))["token"]
    await running.client.get(f"/tv/{token}")
    await running.client.post(f"/tv/{token}", json={})
    await running.client.get(f"/api/cctray.xml?link={token}")
    await running.client.get(f"/api/cctray.xml/{token}")
    await running.client.get("/api/nothing", headers={"x-request-id": "after"})
    written = running.table._pipe._stream.buffer
    assert isinstance(written, io.BytesIO)
    await eventually(lambda: b'"after"' in written.getvalue(), within=20)
    lines = written.getvalue().decode()
    assert token not in lines
    assert "chim…masked" in lines
    assert "GET /tv/{token} 200" in lines


async def test_an_origin_that_is_not_followed_is_named(running: Running, operator: httpx2.AsyncClient) -> None:
    answer = await operator.post("/api/links", json={"name": "x", "origins": ["nope"]})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == "$.origins[0]"


@pytest.mark.parametrize(
    "wrong", [{}, {"name": ""}, {"name": "x" * 101}, {"name": "x", "expires_in_days": 0}, {"name": "x", "more": 1}]
)
async def test_nonsense_is_refused_with_its_path(operator: httpx2.AsyncClient, wrong: dict[str, object]) -> None:
    answer = await operator.post("/api/links", json=wrong)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"].startswith("$")


async def test_there_are_not_too_many_links(operator: httpx2.AsyncClient) -> None:
    for _ in range(MOST):
        await make(operator)
    answer = await operator.post("/api/links", json={"name": "one too many"})
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("#too-many-links")


async def test_a_link_that_there_is_not_is_404(operator: httpx2.AsyncClient) -> None:
    assert (await operator.delete("/api/links/nope")).status_code == 404


async def test_a_viewer_neither_makes_nor_sees_links(running: Running) -> None:
    token = await running.table.operating.sessions.new_token("ci", "viewer")
    bearer = {"authorization": f"Bearer {token}"}
    assert (await running.client.get("/api/links", headers=bearer)).status_code == 403
    assert (await running.client.post("/api/links", json={"name": "x"}, headers=bearer)).status_code == 403


async def test_making_and_revoking_are_in_the_audit(operator: httpx2.AsyncClient) -> None:
    made = await make(operator)
    await operator.delete(f"/api/links/{made['id']}")
    acts = (await operator.get("/api/audit")).text
    assert {"link_make", "link_revoke"} == {one["act"] for one in json.loads(acts)["items"]}
    assert made["token"] not in acts


async def test_streams_end_when_the_table_drains(running: Running, operator: httpx2.AsyncClient) -> None:
    stream = await watch(running, (await make(operator))["token"])
    await running.table.drain()
    assert b"retry:" in await stream.ended()
