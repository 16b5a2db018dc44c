"""Where a reader goes on."""

import pytest

from chimney.core.resume import Hole, Resume, given, resume

HOLES = [Hole(0, 1000), Hole(1500, 5000)]  # ids 1000 to 1500 were given, then 5000 and more


@pytest.mark.parametrize(
    ("after", "before", "count"),
    [
        (1000, 1003, 2),
        (1000, 1001, 0),
        (0, 1000, 0),
        (0, 1001, 1),
        (1499, 5001, 2),
        (1500, 5000, 0),
        (1200, 5100, 400),
        (1600, 5100, 100),
        (7000, 6000, 0),
    ],
)
def test_what_was_given_between_two_ids_is_counted_without_the_holes(after: int, before: int, count: int) -> None:
    assert given(after, before, HOLES) == count


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (5150, Resume(5150)),
        (5100, Resume(5100)),  # the next one is the oldest that is held
        (5200, Resume(5200)),
        (5000, Resume(5000, 100, "evicted")),
        (1490, Resume(1490, 111, "evicted")),
        (0, Resume(0, 602, "evicted")),
        (1, Resume(0, 602, "unknown_id")),  # of another ring
        (999, Resume(0, 602, "unknown_id")),
        (2000, Resume(2000, 101, "unknown_id")),  # in a hole
        (5201, Resume(0, 602, "unknown_id")),  # in the future
        (-1, Resume(0, 602, "unknown_id")),  # nonsense
    ],
)
def test_a_reader_goes_on_where_it_was_or_is_told_what_is_gone(asked: int, expected: Resume) -> None:
    assert resume(asked, 5101, 5200, HOLES) == expected


@pytest.mark.parametrize(("asked", "reason"), [(0, None), (7, "unknown_id"), (-1, "unknown_id")])
def test_where_nothing_is_held_only_the_beginning_is_known(asked: int, reason: str | None) -> None:
    assert resume(asked, None, None, []) == Resume(0, 0, reason)


def test_the_beginning_of_a_ring_that_has_lost_nothing_has_no_gap() -> None:
    assert resume(0, 1000, 1200, HOLES[:1]) == Resume(0)
