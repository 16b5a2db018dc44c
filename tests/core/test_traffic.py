from chimney.core.traffic import Traffic


def test_the_rate_is_over_ten_whole_seconds() -> None:
    traffic = Traffic()
    traffic.note(records=10, errors=0, now=100.2)
    traffic.note(records=10, errors=0, now=100.9)
    traffic.note(records=99, errors=0, now=110.0)
    assert traffic.rate_per_second(110.5) == 2.0
    assert traffic.rate_per_second(111.5) == 9.9
    assert traffic.rate_per_second(200) == 0.0


def test_errors_are_forgotten_after_five_minutes() -> None:
    traffic = Traffic()
    traffic.note(records=1, errors=1, now=100)
    traffic.note(records=5, errors=2, now=300)
    assert traffic.errors(399) == 3
    assert traffic.errors(401) == 2
    assert traffic.errors(601) == 0


def test_a_longer_window_tells_the_share_of_errors() -> None:
    traffic = Traffic(window_seconds=3600)
    traffic.note(records=90, errors=0, now=100)
    traffic.note(records=10, errors=4, now=3500)
    assert traffic.since(3500 - 3600).error_pct == 4.0
    assert traffic.since(3440).error_pct == 40.0
    assert traffic.since(3500).error_pct is None
