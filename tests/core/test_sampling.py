import math

import pytest

from chimney.core.sampling import MOST_PER_SECOND, Outcome, Reason, Sampler, Selection, sampler_of

LOW, HIGH = "f" * 16 + "0" * 15 + "1", "0" * 16 + "f" * 16  # by the half that a ratio looks at


def outcome(**said: object) -> Outcome:
    return Outcome(**{"trace_id": LOW, "status": 200, "seconds": 0.001, **said})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"status": 500}, Reason.ERROR),
        ({"status": 503, "routine": True}, Reason.ERROR),
        ({"cache": "miss"}, Reason.MISS),
        ({"called": True, "cache": "stale"}, Reason.MISS),
        ({"seconds": 1.0}, Reason.SLOW),
        ({"parent": True}, Reason.CALLER),
        ({"parent": True, "routine": True}, Reason.CALLER),
        ({"parent": False}, None),
        ({"cache": "hit"}, None),
        ({"cache": "stale"}, None),
        ({"cache": "collapsed"}, None),
        ({"status": 404}, None),
        ({"seconds": 0.999}, None),
        ({}, None),
    ],
)
def test_errors_misses_slow_ones_and_those_of_a_sampling_caller_are_exported(
    said: dict[str, object], reason: Reason | None
) -> None:
    assert Selection(per_second=0).reason(outcome(**said), now=1) is reason


def test_of_the_rest_so_many_a_second_are() -> None:
    selection = Selection(per_second=2)
    assert [selection.reason(outcome(), now=1.0 + n / 10) for n in range(4)] == [Reason.SHARE] * 2 + [None] * 2
    assert selection.reason(outcome(), now=2.0) is Reason.SHARE


def test_what_machines_ask_all_day_takes_no_place_from_visitors() -> None:
    assert Selection(per_second=2).reason(outcome(routine=True), now=1) is None
    assert Selection(per_second=math.inf).reason(outcome(routine=True), now=1) is Reason.SHARE


def test_a_flood_of_errors_does_not_leave_whole() -> None:
    selection = Selection(per_second=20)
    exported = [selection.reason(outcome(status=500), now=1) for _ in range(MOST_PER_SECOND + 7)]
    assert exported.count(Reason.ERROR) == MOST_PER_SECOND
    assert selection.passed_over == 7


def test_all_means_all() -> None:
    selection = Selection(per_second=math.inf)
    assert {selection.reason(outcome(), now=1) for _ in range(MOST_PER_SECOND * 2)} == {Reason.SHARE}


@pytest.mark.parametrize(
    ("name", "argument", "parent", "low", "high"),
    [
        ("always_on", "", None, True, True),
        ("always_on", "", False, True, True),
        ("always_off", "", True, False, False),
        ("traceidratio", "0.5", True, True, False),
        ("traceidratio", "1", None, True, True),
        ("traceidratio", "0", None, False, False),
        ("traceidratio", "", None, True, True),
        ("parentbased_always_on", "", None, True, True),
        ("parentbased_always_on", "", False, False, False),
        ("parentbased_always_off", "", True, True, True),
        ("parentbased_traceidratio", "0.5", None, True, False),
        ("ParentBased_TraceIdRatio ", "0.5", True, True, True),
    ],
)
def test_a_standard_sampler_decides_alone(
    *, name: str, argument: str, parent: bool | None, low: bool, high: bool
) -> None:
    sampler = sampler_of(name, argument)
    assert (sampler.wants(LOW, parent), sampler.wants(HIGH, parent)) == (low, high)
    selection = Selection(per_second=20, sampler=sampler)
    reason = selection.reason(outcome(status=500, parent=parent), now=1)
    assert reason is (Reason.SAMPLER if low else None)
    assert selection.goes_on(LOW, parent) is low


@pytest.mark.parametrize(
    ("name", "argument", "fault"),
    [
        ("sometimes", "", "OTEL_TRACES_SAMPLER: 'sometimes' is none of always_off, always_on"),
        ("traceidratio", "2", "OTEL_TRACES_SAMPLER_ARG: '2' should be a ratio between 0 and 1"),
        ("traceidratio", "nan", "OTEL_TRACES_SAMPLER_ARG"),
        ("traceidratio", "half", "OTEL_TRACES_SAMPLER_ARG"),
    ],
)
def test_a_sampler_that_is_none_is_named(name: str, argument: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        sampler_of(name, argument)


def test_a_ratio_is_that_share_of_trace_ids() -> None:
    sampler = Sampler(ratio=0.25, parent_based=False)
    ids = [f"{(number * 0x9E3779B97F4A7C15) & (2**128 - 1):032x}" for number in range(4000)]
    assert 900 < sum(sampler.wants(one, None) for one in ids) < 1100


def test_a_plain_hit_is_not_looked_at_once_the_share_of_the_second_is_spent() -> None:
    selection = Selection(per_second=1)
    assert selection.spent_below(5.0) == 0.0
    selection.reason(outcome(), now=5.0)
    assert selection.spent_below(5.9) == 1.0
    assert selection.spent_below(6.0) == 0.0
