"""When GitHub may be asked again."""

import pytest

from chimney.core.budget import Need, is_rate_limited, refusal, retry_at

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("status", "headers", "body", "limited"),
    [
        (429, {}, b"", True),
        (403, {"retry-after": "30"}, b"", True),
        (403, {"x-ratelimit-remaining": "0"}, b"", True),
        (403, {}, b'{"message": "You have exceeded a secondary Rate Limit"}', True),
        (403, {"x-ratelimit-remaining": "12"}, b'{"message": "Resource not accessible"}', False),
        (200, {"x-ratelimit-remaining": "0"}, b"rate limit", False),
        (404, {"retry-after": "1"}, b"", False),
        (500, {}, b"rate limit", False),
    ],
)
def test_a_403_is_a_limit_only_when_it_says_so(
    status: int, headers: dict[str, str], body: bytes, limited: bool
) -> None:
    assert is_rate_limited(status, headers, body) is limited


@pytest.mark.parametrize(
    ("headers", "failures", "wait"),
    [
        ({"retry-after": "30"}, 1, 30),
        ({"retry-after": "0"}, 1, 1),
        ({"retry-after": "30", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000600"}, 1, 30),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000600"}, 1, 600),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1600000000"}, 1, 1),
        ({"x-ratelimit-remaining": "5", "x-ratelimit-reset": "1700000600"}, 1, 60),
        ({}, 1, 60),
        ({}, 2, 120),
        ({}, 3, 240),
        ({}, 20, 3600),
        ({}, 10_000, 3600),
        ({}, 0, 60),
    ],
)
def test_the_wait_is_what_github_says_else_a_minute_and_then_twice_as_long(
    headers: dict[str, str], failures: int, wait: float
) -> None:
    assert retry_at(headers, failures=failures, now=NOW) - NOW == wait


@pytest.mark.parametrize("garbled", ["soon", "-5", "²", "1e9", "Fri, 31 Dec 1999 23:59:59 GMT", "9" * 30, "1.5"])
@pytest.mark.parametrize("name", ["retry-after", "x-ratelimit-reset"])
def test_a_garbled_header_neither_fails_nor_silences_us_for_ever(name: str, garbled: str) -> None:
    headers = {"x-ratelimit-remaining": "0", name: garbled}
    assert NOW < retry_at(headers, failures=1, now=NOW) <= NOW + 86_400


@pytest.mark.parametrize(
    ("remaining", "minutes_left", "need", "may"),
    [
        (5000, 60, Need.ROUTINE, True),
        (2600, 60, Need.ROUTINE, True),  # the first half is spent freely
        (2400, 60, Need.ROUTINE, False),  # the second is spread over the hour
        (2400, 60, Need.WANTED, True),
        (2400, 20, Need.ROUTINE, True),  # and lasts, as it runs down slower than the time
        (1600, 20, Need.ROUTINE, False),
        (250, 1, Need.WANTED, False),  # the reserve
        (250, 1, Need.URGENT, True),
        (0, 30, Need.WANTED, True),  # GitHub says no by itself, and when it will say yes again
        (10, -1, Need.ROUTINE, True),  # a new hour has begun
    ],
)
def test_the_quota_is_spread_to_its_reset_and_a_reserve_is_kept(
    remaining: int, minutes_left: float, need: Need, may: bool
) -> None:
    reset = NOW + minutes_left * 60
    why = refusal(remaining=remaining, limit=5000, reset=reset, need=need, now=NOW)
    assert (why is None) is may
