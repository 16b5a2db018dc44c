"""When GitHub may be asked again: the documented rules for primary and secondary limits.

Source: GitHub REST best practices. Honour `Retry-After`; else when nothing remains wait for the reset; else wait at
least a minute, then exponentially longer. The reset is in Unix seconds.
"""

from collections.abc import Mapping

SHORTEST_WAIT = 60.0
LONGEST_WAIT = 3600.0


def is_rate_limited(status: int, headers: Mapping[str, str], body: bytes) -> bool:
    """A 429 always; a 403 when it says so in a header or in its message (a plain 403 is a missing permission)."""
    if status == 429:
        return True
    if status != 403:
        return False
    return "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0" or b"rate limit" in body.lower()


def retry_at(headers: Mapping[str, str], *, failures: int, now: float) -> float:
    """Unix seconds before which nothing should be asked. `failures` counts such answers in a row, this one included."""
    wait = headers.get("retry-after", "")
    if wait.isdigit():
        return now + max(1.0, float(wait))
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(now + 1.0, float(reset))
    return now + min(LONGEST_WAIT, SHORTEST_WAIT * 2.0 ** (max(1, failures) - 1))
