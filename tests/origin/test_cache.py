"""GitHub through one cache: fresh when it can be, old when it must be, one fetch per key at a time."""

import asyncio
import logging
import time
import traceback
from collections.abc import AsyncIterator

import httpx2
import pytest
from tests.conftest import until
from tests.fakes.github import HOST, QUOTA, GitHub, fails, raw, says, validated
from tests.fakes.github import Answer as Script

from chimney.core.grammar import Kind
from chimney.github.client import GitHubClient
from chimney.origin.answer import Answer, Result, key_of
from chimney.origin.cache import FAILURE_SECONDS, GONE_SECONDS, GitHubCache
from chimney.store.memory import MemoryStore
from chimney.web.problem import ProblemError

KEY = key_of(Kind.PULLS, "/repos/acme/rocket/pulls", "state=open")
OTHER = key_of(Kind.ISSUES, "/repos/acme/rocket/issues", "")
FRESH, SWR = KEY.policy.max_age, KEY.policy.max_age + KEY.policy.while_revalidate


class Bench:
    """A cache over a scripted GitHub, with a hand on the age of what it holds."""

    def __init__(self) -> None:
        self.github = GitHub(validated({"n": 1}, "one"))
        self.store = MemoryStore()
        self.client = GitHubClient(HOST, "t", transport=self.github, deadline_seconds=0.5)
        self.cache = GitHubCache(self.client, self.store)

    async def get(self) -> Answer:
        return await self.cache.get(KEY)

    def age(self, seconds: float) -> None:
        stored = self.store.get(KEY.text)
        assert stored
        stored.validated_at -= seconds
        stored.gone_at = stored.gone_at and stored.gone_at - seconds

    async def asked(self, times: int) -> None:
        await until(lambda: len(self.github.asked) >= times and not self.cache._flights)
        assert len(self.github.asked) == times


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    await bench.cache.close()
    await bench.client.close()


async def test_the_first_asker_gets_a_miss_and_the_next_a_hit(bench: Bench) -> None:
    first, second = await bench.get(), await bench.get()
    assert (first.result, second.result) == (Result.MISS, Result.HIT)
    assert first.response is second.response
    assert bench.cache.fresh(KEY) is first.response
    assert bench.github.paths == ["/repos/acme/rocket/pulls?state=open"]
    assert (bench.cache.hits, bench.cache.misses) == (2, 1)


async def test_nothing_stored_or_nothing_fresh_is_for_get_to_decide(bench: Bench) -> None:
    assert bench.cache.fresh(KEY) is None
    await bench.get()
    bench.age(FRESH)
    assert bench.cache.fresh(KEY) is None


async def test_a_stale_response_is_answered_at_once_and_revalidated_behind(bench: Bench) -> None:
    await bench.get()
    bench.age(FRESH + 1)
    assert (await bench.get()).result is Result.STALE
    await bench.asked(2)
    assert (await bench.get()).result is Result.HIT
    assert bench.github.asked[1].headers["if-none-match"] == 'W/"one"'


async def test_a_change_found_behind_is_what_the_next_asker_gets(bench: Bench) -> None:
    await bench.get()
    bench.age(FRESH + 1)
    bench.github.then(validated({"n": 2}, "two"))
    assert (await bench.get()).response.body == b'{"n": 1}'
    await bench.asked(2)
    assert (await bench.get()).response.body == b'{"n": 2}'


async def test_an_old_response_is_revalidated_first_and_the_strong_tag_of_the_304_is_kept(bench: Bench) -> None:
    await bench.get()
    bench.age(SWR + 1)
    answer = await bench.get()
    assert (answer.result, answer.response.etag) == (Result.REVALIDATED, '"one"')
    assert answer.response.body == b'{"n": 1}'
    assert time.time() - answer.response.validated_at < 2


async def test_the_validator_of_another_token_is_not_sent(bench: Bench) -> None:
    stored = (await bench.get()).response
    stored.identity = "another"
    bench.age(SWR + 1)
    assert (await bench.get()).result is Result.MISS
    assert "if-none-match" not in bench.github.asked[1].headers


