import pytest

from chimney.core import attempts as rules
from chimney.core.attempts import Asker, Attempts, Bucket, Window, network


def wait(attempts: Attempts, asker: Asker, now: float) -> float:
    block = attempts.blocked(asker, now)
    return block.seconds if block else 0.0


def test_a_wrong_password_is_forgotten_after_a_while() -> None:
    attempts, who = Attempts(), Asker("192.0.2.1", "operator")
    for now in (0, 10, 20, 30, 40):
        assert wait(attempts, who, now) == 0
        attempts.wrong(who, now)
    assert wait(attempts, who, 41) == 859
    assert wait(attempts, who, 900) == 0
    attempts.wrong(who, 901)
    assert wait(attempts, who, 902) == 8
    attempts.right(who)
    assert wait(attempts, who, 902) == 0


def test_one_address_may_not_try_all_users() -> None:
    attempts = Attempts()
    for number in range(rules.OF_ADDRESS):
        attempts.wrong(Asker("192.0.2.1", f"user{number}"), 0)
    block = attempts.blocked(Asker("192.0.2.1", "ann"), 1)
    assert block
    assert (block.seconds, block.why) == (899, "from your address")
    assert wait(attempts, Asker("192.0.2.2", "ann"), 1) == 0
    attempts.right(Asker("192.0.2.1", "mallory"))
    assert wait(attempts, Asker("192.0.2.1", "ann"), 1) == 899, "an account of their own does not clear it"


def guesses(attempts: Attempts, addresses: int, seconds: int) -> int:
    """How many of as many wrong passwords a second as there are addresses are looked at."""
    looked = 0
    for now in range(seconds):
        for number in range(addresses):
            asker = Asker(f"198.51.{number // 250}.{number % 250}", "operator")
            if not attempts.blocked(asker, now):
                attempts.wrong(asker, now)
                looked += 1
    return looked


def test_a_thousand_wrong_passwords_from_one_address() -> None:
    assert guesses(Attempts(), addresses=1, seconds=1_000) == 10, "5 in each quarter of an hour"


def test_a_thousand_wrong_passwords_from_five_hundred_addresses_do_not_keep_the_right_person_out() -> None:
    """faults.md G."""
    attempts = Attempts()
    assert guesses(attempts, addresses=500, seconds=2) == rules.OF_USER
    known = Asker("203.0.113.9", "operator", b"browser")
    assert attempts.blocked(known, 2) is None, "their browser is known"
    fresh = Asker("203.0.113.9", "operator")
    assert 0 < wait(attempts, fresh, 2) <= rules.OF_USER_SECONDS
    assert wait(attempts, fresh, 12) == 0, "and even a new browser waits for seconds, not for ever"


def test_a_day_of_guessing_from_everywhere_is_slow() -> None:
    attempts, looked = Attempts(), 0
    for now in range(0, 86_400, 5):
        asker = Asker(f"198.51.{now % 251}.{now % 241}", "operator")
        if not attempts.blocked(asker, now):
            attempts.wrong(asker, now)
            looked += 1
    assert looked <= 86_400 / rules.OF_USER_SECONDS + rules.OF_USER


def test_a_known_browser_that_is_stolen_is_counted_too() -> None:
    attempts, stolen = Attempts(), Asker("192.0.2.1", "operator", b"browser")
    for _ in range(rules.OF_PAIR):
        attempts.wrong(stolen, 0)
    assert wait(attempts, Asker("192.0.2.99", "operator", b"browser"), 1) == 899
    assert wait(attempts, Asker("192.0.2.1", "operator"), 1) == 0


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unknown", "unknown"),
    ],
)
def test_what_counts_as_one_address(address: str, counted: str) -> None:
    assert network(address) == counted


def test_what_is_remembered_is_bounded() -> None:
    window, bucket = Window(5), Bucket(5, 10)
    for number in range(rules.REMEMBERED + 10):
        window.note(number, 0)
        bucket.note(number, 0)
    assert len(window) == len(bucket._until) == rules.REMEMBERED
    window.note(10, 1)
    window.note("new", 1)
    assert 10 in window._times, "one that goes on is not forgotten before one that stopped"
