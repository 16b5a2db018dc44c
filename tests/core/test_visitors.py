from chimney.core.visitors import DURATIONS, HELD, Reading, Visitors, reading
from chimney.wire.telemetry import SampleRow


def sample(status: str, count: int, buckets: list[tuple[float | None, int]], name: str = DURATIONS) -> SampleRow:
    labels = {"status_class": status, "origin": "hel1"}
    return SampleRow(
        name=name, labels=labels, at_ms=0, kind="histogram", value=1.0, source="hel1", count=count, buckets=buckets
    )


def test_a_reading_sums_over_routes_and_knows_the_failed() -> None:
    rows = [
        sample("2xx", 8, [(0.1, 6), (None, 8)]),
        sample("5xx", 2, [(0.1, 0), (None, 2)]),
        sample("2xx", 99, [], name="another"),
    ]
    assert reading(rows, at_ms=5) == Reading(5, 10, 2, {0.1: 6.0, float("inf"): 10.0})
    assert reading(rows[2:], at_ms=5) is None


def test_figures_are_what_came_between_two_readings() -> None:
    visitors = Visitors()
    visitors.note(Reading(0, 100, 10, {0.1: 50, 0.2: 100, float("inf"): 100}))
    assert visitors.told() is None
    visitors.note(Reading(10_000, 120, 15, {0.1: 70, 0.2: 120, float("inf"): 120}))
    visitors.note(Reading(20_000, 120, 15, {0.1: 70, 0.2: 120, float("inf"): 120}))
    told = visitors.told()
    assert told is not None
    assert (told.over_seconds, told.rates) == (20.0, [2.0, 0.0])
    assert told.error_rates_pct == [25.0, None]
    assert told.p95s_ms == [95.0, None]


def test_a_process_that_began_anew_is_counted_from_zero_and_a_missing_reading_makes_a_gap() -> None:
    visitors = Visitors()
    visitors.note(Reading(0, 100, 10, {float("inf"): 100}))
    visitors.note(Reading(10_000, 5, 5, {float("inf"): 5}))
    visitors.note(None)
    visitors.note(Reading(30_000, 900, 5, {float("inf"): 900}))
    told = visitors.told()
    assert told is not None
    assert (told.rates, told.error_rates_pct) == ([0.5], [100.0])


def test_only_the_last_readings_are_held() -> None:
    visitors = Visitors()
    for number in range(HELD * 3):
        visitors.note(Reading(number * 1000, number, 0, {}))
    told = visitors.told()
    assert told is not None
    assert (len(told.rates), told.over_seconds) == (HELD, float(HELD))
