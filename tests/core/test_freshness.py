"""What is done with a stored response, by its age alone."""

import pytest

from chimney.core.freshness import (
    ADJUSTABLE,
    NEGATIVE,
    Action,
    Lifetimes,
    Policy,
    decide,
    may_serve_on_error,
    storable,
)
from chimney.core.grammar import Kind

LIFETIMES = Lifetimes()
POLICY = Policy(max_age=60, while_revalidate=30, if_error=600)


@pytest.mark.parametrize(
    ("age", "action"),
    [
        (-5, Action.SERVE),
        (0, Action.SERVE),
        (59.9, Action.SERVE),
        (60, Action.SERVE_AND_REVALIDATE),
        (89.9, Action.SERVE_AND_REVALIDATE),
        (90, Action.REVALIDATE),
        (10_000, Action.REVALIDATE),
    ],
)
def test_a_stored_response_goes_stale_by_its_age(age: float, action: Action) -> None:
    assert decide(1000 - age, POLICY, now=1000) is action


def test_what_is_not_stored_is_fetched() -> None:
    assert decide(None, POLICY, now=1000) is Action.FETCH


@pytest.mark.parametrize(("age", "may"), [(0, True), (659, True), (660, False)])
def test_an_old_answer_stands_in_for_an_error_within_its_time(age: float, may: bool) -> None:
    assert may_serve_on_error(1000 - age, POLICY, now=1000) is may


@pytest.mark.parametrize(
    ("status", "kept"), [(200, True), (404, True), (410, True), (301, False), (304, False), (403, False), (500, False)]
)
def test_only_good_answers_and_definite_absences_are_stored(status: int, kept: bool) -> None:
    assert storable(status) is kept


def test_every_kind_has_a_lifetime_and_a_negative_answer_a_short_one() -> None:
    assert all(LIFETIMES.policy(kind, "").max_age <= 600 for kind in Kind)
    assert all(LIFETIMES.policy(kind, "").max_age > 0 for kind in Kind if kind is not Kind.RATE_LIMIT)
    assert NEGATIVE.max_age <= 10
    assert NEGATIVE.while_revalidate == 0


def test_closed_pull_requests_change_seldom() -> None:
    assert (
        LIFETIMES.policy(Kind.PULLS, "per_page=5&state=closed").max_age
        > LIFETIMES.policy(Kind.PULLS, "state=open").max_age
    )


def test_the_quota_is_never_served_from_the_store() -> None:
    assert decide(1000, LIFETIMES.policy(Kind.RATE_LIMIT, ""), now=1000) is Action.REVALIDATE


def test_the_settings_replace_the_lifetimes_that_they_name_and_no_others() -> None:
    said = Lifetimes({"runs": 7, "default": 9, "closed_pulls": 11})
    assert said.policy(Kind.RUNS, "").max_age == 7
    assert said.policy(Kind.BRANCHES, "").max_age == 9
    assert said.policy(Kind.PULLS, "state=open").max_age == 9
    assert said.policy(Kind.PULLS, "state=closed").max_age == 11
    assert said.policy(Kind.ISSUES, "") == LIFETIMES.policy(Kind.ISSUES, "")


def test_the_quota_has_no_lifetime_to_set() -> None:
    assert Kind.RATE_LIMIT not in ADJUSTABLE
    assert Lifetimes({"rate_limit": 60}).policy(Kind.RATE_LIMIT, "").max_age == 0
