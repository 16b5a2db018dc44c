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
