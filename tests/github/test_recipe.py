"""Entity tags that are computed."""

import hashlib

import pytest

from chimney.github.recipe import LARGEST, OFF_SECONDS, Recipe

HEADERS = {"accept": "application/vnd.github+json", "authorization": "Bearer t"}


def tag(body: bytes, said: str = "application/vnd.github+json:Bearer t:") -> str:
    return hashlib.sha256(said.encode() + body).hexdigest()


class Clock:
    now = 1000.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recipe(clock: Clock) -> Recipe:
    return Recipe(now=lambda: clock.now)


def test_nothing_is_computed_before_an_answer_showed_that_the_recipe_holds(recipe: Recipe) -> None:
    assert recipe.tag(b"[]", HEADERS) is None
    assert not recipe.holds


@pytest.mark.parametrize("form", ['"{}"', 'W/"{}"'])
def test_after_an_answer_that_fits_the_tag_of_any_body_is_known(recipe: Recipe, form: str) -> None:
    recipe.check(form.format(tag(b"[1]")), b"[1]", HEADERS)
    assert recipe.tag(b"[2]", HEADERS) == f'W/"{tag(b"[2]")}"'


def test_the_tag_is_bound_to_the_token_and_the_cookie(recipe: Recipe) -> None:
    recipe.check(f'"{tag(b"[1]")}"', b"[1]", HEADERS)
    other = HEADERS | {"authorization": "Bearer u", "cookie": "a=b"}
    assert recipe.tag(b"[2]", other) == f'W/"{tag(b"[2]", "application/vnd.github+json:Bearer u:a=b:")}"'


def test_an_answer_that_does_not_fit_turns_it_off_for_an_hour(recipe: Recipe, clock: Clock) -> None:
    recipe.check(f'"{tag(b"[1]")}"', b"[1]", HEADERS)
    recipe.check('"0123"', b"[1]", HEADERS)
    recipe.check(f'"{tag(b"[1]")}"', b"[1]", HEADERS)
    assert recipe.tag(b"[2]", HEADERS) is None
    clock.now += OFF_SECONDS
    assert recipe.tag(b"[2]", HEADERS) is not None


def test_what_has_no_tag_or_is_large_is_not_judged(recipe: Recipe) -> None:
    recipe.check(f'"{tag(b"[1]")}"', b"[1]", HEADERS)
    recipe.check(None, b"[1]", HEADERS)
    recipe.check('"0123"', b"x" * (LARGEST + 1), HEADERS)
    assert recipe.holds
    assert recipe.tag(b"x" * (LARGEST + 1), HEADERS) is None
