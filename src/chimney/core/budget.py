"""When GitHub may be asked again: the documented rules for primary and secondary limits.

Source: GitHub REST best practices. Honour `Retry-After`; else when nothing remains wait for the reset; else wait at
least a minute, then exponentially longer. The reset is in Unix seconds.
"""

from collections.abc import Mapping
from enum import IntEnum

SHORTEST_WAIT = 60.0
LONGEST_WAIT = 3600.0
LONGEST_BELIEVED = 86_400.0  # no limit lasts longer than an hour; a garbled header must not silence us for ever


HOUR = 3600.0  # GitHub's primary limits are counted by the hour
RESERVE_SHARE = 0.05  # kept for what cannot wait
LOW_SHARE = 0.1  # below it the operator is told
FREELY_SHARE = 0.5  # so much of the quota may be spent without looking at the clock


class Need(IntEnum):
    """How badly an answer is needed, from what can wait to what cannot."""

    ROUTINE = 0  # an old answer is there, and GitHub is asked whether it is still good
    WANTED = 1  # somebody waits and nothing is stored
    URGENT = 2  # a webhook said that it changed


def refusal(*, remaining: int, limit: int, reset: float, need: Need, now: float) -> str | None:
    """Why the quota says no; None when it may be spent.

    A reserve of one in twenty is kept for what is urgent. Past the first half, routine requests are spread: they are
    refused while the quota runs down faster than the time to its reset.
    """
    if remaining <= 0 or now >= reset:
        return None  # GitHub itself says no, or has begun a new hour
    if need is not Need.URGENT and remaining <= limit * RESERVE_SHARE:
        return f"the last {remaining} of {limit} requests are kept for what webhooks say"
    share, time_left = remaining / limit, min(1.0, (reset - now) / HOUR)
    if need is Need.ROUTINE and share < min(FREELY_SHARE, time_left):
        return f"{remaining} of {limit} requests must last {(reset - now) / 60:.0f} more minutes"
    return None


def is_low(*, remaining: int, limit: int, reset: float, now: float) -> bool:
    """Whether less than a tenth of this hour's requests is left."""
    return now < reset and remaining < limit * LOW_SHARE


def is_rate_limited(status: int, headers: Mapping[str, str], body: bytes) -> bool:
    """A 429 always; a 403 when it says so in a header or in its message (a plain 403 is a missing permission)."""
    if status == 429:
        return True
    if status != 403:
        return False
    return "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0" or b"rate limit" in body.lower()


def retry_at(headers: Mapping[str, str], *, failures: int, now: float) -> float:
    """Unix seconds before which nothing should be asked. `failures` counts such answers in a row, this one included."""
    wait = _number(headers.get("retry-after"))
    if wait is not None:
        return now + min(LONGEST_BELIEVED, max(1.0, wait))
    reset = _number(headers.get("x-ratelimit-reset"))
    if headers.get("x-ratelimit-remaining") == "0" and reset is not None:
        return min(now + LONGEST_BELIEVED, max(now + 1.0, reset))
    return now + min(LONGEST_WAIT, SHORTEST_WAIT * 2.0 ** (min(max(1, failures), 10) - 1))


def _number(text: str | None) -> float | None:
    """Whole seconds; None when it is none (`str.isdigit` takes ² for a digit, `float` does not)."""
    return float(text) if text and text.isascii() and text.isdigit() else None
