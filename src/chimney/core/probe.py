"""Health history: what an address asks for, streaks, and when a change is worth telling."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from chimney.wire.probe import ProbeResult, Streak

USUAL_PATH = "/healthz"
SPANS = {"1h": 60, "24h": 1440, "7d": 10_080}  # minutes


def asked_url(address: str) -> str:
    """What is asked: the address as it stands, or its /healthz when it has no path."""
    return address if urlsplit(address).path.strip("/") else address.rstrip("/") + USUAL_PATH


def streak(newest_first: Sequence[ProbeResult]) -> Streak | None:
    """The present run; None before the first probe."""
    if not newest_first:
        return None
    ok = newest_first[0].ok
    count = next((place for place, one in enumerate(newest_first) if one.ok is not ok), len(newest_first))
    return Streak(ok=ok, count=count, since=newest_first[count - 1].at)


def is_change(before: bool | None, now: bool) -> bool:
    """Whether it is news: another outcome than before, or a first one that is bad."""
    return not now if before is None else before is not now
