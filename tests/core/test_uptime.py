import pytest

from chimney.core.uptime import BARS, DAY, bars, percentage

NOW = 29_000_000


def test_without_a_probe_nothing_is_known() -> None:
    assert percentage({}, now_minute=NOW) is None
    assert bars({}, now_minute=NOW) == [None] * BARS


def test_the_percentage_counts_probes_of_the_last_day_only() -> None:
    minutes = {NOW: (3, 4), NOW - DAY + 1: (1, 1), NOW - DAY: (0, 100)}
    assert percentage(minutes, now_minute=NOW) == 80.0


@pytest.mark.parametrize(("age", "bar"), [(0, 89), (15, 89), (16, 88), (DAY - 1, 0)])
def test_a_minute_stands_in_its_bar(age: int, bar: int) -> None:
    shares = bars({NOW - age: (1, 2)}, now_minute=NOW)
    assert shares[bar] == 0.5
    assert shares.count(None) == BARS - 1


def test_minutes_of_one_bar_are_added() -> None:
    assert bars({NOW: (1, 1), NOW - 1: (0, 3)}, now_minute=NOW)[-1] == 0.25
