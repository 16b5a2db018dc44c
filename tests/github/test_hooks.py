"""What GitHub could not deliver, and its delivering it again."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from tests.fakes.github import HOST, GitHub, says

from chimney.github.client import GitHubClient
from chimney.github.errors import UnexpectedError
from chimney.github.hooks import Hooks, NotPermittedError

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)


def attempt(number: int, hour: int = 13, status: str = "OK") -> dict[str, object]:
    at = f"2026-11-15T{hour:02}:00:00Z"
    return {"id": number, "guid": f"g{number}", "delivered_at": at, "status": status, "event": "push"}


@pytest.fixture
def github() -> GitHub:
    return GitHub()


@pytest.fixture
async def hooks(github: GitHub) -> AsyncIterator[Hooks]:
    client = GitHubClient(HOST, "t", transport=github)
    yield Hooks(client, "acme/rocket")
    await client.close()


async def test_ours_are_those_that_are_active_and_lead_to_an_origin(github: GitHub, hooks: Hooks) -> None:
    path = "/api/webhooks/github"
    github.then(says([
        {"id": 1, "active": True, "config": {"url": f"https://origin.localhost{path}"}},
        {"id": 2, "active": False, "config": {"url": f"https://origin.localhost{path}"}},
        {"id": 3, "active": True, "config": {"url": "https://elsewhere.test/hook"}},
        {"id": 4, "active": True, "config": {}},
    ]))  # fmt: skip
    assert await hooks.ours() == [1]
    assert github.paths == ["/repos/acme/rocket/hooks?per_page=100"]


async def test_attempts_are_read_page_by_page_until_they_are_older(github: GitHub, hooks: Hooks) -> None:
    link = '<https://elsewhere.test/x?per_page=9&cursor=v1_77>; rel="next"'
    github.then(
        says([attempt(5), attempt(4, status="timed out")], link=link), says([attempt(3), attempt(2, 11)], link=link)
    )
    assert [(one.id, one.status) for one in await hooks.since(9, NOON)] == [(5, "OK"), (4, "timed out"), (3, "OK")]
    asked = "/repos/acme/rocket/hooks/9/deliveries?per_page=100"
    assert github.paths == [asked, f"{asked}&cursor=v1_77"]


async def test_a_cursor_that_is_none_ends_the_reading(github: GitHub, hooks: Hooks) -> None:
    github.then(says([attempt(5)], link='<https://x.test/?cursor=1%26a%3Db>; rel="next"'))
    assert len(await hooks.since(9, NOON)) == 1
    assert len(github.asked) == 1


async def test_another_attempt_is_asked_for_by_post(github: GitHub, hooks: Hooks) -> None:
    github.then(says({}, status=202), says({"message": "Not Found"}, status=404))
    assert (await hooks.again(9, 5), await hooks.again(9, 6)) == (True, False)
    assert [(one.method, one.url.path) for one in github.asked] == [
        ("POST", "/repos/acme/rocket/hooks/9/deliveries/5/attempts"),
        ("POST", "/repos/acme/rocket/hooks/9/deliveries/6/attempts"),
    ]


async def test_a_post_that_is_redirected_is_not_followed(github: GitHub, hooks: Hooks) -> None:
    github.then(says({}, status=307, location=f"{HOST}/elsewhere"))
    assert not await hooks.again(9, 5)
    assert len(github.asked) == 1


@pytest.mark.parametrize("status", [403, 404])
async def test_a_token_that_may_not_ask_is_told_apart(github: GitHub, hooks: Hooks, status: int) -> None:
    github.then(says({"message": "no"}, status=status))
    with pytest.raises(NotPermittedError):
        await hooks.ours()


@pytest.mark.parametrize("answer", [says({"a": 1}), says([{"id": "x"}]), says([], status=422)])
async def test_another_shape_is_an_error_of_githubs(github: GitHub, hooks: Hooks, answer: object) -> None:
    github.then(answer)  # type: ignore[arg-type]
    with pytest.raises(UnexpectedError):
        await hooks.ours()
