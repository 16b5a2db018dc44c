"""The share of 5xx among what visitors asked."""

from tests.tracing.conftest import finished

from chimney.origin.error_rate import ErrorRate


def test_the_rate_is_of_visitors_over_three_windows() -> None:
    rate = ErrorRate()
    probe = finished(status=503)
    probe.route = "/readyz"
    rate.take([finished(), finished(status=502), finished(status=404), finished(status=500), probe])
    rate.take([finished(user_agent="chimney-table/1.0")])
    health = rate.health()
    assert (health.last_1m.requests, health.last_1m.errors, health.last_1m.error_rate_pct) == (4, 2, 50.0)
    assert health.last_5m == health.last_60m == health.last_1m


def test_where_nobody_asked_there_is_no_rate() -> None:
    rate = ErrorRate()
    rate.take([])
    assert rate.health().last_60m.error_rate_pct is None
