"""Uptime as shares of successful probes, counted by minute."""

from collections.abc import Mapping

DAY = 1440  # minutes
BARS = 90  # 16 minutes each


def percentage(minutes: Mapping[int, tuple[int, int]], *, now_minute: int, window: int = DAY) -> float | None:
    """Of the last 24 h, or of so many minutes; None when nothing was probed. `minutes` holds (good, made)."""
    held = [value for minute, value in minutes.items() if now_minute - window < minute <= now_minute]
    made = sum(row[1] for row in held)
    return round(100 * sum(row[0] for row in held) / made, 3) if made else None


def bars(minutes: Mapping[int, tuple[int, int]], *, now_minute: int) -> list[float | None]:
    """Shares in 90 equal parts of the last 24 h, oldest first; None where nothing was probed."""
    sums = [[0, 0] for _ in range(BARS)]
    for minute, (good, made) in minutes.items():
        age = now_minute - minute
        if 0 <= age < DAY:
            part = sums[BARS - 1 - age * BARS // DAY]
            part[0] += good
            part[1] += made
    return [round(good / made, 4) if made else None for good, made in sums]
