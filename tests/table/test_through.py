"""An origin's own answers, through the table."""

import json

import httpx2
import pytest
from pydantic import SecretStr
from tests.fakes.origin import FakeOrigin
from tests.table.conftest import Make

from chimney.config import FollowedOrigin


@pytest.fixture
async def operator(make_table: Make, origin: FakeOrigin) -> httpx2.AsyncClient:
    followed = FollowedOrigin(name="hel1", url=origin.url, read_token=SecretStr("re"))
    return await (await make_table(followed)).signed_in()


def says(origin: FakeOrigin, path: str, status: int, body: object, kind: str = "application/json") -> None:
    origin.answers[path] = (status, {"content-type": kind}, json.dumps(body).encode())


async def test_an_answer_comes_through_with_its_query(operator: httpx2.AsyncClient, origin: FakeOrigin) -> None:
    says(origin, "/api/github/actions/runs", 200, {"total_count": 0})
    answer = await operator.get("/api/origins/hel1/github/actions/runs?per_page=5&branch=a%26b")
    assert (answer.status_code, answer.json()) == (200, {"total_count": 0})
    assert "/api/github/actions/runs?per_page=5&branch=a%26b" in origin.asked


@pytest.mark.parametrize(
    ("status", "told", "slug"),
    [
        (404, 404, "origin-refused"),
        (503, 503, "origin-refused"),
        (401, 502, "origin-refused-token"),
    ],
)
async def test_a_problem_comes_through_as_one(
    operator: httpx2.AsyncClient, origin: FakeOrigin, status: int, told: int, slug: str
) -> None:
    problem = {"type": "x", "title": "No", "status": status, "detail": "Because.", "instance": "r1"}
    says(origin, "/api/edge", status, problem, "application/problem+json")
    answer = await operator.get("/api/origins/hel1/edge")
    assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (told, slug)
    assert "Because." in answer.json()["detail"]


async def test_an_origin_that_is_gone_is_said(operator: httpx2.AsyncClient, origin: FakeOrigin) -> None:
    await origin.stop()
    answer = await operator.get("/api/origins/hel1/edge")
    assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (502, "origin-unreachable")


@pytest.mark.parametrize("path", ["hel1/audit", "hel1/logs/caddy/stream", "fsn1/edge", "hel1/github/%2e%2e/logs"])
async def test_nothing_else_is_asked(operator: httpx2.AsyncClient, origin: FakeOrigin, path: str) -> None:
    before = [asked for asked in origin.asked if "logs" in asked or "audit" in asked or "edge" in asked]
    assert (await operator.get(f"/api/origins/{path}")).status_code == 404
    assert [asked for asked in origin.asked if "logs" in asked or "audit" in asked or "edge" in asked] == before
