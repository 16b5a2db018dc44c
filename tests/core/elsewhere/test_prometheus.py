"""Questions to Prometheus and its answers."""

import pytest

from chimney.core.elsewhere.prometheus import allowed_step, on_grid, query_of
from chimney.core.series import Fn, Grid


@pytest.mark.parametrize(
    ("fn", "by", "query"),
    [
        (Fn.RATE, None, 'rate(jobs_done{queue="a\\"b"}[60s])'),
        (Fn.AVG, None, 'avg_over_time(jobs_done{queue="a\\"b"}[60s])'),
        (Fn.MAX, ["queue"], 'max by (queue) (max_over_time(jobs_done{queue="a\\"b"}[60s]))'),
        (Fn.P95, None, 'histogram_quantile(0.95, rate(jobs_done_bucket{queue="a\\"b"}[60s]))'),
        (Fn.P99, ["q"], 'histogram_quantile(0.99, sum by (le,q) (rate(jobs_done_bucket{queue="a\\"b"}[60s])))'),
    ],
)
def test_a_question_is_made_of_checked_names_and_quoted_values(fn: Fn, by: list[str] | None, query: str) -> None:
    assert query_of("jobs.done", {"queue": 'a"b'}, fn, step=15, by=by) == query


def test_a_name_that_cannot_be_one_is_not_asked_for() -> None:
    assert query_of("x", {"bad-label": "v"}, Fn.RATE, step=15, by=None) is None
    assert query_of("1x", {}, Fn.RATE, step=15, by=None) is None


def test_the_step_is_made_coarser_until_the_answer_is_not_refused() -> None:
    assert allowed_step(3600, 15) == 15
    assert 14 * 86_400 / allowed_step(14 * 86_400, 1) <= 11_000


def test_values_are_texts_and_what_is_no_number_is_no_figure() -> None:
    grid = Grid(from_ms=0, step_ms=10_000, count=3)
    matrix = [
        {"metric": {"__name__": "x", "job": "a"}, "values": [[10, "1.5"], [20.0, "NaN"], [30, "+Inf"], [99, "1"]]}
    ]
    assert on_grid(matrix, grid) == [({"job": "a"}, [1.5, None, None])]
