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


def test_the_waits_of_the_last_seconds_are_told_without_streams() -> None:
    rate = ErrorRate()
    quick, slow, stream = finished(), finished(), finished()
    for record, seconds in ((quick, 0.004), (slow, 0.2), (stream, 60.0)):
        record.ended = record.began + seconds
    stream.streamed = True
    rate.take([quick] * 98 + [slow] * 2 + [stream])
    waits = rate.health().waits
    assert waits
    assert waits.requests == 100
    assert waits.p95_ms
    assert 1 <= waits.p95_ms <= 5
    rate.take([slow] * 100)
    slower = rate.health().waits
    assert slower
    assert slower.p95_ms
    assert 100 <= slower.p95_ms <= 250


def test_where_nobody_waited_there_is_no_percentile() -> None:
    waits = ErrorRate().health().waits
    assert waits
    assert (waits.requests, waits.p95_ms) == (0, None)


def test_who_comes_while_it_starts_is_no_visitor() -> None:
    rate = ErrorRate()
    early, refused = finished(status=503), finished(status=503)
    early.error, refused.error = "starting: The process is starting.", "busy: Too much."
    rate.take([early, early, refused])
    assert (rate.health().last_1m.requests, rate.health().last_1m.errors) == (1, 1)
