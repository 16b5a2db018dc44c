"""Health history: what is asked, streaks, what is news."""

from datetime import UTC, datetime, timedelta

import pytest

from chimney.core.probe import asked_url, is_change, streak
from chimney.core.uptime import percentage
from chimney.wire.probe import ProbeResult

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def results(outcomes: str) -> list[ProbeResult]:
    """Newest first, `+` for a good one, ten seconds apart."""
    return [
        ProbeResult(at=NOW - timedelta(seconds=10 * number), ok=one == "+", status=None, latency_ms=None, error=None)
        for number, one in enumerate(outcomes)
    ]


@pytest.mark.parametrize(
    ("outcomes", "ok", "count"),
    [("+", True, 1), ("-", False, 1), ("++-+", True, 2), ("---+", False, 3), ("+++", True, 3)],
)
def test_the_streak_is_the_present_run_of_one_outcome(outcomes: str, ok: bool, count: int) -> None:
    found = streak(results(outcomes))
    assert found is not None
    assert (found.ok, found.count, found.since) == (ok, count, NOW - timedelta(seconds=10 * (count - 1)))


def test_before_the_first_probe_there_is_no_streak() -> None:
    assert streak([]) is None


@pytest.mark.parametrize(
    ("before", "now", "news"),
    [(None, True, False), (None, False, True), (True, True, False), (True, False, True), (False, True, True)],
)
def test_news_is_another_outcome_or_a_first_one_that_is_bad(before: bool | None, now: bool, news: bool) -> None:
    assert is_change(before, now) is news


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("https://a.example", "https://a.example/healthz"),
        ("https://a.example/", "https://a.example/healthz"),
        ("http://a.example:81", "http://a.example:81/healthz"),
        ("https://a.example/up", "https://a.example/up"),
    ],
)
def test_an_address_without_a_path_is_asked_for_its_health(address: str, asked: str) -> None:
    assert asked_url(address) == asked


def test_uptime_counts_the_minutes_of_its_window() -> None:
    minutes = {100: (6, 6), 99: (0, 6), 30: (0, 6)}
    assert percentage(minutes, now_minute=100, window=60) == 50.0
    assert percentage(minutes, now_minute=100, window=1440) == 33.333
    assert percentage({}, now_minute=100, window=60) is None
