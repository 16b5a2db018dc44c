"""When GitHub may be asked again: the documented rules for primary and secondary limits.

Source: GitHub REST best practices. Honour `Retry-After`; else when nothing remains wait for the reset; else wait at
least a minute, then exponentially longer. The reset is in Unix seconds.
"""

from collections.abc import Mapping

SHORTEST_WAIT = 60.0
LONGEST_WAIT = 3600.0
LONGEST_BELIEVED = 86_400.0  # no limit lasts longer than an hour; a garbled header must not silence us for ever


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
