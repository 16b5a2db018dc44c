"""One GET to GitHub: conditional, bounded, within one host, and patient when GitHub asks for it."""

import asyncio
import time
import traceback
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest
from tests.conftest import until
from tests.fakes.github import HOST, GitHub, fails, raw, says, validated

from chimney.core.budget import Need
from chimney.github.client import BODY_LIMIT, CONCURRENT, GitHubClient
from chimney.github.errors import (
    BudgetError,
    GitHubError,
    RateLimitedError,
    UnauthorizedError,
    UnexpectedError,
    UnreachableError,
)

Make = Callable[..., GitHubClient]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    clients: list[GitHubClient] = []

    def make(github: GitHub, *, token: str | None = "ghp_secret", url: str = HOST, within: float = 5) -> GitHubClient:
        clients.append(GitHubClient(url, token, transport=github, deadline_seconds=within))
        return clients[-1]

    yield make
    for client in clients:
        await client.close()


async def test_one_accept_and_our_own_user_agent_are_sent_with_the_token(make: Make) -> None:
    github = GitHub()
    reply = await make(github).get("/repos/a/b", "page=2")
    assert (reply.status, github.paths) == (200, ["/repos/a/b?page=2"])
    headers = github.asked[0].headers
    assert headers["authorization"] == "Bearer ghp_secret"
    assert headers["accept"] == "application/vnd.github+json"
    assert headers["user-agent"].startswith("chimney/")
    assert headers["x-github-api-version"] == "2022-11-28"
    assert headers["host"] == "api.github.test"


async def test_without_a_token_nothing_is_sent_for_it(make: Make) -> None:
    github = GitHub()
    client = make(github, token=None)
    await client.get("/x")
    assert "authorization" not in github.asked[0].headers
    assert client.authenticated is False


async def test_a_validator_is_sent_and_a_304_told(make: Make) -> None:
    github = GitHub(validated({"n": 1}, "abc"))
    client = make(github)
    first = await client.get("/x")
    again = await client.get("/x", etag=first.etag)
    assert (first.status, again.status, again.body) == (200, 304, b"")
    assert again.etag == '"abc"'


async def test_a_rename_within_the_host_is_followed_with_the_token(make: Make) -> None:
    github = GitHub(says(status=301, location=f"{HOST}/repositories/1"), says({"n": 2}))
    assert (await make(github).get("/repos/old/name")).status == 200
    assert github.paths == ["/repos/old/name", "/repositories/1"]
    assert github.asked[1].headers["authorization"] == "Bearer ghp_secret"


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.test/x",
        "http://api.github.test/x",
        "//evil.test/x",
        "http://169.254.169.254/latest",
        "http://127.0.0.1:2019/config",
        "https://api.github.test:8443/x",
        "https://api.github.test@evil.test/x",
        "https://api.github.test.evil.test/x",
        "https://api.github.test\\\\@evil.test/x",
        "file:///etc/passwd",
    ],
)
async def test_a_redirect_to_anywhere_else_is_refused_and_the_token_stays(make: Make, location: str) -> None:
    github = GitHub(says(status=302, location=location), says({"stolen": True}))
    with pytest.raises(UnexpectedError) as refused:
        await make(github).get("/x")
    assert "secret" not in str(refused.value)
    assert {request.url.host for request in github.asked} == {"api.github.test"}
    assert len(github.asked) == 1


async def test_redirects_in_a_circle_end(make: Make) -> None:
    github = GitHub(says(status=302, location=f"{HOST}/x"))
    with pytest.raises(UnexpectedError, match="more than three times"):
        await make(github).get("/x")
    assert len(github.asked) == 4


async def test_a_body_larger_than_ten_mebibytes_is_refused(make: Make) -> None:
    with pytest.raises(UnexpectedError, match="10 MiB"):
        await make(GitHub(raw(b'"' + b"x" * BODY_LIMIT + b'"'))).get("/x")
    whole = b'"' + b"x" * (BODY_LIMIT - 2) + b'"'
    assert len((await make(GitHub(raw(whole))).get("/x")).body) == BODY_LIMIT


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"<html>unicorn</html>", "text/html"),
        (b"<html>", "application/json"),
        (b'{"n": [1, 2', "application/json"),
        (b"", "application/json"),
        (b'{"n": "\xff"}', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"n": 1} trailing', "application/json"),
    ],
)
async def test_a_200_that_is_not_whole_json_is_an_error(make: Make, content: bytes, content_type: str) -> None:
    client = make(GitHub(raw(content, content_type=content_type)))
    with pytest.raises(UnexpectedError, match="not JSON"):
        await client.get("/x")
    assert client.last_success is None


@pytest.mark.parametrize("status", [404, 410, 403, 422])
async def test_what_github_means_is_returned(make: Make, status: int) -> None:
    assert (await make(GitHub(says(status=status))).get("/x")).status == status


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_failure_of_github_is_an_error_until_it_answers_again(make: Make, status: int) -> None:
    client = make(GitHub(says(status=status), says()))
    with pytest.raises(UnexpectedError):
        await client.get("/x")
    assert client.health().problem == f"unexpected: GitHub answered {status}"
    await client.get("/x")
    assert client.health().problem is None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (httpx2.ConnectError("Name or service not known"), "no connection to GitHub"),
        (httpx2.ReadError("reset"), "broke off"),
        (httpx2.RemoteProtocolError("peer closed"), "broke off"),
        (httpx2.ReadTimeout("slow"), "did not answer within"),
    ],
)
async def test_no_answer_is_unreachable_and_says_why(make: Make, error: Exception, said: str) -> None:
    client = make(GitHub(fails(error)))
    with pytest.raises(UnreachableError, match=said):
        await client.get("/x")
    assert client.results == {"unreachable": 1}


