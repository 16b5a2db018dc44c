"""Deliveries over what is stored, and over what GitHub answers while its API is behind its webhooks."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest
from tests.fakes.github import fails, says, validated
from tests.fakes.waiting import eventually
from tests.origin.patching import COMMITS, COMPARE, PULLS, REPO, Bench, pull, pushed, told

from chimney.core.delivery import Delivery
from chimney.core.freshness import PATCHED
from chimney.core.grammar import Kind
from chimney.origin.answer import Result, key_of
from chimney.origin.patches import Applied
from chimney.store.deliveries import Known
from chimney.store.ports import StoredResponse
from chimney.wire.webhook import Outcome


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    await bench.close()


async def test_a_delivery_shows_at_once_without_asking_github(bench: Bench) -> None:
    await bench.see()
    applied = await bench.tell(told(2, 20))
    assert applied == [Applied(Outcome.APPLIED, [PULLS.text])]
    assert await bench.numbers() == [2, 1]
    assert len(bench.github.asked) == 1
    assert bench.forgotten == [REPO]


async def test_a_patched_response_has_a_validator_of_its_own_that_github_never_hears(bench: Bench) -> None:
    await bench.see()
    await bench.tell(told(2, 20))
    held = bench.held()
    assert held.etag
    assert held.etag.startswith('W/"chimney-')
    assert (held.last_modified, held.as_of) == (None, "2026-11-15T09:10:00Z")
    again = held.etag
    await bench.tell(told(3, 30))
    assert bench.held().etag != again
    bench.held().patched_since = time.time() - PATCHED.max_age - PATCHED.while_revalidate - 1
    bench.github.then(says([pull(9, 40)]))
    bench.patches._recent.clear()
    answer = await bench.cache.get(PULLS)
    assert (answer.result, await bench.numbers()) == (Result.MISS, [9])
    assert "if-none-match" not in bench.github.asked[-1].headers
    assert bench.held().patched_since is None


async def test_a_patched_response_stays_fresh_for_an_hour_and_then_is_looked_at(bench: Bench) -> None:
    await bench.see()
    await bench.tell(told(2, 20))
    bench.held().patched_since = time.time() - PATCHED.max_age + 10
    bench.held().validated_at -= 3000
    assert bench.cache.fresh(PULLS) is not None
    bench.held().patched_since = time.time() - PATCHED.max_age - 10
    assert bench.cache.fresh(PULLS) is None
    assert (await bench.cache.get(PULLS)).result is Result.STALE
    await eventually(lambda: len(bench.github.asked) == 2)


async def test_an_answer_that_was_on_its_way_when_the_delivery_came_has_it_laid_over(bench: Bench) -> None:
    bench.github.gate.clear()
    asking = asyncio.create_task(bench.see())
    await eventually(lambda: bench.github.asked)
    await bench.tell(told(2, 20))
    bench.github.gate.set()
    assert [one["number"] for one in await asking] == [2, 1]
    assert await bench.numbers() == [2, 1]


async def test_a_304_that_was_on_its_way_does_not_bring_back_what_a_delivery_changed(bench: Bench) -> None:
    await bench.see()
    bench.held().validated_at -= PULLS.policy.max_age + PULLS.policy.while_revalidate + 1
    bench.github.gate.clear()
    asking = asyncio.create_task(bench.see())
    await eventually(lambda: len(bench.github.asked) == 2)
    assert "if-none-match" in bench.github.asked[-1].headers
    await bench.tell(told(2, 20))
    bench.github.gate.set()
    await asking
    assert await bench.numbers() == [2, 1]


async def test_githubs_answer_after_the_delivery_may_be_behind_it(bench: Bench) -> None:
    await bench.tell(told(2, 20), told(1, 21, "closed", "closed"))
    assert await bench.numbers() == [2]


async def test_what_cannot_be_patched_is_asked_without_a_validator_and_before_anybody_is_answered(bench: Bench) -> None:
    bench.github.then(validated([{"sha": "a"}], "commits"))
    await bench.see(COMMITS)
    bench.github.then(validated([{"sha": "b"}, {"sha": "a"}], "more"))
    assert (await bench.tell(pushed("b")))[0].changed == [COMMITS.text]
    assert len(bench.github.asked) == 1
    assert [one["sha"] for one in await bench.see(COMMITS)] == ["b", "a"]
    assert "if-none-match" not in bench.github.asked[-1].headers
    await bench.see(COMMITS)
    assert len(bench.github.asked) == 2


async def test_what_is_doubted_is_still_told_when_github_gives_no_answer(bench: Bench) -> None:
    bench.github.then(validated([{"sha": "a"}], "commits"))
    await bench.see(COMMITS)
    await bench.tell(pushed("b"))
    bench.github.then(fails(OSError("gone")))
    answer = await bench.cache.get(COMMITS)
    assert (answer.result, json.loads(answer.response.body)) == (Result.STALE, [{"sha": "a"}])


async def test_an_answer_older_than_the_delivery_is_asked_for_again_until_it_is_not(bench: Bench) -> None:
    bench.looking()
    old, new = says([{"sha": "a"}]), says([{"sha": "b"}])
    bench.github.then(old, old, new)
    await bench.tell(pushed("b"))
    assert await bench.see(COMMITS) == [{"sha": "a"}]
    await eventually(lambda: bench.held(COMMITS).body == b'[{"sha": "b"}]')
    assert len(bench.github.asked) == 3
    assert not bench.patches.looks.waiting


async def test_after_three_more_looks_githubs_word_stands(bench: Bench) -> None:
    bench.looking()
    bench.github.then(says([{"sha": "a"}]))
    await bench.tell(pushed("b"))
    await bench.see(COMMITS)
    await eventually(lambda: len(bench.github.asked) == 4 and not bench.patches.looks.waiting)
    assert not bench.patches.looks.waiting
    assert bench.cache.fresh(COMMITS) is not None


async def test_a_look_that_fails_is_tried_again(bench: Bench) -> None:
    bench.looking()
    bench.github.then(says([{"sha": "a"}]), fails(OSError("gone")), says([{"sha": "b"}]))
    await bench.tell(pushed("b"))
    await bench.see(COMMITS)
    await eventually(lambda: bench.held(COMMITS).body == b'[{"sha": "b"}]')


async def test_a_comparison_asked_before_the_push_is_asked_again_and_one_from_after_it_is_not(bench: Bench) -> None:
    bench.github.then(says({"ahead_by": 1}))
    bench.github.gate.clear()
    asking = asyncio.create_task(bench.see(COMPARE))
    await eventually(lambda: bench.github.asked)
    await bench.tell(pushed("b"))
    bench.github.gate.set()
    await asking
    assert bench.held(COMPARE).expired
    await bench.see(COMPARE)
    assert not bench.held(COMPARE).expired
    await bench.see(COMPARE)
    assert len(bench.github.asked) == 2


async def test_a_page_that_was_cut_is_asked_for_whole(bench: Bench) -> None:
    bench.looking()
    two = key_of(Kind.PULLS, f"/repos/{REPO}/pulls", "per_page=2&state=open")
    bench.github.then(says([pull(2, 10), pull(1, 10)]), says([pull(3, 20), pull(2, 10)], link='<x?page=2>; rel="next"'))
    await bench.see(two)
    await bench.tell(told(3, 20))
    assert [one["number"] for one in json.loads(bench.held(two).body)] == [3, 2]
    await eventually(lambda: bench.held(two).links)
    assert len(bench.github.asked) == 2


async def test_late_deliveries_move_nothing_back(bench: Bench) -> None:
    await bench.see()
    results = [
        (await bench.tell(one))[0].result
        for one in (told(2, 30, "closed", "closed"), told(2, 20), told(1, 40, "closed", "closed"), told(1, 35))
    ]
    assert results == [Outcome.APPLIED, Outcome.OUTDATED, Outcome.APPLIED, Outcome.OUTDATED]
    assert await bench.numbers() == []


async def test_what_was_known_before_a_restart_is_remembered(bench: Bench) -> None:
    await bench.see()
    bench.patches.remember([Known(REPO, "pull/2", (0, 0, "2026-11-15T09:30:00Z", 2))])
    assert (await bench.tell(told(2, 20)))[0].result is Outcome.OUTDATED


async def test_other_repositories_and_unknown_events_change_nothing(bench: Bench) -> None:
    await bench.see()
    unknown = Delivery(event="brand_new", repo=REPO, payload={"pull_request": pull(2, 20)})
    results = [one.result for one in await bench.tell(told(2, 20, repo="acme/rocket-two"), unknown)]
    assert results == [Outcome.UNWATCHED, Outcome.UNKNOWN]
    assert await bench.numbers() == [1]


async def test_a_repository_is_watched_in_any_spelling(bench: Bench) -> None:
    await bench.see()
    assert (await bench.tell(told(2, 20, repo="Acme/Rocket")))[0].changed == [PULLS.text]


async def test_a_repository_that_became_private_is_forgotten_at_once(bench: Bench) -> None:
    await bench.see()
    gone = Delivery(event="repository", action="privatized", repo=REPO, payload={})
    assert (await bench.tell(gone))[0].changed == [f"/repos/{REPO}"]
    assert len(bench.store) == 0


async def test_what_was_not_there_may_be_there_now(bench: Bench) -> None:
    bench.github.then(says({"message": "Not Found"}, status=404))
    missing = key_of(Kind.PULL, f"/repos/{REPO}/pulls/2", "")
    await bench.cache.get(missing)
    bench.github.then(says(pull(2, 20)))
    await bench.tell(told(2, 20))
    assert (await bench.see(missing))["number"] == 2


async def test_a_newer_answer_that_comes_while_patching_is_not_overwritten(bench: Bench) -> None:
    await bench.see()
    stored = bench.held()
    assert not bench.cache.replace(PULLS, StoredResponse(**{
        name: getattr(stored, name) for name in ("status", "body", "etag", "identity", "content_type", "links", "vary",
        "last_modified", "fetched_at", "validated_at")
    }), stored)  # fmt: skip
    assert bench.held() is stored


async def test_a_garbled_stored_body_does_not_stop_the_others(bench: Bench) -> None:
    await bench.see()
    other = key_of(Kind.PULLS, f"/repos/{REPO}/pulls", "state=all")
    bench.github.then(says({"not": "a list"}))
    await bench.see(other)
    await bench.tell(told(2, 20))
    assert await bench.numbers() == [2, 1]


async def test_with_doubt_everything_is_asked_for_anew(bench: Bench) -> None:
    await bench.see()
    await bench.tell(told(2, 20))
    bench.patches.doubt_all()
    assert bench.cache.fresh(PULLS) is None