ERRORS: list[tuple[str, Script]] = [
    ("500", says(status=500)),
    ("502", raw(b"<html>unicorn</html>", status=502, content_type="text/html")),
    (
        "rate limit",
        says({"message": "API rate limit exceeded"}, status=403, x_ratelimit_remaining="0", retry_after="9"),
    ),
    ("forbidden", says({"message": "Resource not accessible"}, status=403)),
    ("unauthorized", says(status=401)),
    ("not found once", says(status=404)),
    ("gone once", says(status=410)),
    ("validation failed", says(status=422)),
    ("page of a proxy", raw(b"<html>", content_type="text/html")),
    ("truncated", raw(b'{"n": ')),
    ("empty", raw(b"")),
    ("not modified without being asked", raw(b"", status=304)),
    ("foreign redirect", says(status=302, location="https://evil.test/")),
    ("no connection", fails(httpx2.ConnectError("refused"))),
    ("broken off", fails(httpx2.ReadError("reset"))),
]


@pytest.mark.parametrize("error", [error for _, error in ERRORS], ids=[name for name, _ in ERRORS])
async def test_an_error_never_replaces_a_good_response(bench: Bench, error: Script) -> None:
    good = (await bench.get()).response
    good.identity = "so that no 304 is due"
    bench.age(SWR + 1)
    bench.github.then(error)
    answer = await bench.get()
    assert (answer.result, answer.response.body) == (Result.STALE, b'{"n": 1}')
    assert answer.problem is not None
    assert bench.store.get(KEY.text) is good


async def test_a_github_that_hangs_costs_its_deadline_and_then_the_old_response_is_told(bench: Bench) -> None:
    await bench.get()
    bench.age(SWR + 1)
    bench.github.gate.clear()
    answer = await asyncio.wait_for(bench.get(), 2)
    assert answer.result is Result.STALE
    assert answer.problem is not None
    assert answer.problem.code == "unreachable"


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (says(status=500), 502, "github-unexpected"),
        (says(status=403), 502, "github-refused"),
        (says(status=401), 502, "github-unauthorized"),
        (says(status=429, retry_after="33"), 503, "github-rate-limited"),
        (fails(httpx2.ConnectError("refused")), 504, "github-unreachable"),
    ],
)
async def test_with_nothing_stored_an_error_is_a_problem(bench: Bench, error: Script, status: int, slug: str) -> None:
    bench.github.then(error)
    with pytest.raises(ProblemError) as refused:
        await bench.get()
    assert (refused.value.status, refused.value.slug) == (status, slug)
    if status == 503:
        assert dict(refused.value.headers) == {b"retry-after": b"33"}
    assert len(bench.store) == 0


async def test_an_old_response_does_not_stand_in_for_ever(bench: Bench) -> None:
    await bench.get()
    bench.age(KEY.policy.max_age + KEY.policy.if_error)
    bench.github.then(says(status=500))
    with pytest.raises(ProblemError):
        await bench.get()


async def test_an_absence_is_kept_for_a_short_while(bench: Bench) -> None:
    bench.github.then(says({"message": "Not Found"}, status=404))
    assert (await bench.get()).response.status == 404
    assert (await bench.get()).result is Result.HIT
    bench.age(10)
    bench.github.then(says({"n": 1}))
    assert (await bench.get()).response.status == 200


async def test_an_absence_that_is_told_again_replaces_a_good_response(bench: Bench) -> None:
    await bench.get()
    bench.github.then(says(status=404))
    bench.age(SWR + 1)
    assert (await bench.get()).response.status == 200
    bench.age(GONE_SECONDS + SWR)
    bench.cache._failures.clear()
    assert (await bench.get()).response.status == 404