async def test_a_request_that_hangs_ends_and_so_do_those_that_wait_behind_it(make: Make) -> None:
    github = GitHub()
    github.gate.clear()
    client = make(github, within=0.2)
    began = time.monotonic()
    outcomes = await asyncio.gather(*(client.get(f"/{n}") for n in range(CONCURRENT * 5)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {UnreachableError}
    assert time.monotonic() - began < 8


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry_after": "30"}, 30), ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": "0"}, 1), ({}, 60)],
)
async def test_while_github_asks_us_to_wait_nothing_is_asked(
    make: Make, headers: dict[str, str], seconds: float
) -> None:
    github = GitHub(says({"message": "secondary rate limit"}, status=403, **headers))
    client = make(github)
    with pytest.raises(RateLimitedError) as limited:
        await client.get("/x")
    assert limited.value.retry_at == pytest.approx(time.time() + seconds, abs=1)
    for path in ("/x", "/y"):
        with pytest.raises(RateLimitedError):
            await client.get(path)
    assert len(github.asked) == 1
    assert (client.health().problem or "").startswith("rate_limited: GitHub answered 403")


async def test_after_the_wait_github_is_asked_again(make: Make) -> None:
    github = GitHub(says(status=429, retry_after="1"), says())
    client = make(github)
    with pytest.raises(RateLimitedError):
        await client.get("/x")

    async def answered() -> int:
        while True:
            try:
                return (await client.get("/x")).status
            except RateLimitedError:
                await asyncio.sleep(0.02)

    assert await asyncio.wait_for(answered(), 5) == 200
    assert len(github.asked) == 2
    assert client.health().problem is None


async def test_those_who_wait_for_a_free_slot_ask_nothing_once_github_asked_us_to_wait(make: Make) -> None:
    github = GitHub(says(status=429, retry_after="30"))
    github.gate.clear()
    client = make(github)
    asking = [asyncio.create_task(client.get(f"/{n}")) for n in range(CONCURRENT * 3)]
    await until(lambda: len(github.asked) == CONCURRENT)
    github.gate.set()
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {RateLimitedError}
    assert len(github.asked) == CONCURRENT


async def test_an_answer_that_was_on_its_way_does_not_end_the_wait(make: Make) -> None:
    github = GitHub(says(), says(status=429, retry_after="30"))
    github.gate.clear()
    client = make(github)
    slow, limited = asyncio.create_task(client.get("/slow")), asyncio.create_task(client.get("/limited"))
    await until(lambda: len(github.asked) == 2)
    github.answers.reverse()
    github.gate.set()
    await asyncio.gather(slow, limited, return_exceptions=True)
    with pytest.raises(RateLimitedError):
        await client.get("/x")
    assert len(github.asked) == 2


async def test_a_refused_token_is_not_tried_again_and_again(make: Make) -> None:
    github = GitHub(says({"message": "Bad credentials"}, status=401))
    client = make(github)
    for _ in range(5):
        with pytest.raises(UnauthorizedError):
            await client.get("/x")
    assert len(github.asked) == 1
    assert (client.health().problem or "").startswith("unauthorized: ")


async def test_being_told_to_wait_a_thousand_times_keeps_no_stacks(make: Make) -> None:
    client = make(GitHub(says(status=429, retry_after="30")))
    told: list[GitHubError] = []
    for _ in range(200):
        try:
            await client.get("/x")
        except GitHubError as error:
            told.append(error)
    assert len(list(traceback.walk_tb(told[-1].__traceback__))) < 10


async def test_the_quota_is_what_the_last_answer_said(make: Make) -> None:
    client = make(
        GitHub(says(x_ratelimit_remaining="4200"), says(x_ratelimit_remaining="7", x_ratelimit_resource="search"))
    )
    assert client.health().rate_limit is None
    await client.get("/x")
    await client.get("/y")
    limit = client.health().rate_limit
    assert limit is not None
    assert (limit.limit, limit.remaining, limit.resource) == (5000, 4200, "core")


async def test_the_last_of_the_quota_is_kept_for_what_webhooks_say(make: Make) -> None:
    github = GitHub(says(x_ratelimit_remaining="42"), says(x_ratelimit_remaining="41"))
    client = make(github)
    await client.get("/x")
    with pytest.raises(BudgetError, match="kept for what webhooks say"):
        await client.get("/y")
    assert len(github.asked) == 1
    assert client.health().problem is None
    assert client.health().refused_for_budget == 1
    await client.get("/y", need=Need.URGENT)
    assert len(github.asked) == 2


@pytest.mark.parametrize("garbled", ["", "many", "-1", "²", "9" * 30])
async def test_a_garbled_quota_is_ignored(make: Make, garbled: str) -> None:
    github = GitHub(raw(b"{}", x_ratelimit_limit="1", x_ratelimit_remaining="1", x_ratelimit_reset=garbled))
    client = make(github)
    assert (await client.get("/x")).status == 200
    assert client.rate_limit is None


async def test_requests_are_counted_by_result(make: Make) -> None:
    client = make(GitHub(validated({"n": 1}, "a"), says(status=404), says(status=500)))
    first = await client.get("/x")
    client_etag = first.etag
    for _ in range(2):
        try:
            await client.get("/x", etag=client_etag)
        except UnexpectedError:
            continue
    assert client.results == {"2xx": 1, "4xx": 1, "5xx": 1, "unexpected": 1}


async def test_a_base_url_with_a_path_is_kept(make: Make) -> None:
    github = GitHub()
    await make(github, url="https://ghe.test/api/v3/").get("/repos/a/b")
    assert str(github.asked[0].url) == "https://ghe.test/api/v3/repos/a/b"
