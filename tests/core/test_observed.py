"""What several answers of an origin tell together."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.core.origins import health

from chimney.core.observed import Observed
from chimney.wire.health import CacheHealth, ErrorsHealth, ErrorWindow, Health, WaitWindow

NONE = ErrorWindow(requests=0, errors=0, error_rate_pct=None)


def waiting(p95: float | None, requests: int = 50, **more: Any) -> Health:
    waits = WaitWindow(over_seconds=30, requests=requests, p95_ms=p95)
    return health(errors=ErrorsHealth(last_1m=NONE, last_5m=NONE, last_60m=NONE, waits=waits), **more)


def cached(hits: int, misses: int, boot: str = "b1") -> Health:
    return health(boot=boot, cache=CacheHealth(entries=1, bytes=1, hits=hits, misses=misses, hit_rate_pct=None))


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def note(observed: Observed, said: Health, now: float, *, date: float | None = None, took: float = 0.0) -> None:
    observed.note(said, date=None if date is None else at(int(date)), began=now - took, ended=now)


@pytest.mark.parametrize("off", [3600, -90, 0])
def test_a_clock_is_known_by_the_median_of_three_answers(off: int) -> None:
    observed = Observed()
    for number, more in enumerate((0, 40, 0)):
        assert observed.clock_ahead_seconds is None
        now = 1000.25 + number
        note(observed, health(), now, date=now + off + more)
    assert observed.clock_ahead_seconds == pytest.approx(off, abs=0.6)


def test_an_answer_that_took_long_says_nothing_of_the_clock() -> None:
    observed = Observed()
    for number in range(5):
        note(observed, health(), 1000.0 + number, date=1000.0, took=2.0)
        note(observed, health(), 1000.0 + number)
    assert observed.clock_ahead_seconds is None


def test_what_is_usual_is_the_median_of_what_was_before_the_last_seconds() -> None:
    observed = Observed()
    for number in range(6):
        note(observed, waiting(10.0 + number), 5.0 * number)
        assert observed.latency
        assert observed.latency.usual_ms is None
    note(observed, waiting(500.0), 56.0)
    assert observed.latency
    assert (observed.latency.p95_ms, observed.latency.usual_ms) == (500.0, 12.5)


@pytest.mark.parametrize("said", [waiting(None, 0), waiting(9.0, 9), health()])
def test_of_few_visitors_nothing_is_known(said: Health) -> None:
    observed = Observed()
    note(observed, waiting(9.0), 0.0)
    note(observed, said, 5.0)
    assert observed.latency is None


def test_what_was_asked_of_the_cache_lately_is_counted_since_its_start() -> None:
    def told(said: Health, now: float) -> tuple[int, int, datetime] | None:
        note(observed, said, now)
        asked = observed.cache
        return (asked.requests, asked.hits, asked.since) if asked else None

    observed = Observed()
    assert told(cached(1000, 10), 0.0) is None
    assert told(cached(1040, 20), 100.0) == (50, 40, at(0))
    assert told(cached(1041, 20), 301.0) == (1, 1, at(100))
    assert told(cached(3, 1, boot="b2"), 305.0) is None


def test_since_when_it_is_not_ready_is_known_until_it_is() -> None:
    observed = Observed()
    note(observed, health(status="down"), 10.0)
    note(observed, health(status="down"), 15.0)
    assert observed.unready_since == at(10)
    note(observed, health(status="degraded"), 20.0)
    assert observed.unready_since is None