async def test_five_hundred_askers_of_a_cold_key_cost_one_request(bench: Bench) -> None:
    bench.github.gate.clear()
    asking = [asyncio.create_task(bench.get()) for _ in range(500)]
    await until(lambda: bench.github.asked)
    bench.github.gate.set()
    answers = await asyncio.gather(*asking)
    assert len(bench.github.asked) == 1
    assert [answer.result for answer in answers].count(Result.MISS) == 1
    assert [answer.result for answer in answers].count(Result.COLLAPSED) == 499


async def test_five_hundred_askers_of_a_failing_key_cost_one_request(bench: Bench) -> None:
    bench.github.then(says(status=500))
    outcomes = await asyncio.gather(*(bench.get() for _ in range(500)), return_exceptions=True)
    more = await asyncio.gather(*(bench.get() for _ in range(500)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes + more} == {ProblemError}
    assert len(bench.github.asked) == 1


async def test_a_failure_is_tried_again_after_a_moment(bench: Bench) -> None:
    bench.github.then(says(status=500), says({"n": 1}))
    with pytest.raises(ProblemError):
        await bench.get()
    failure = bench.cache._failures[KEY.text]
    bench.cache._failures[KEY.text] = failure._replace(at=failure.at - FAILURE_SECONDS)
    assert (await bench.get()).response.status == 200
    assert not bench.cache._failures


async def test_a_failing_key_keeps_no_stacks_of_those_who_asked(bench: Bench) -> None:
    bench.github.then(says(status=500))
    for _ in range(200):
        with pytest.raises(ProblemError):
            await bench.get()
    failure = bench.cache._failures[KEY.text].error
    assert len(list(traceback.walk_tb(failure.__traceback__))) < 20


async def test_a_wait_that_github_asked_for_is_logged_once_not_once_a_key(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.github.then(says(status=429, retry_after="30"))
    with caplog.at_level(logging.WARNING):
        for key in (KEY, OTHER, KEY):
            bench.cache._failures.clear()
            with pytest.raises(ProblemError):
                await bench.cache.get(key)
    assert len(caplog.records) == 1
    assert len(bench.github.asked) == 1


async def test_an_asker_who_goes_away_takes_nothing_with_him(bench: Bench) -> None:
    bench.github.gate.clear()
    first, second = asyncio.create_task(bench.get()), asyncio.create_task(bench.get())
    await until(lambda: bench.github.asked)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    bench.github.gate.set()
    assert (await second).response.status == 200
    assert len(bench.github.asked) == 1


async def test_a_fetch_whose_askers_are_all_gone_is_stored_all_the_same(bench: Bench) -> None:
    bench.github.gate.clear()
    only = asyncio.create_task(bench.get())
    await until(lambda: bench.github.asked)
    only.cancel()
    await asyncio.gather(only, return_exceptions=True)
    bench.github.gate.set()
    await until(lambda: bench.cache.fresh(KEY))


async def test_keys_do_not_wait_for_each_other(bench: Bench) -> None:
    await bench.get()
    bench.github.gate.clear()
    waiting = asyncio.create_task(bench.cache.get(OTHER))
    assert (await asyncio.wait_for(bench.get(), 0.2)).result is Result.HIT
    bench.github.gate.set()
    await waiting


async def test_a_response_evicted_while_it_is_asked_about_is_kept_after_its_304(bench: Bench) -> None:
    await bench.get()
    bench.age(SWR + 1)
    bench.github.gate.clear()
    asking = asyncio.create_task(bench.get())
    await until(lambda: len(bench.github.asked) == 2)
    bench.store.clear()
    bench.github.gate.set()
    assert (await asking).response.body == b'{"n": 1}'
    assert bench.store.get(KEY.text) is not None


async def test_a_wait_over_an_hour_leaves_the_old_response_and_says_until_when(bench: Bench) -> None:
    await bench.get()
    bench.age(SWR + 1)
    bench.github.then(says(status=403, **{**QUOTA, "x-ratelimit-remaining": "0"}))
    answer = await bench.get()
    assert answer.problem is not None
    assert "primary rate limit until" in str(answer.problem)
