"""What GitHub is asked after webhooks changed or doubted a stored response, where its tags can be computed."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.fakes.github import says, tagged
from tests.fakes.waiting import eventually
from tests.origin.patching import COMMITS, PULLS, Bench, pull, pushed, told

from chimney.core.freshness import PATCHED

LIFETIME = PULLS.policy.max_age


def statuses(bench: Bench) -> list[bool]:
    """Of each request to GitHub whether it was conditional."""
    return ["if-none-match" in request.headers for request in bench.github.asked]


def grow_old(bench: Bench, seconds: float) -> None:
    held = bench.held()
    held.validated_at -= seconds
    if held.patched_since is not None:
        held.patched_since -= seconds


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    await bench.close()


@pytest.fixture
async def patched(bench: Bench) -> Bench:
    """The pulls are stored, and patched by one delivery."""
    bench.github.then(tagged([pull(1, 10)]))
    await bench.see()
    await bench.tell(told(2, 20))
    return bench


async def see_after(bench: Bench, seconds: float) -> Any:
    grow_old(bench, seconds)
    await bench.see()
    await eventually(lambda: bench.held().patched_since is None)
    return await bench.see()


async def test_a_patched_response_that_is_githubs_to_the_byte_is_confirmed_for_nothing(patched: Bench) -> None:
    both = [pull(2, 20), pull(1, 10)]
    patched.github.then(tagged(both))
    before = patched.held().etag
    assert await see_after(patched, LIFETIME + 1) == both
    assert statuses(patched) == [False, True]
    held = patched.held()
    assert (held.etag, held.as_of, held.lifetime) == ((before or "").removeprefix("W/"), None, LIFETIME)


async def test_what_no_webhook_told_shows_after_the_usual_lifetime(patched: Bench) -> None:
    patched.github.then(tagged([pull(3, 30)]))
    assert await see_after(patched, LIFETIME + 1) == [pull(3, 30)]


async def differ(patched: Bench, minute: int) -> None:
    """GitHub's answer turns out to be another one than what a webhook made of it."""
    patched.github.then(tagged([pull(0, minute)]))
    assert await see_after(patched, LIFETIME + 1) == [pull(0, minute)]
    await patched.tell(told(4, minute + 1))


async def test_where_patches_twice_were_not_githubs_answer_to_the_byte_they_last_an_hour(patched: Bench) -> None:
    await differ(patched, 30)
    assert patched.held().lifetime == LIFETIME
    await differ(patched, 40)
    grow_old(patched, LIFETIME + 1)
    assert len(await patched.see()) == 2
    assert patched.held().lifetime == PATCHED.max_age
    assert len(patched.github.asked) == 3


async def test_that_is_forgotten_once_a_patch_was_exact(patched: Bench) -> None:
    await differ(patched, 30)
    await differ(patched, 40)
    patched.github.then(tagged([pull(4, 41), pull(0, 40)]))
    await see_after(patched, PATCHED.max_age + 1)
    await patched.tell(told(5, 50))
    assert patched.held().lifetime == LIFETIME


async def test_without_computed_tags_a_patched_response_lasts_an_hour(bench: Bench) -> None:
    bench.github.then(says([pull(1, 10)], etag='"0123"'))
    await bench.see()
    await bench.tell(told(2, 20))
    assert bench.held().lifetime == PATCHED.max_age


async def test_what_is_in_doubt_costs_nothing_until_it_has_changed(bench: Bench) -> None:
    bench.looking()
    old, new = tagged([{"sha": "a"}]), tagged([{"sha": "b"}])
    bench.github.then(old)
    await bench.see(COMMITS)
    await bench.tell(pushed("b"))
    bench.github.then(old, old, new)
    assert await bench.see(COMMITS) == [{"sha": "a"}]
    await eventually(lambda: bench.held(COMMITS).body == b'[{"sha":"b"}]')
    assert statuses(bench) == [False, True, True, True]
    await eventually(lambda: not bench.patches.looks.waiting)


async def test_after_three_more_looks_what_was_in_doubt_is_good(bench: Bench) -> None:
    bench.looking()
    bench.github.then(tagged([{"sha": "a"}]))
    await bench.see(COMMITS)
    await bench.tell(pushed("b"))
    await bench.see(COMMITS)
    await eventually(lambda: len(bench.github.asked) == 5 and not bench.patches.looks.waiting)
    assert statuses(bench) == [False, True, True, True, True]
    assert bench.cache.fresh(COMMITS)
