import random

import pytest

from chimney.core.ranges import MOST, Held, Ranges, merge


def test_numbers_in_order_are_one_range() -> None:
    held = Ranges()
    assert all(held.add(number) for number in range(1, 1000))
    assert held.ranges == [[1, 999]]


def test_a_number_is_new_once_in_any_order() -> None:
    numbers = list(range(40))
    random.Random(1).shuffle(numbers)
    held = Ranges()
    assert [held.add(number) for number in numbers * 2] == [True] * 40 + [False] * 40
    assert held.ranges == [[0, 39]]


def test_too_many_holes_are_counted_as_filled_from_the_oldest() -> None:
    held = Ranges()
    for number in range(0, 4 * MOST, 2):
        held.add(number)
    assert len(held.ranges) == MOST
    assert not held.add(1)
    assert held.add(4 * MOST - 3)


@pytest.mark.parametrize(
    ("lost", "kept"),
    [([[3, 5]], [[1, 2], [6, 9]]), ([[1, 9]], []), ([[0, 1], [9, 12]], [[2, 8]]), ([[20, 30]], [[1, 9]])],
)
def test_what_is_lost_is_held_no_more(lost: list[list[int]], kept: list[list[int]]) -> None:
    assert Ranges([[1, 9]]).without(lost).ranges == kept


def test_of_ids_that_began_anew_only_the_latest_count() -> None:
    held: Held = {"a": (1, [[5, 9]])}
    merge(held, {"a": (1, [[1, 4]]), "b": (1, [[1, 1]])})
    assert held == {"a": (1, [[1, 9]]), "b": (1, [[1, 1]])}
    merge(held, {"a": (2, [[1, 2]])})
    merge(held, {"a": (1, [[10, 11]])})
    assert held["a"] == (2, [[1, 2]])
