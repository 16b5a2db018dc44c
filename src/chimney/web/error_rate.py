"""The share of 5xx among what visitors asked, over the last minute, five minutes and hour."""

import time
from collections.abc import Sequence

from chimney.core.traffic import Counts, Traffic
from chimney.web.record import RequestRecord
from chimney.web.routine import visitors
from chimney.wire.health import ErrorsHealth, ErrorWindow

HOUR = 3600  # rows of three numbers, one a second: 300 kB at worst


class ErrorRate:
    """Counts finished requests. What machines ask all day would dilute it, and is left out."""

    def __init__(self) -> None:
        self._traffic = Traffic(window_seconds=HOUR)

    def take(self, records: Sequence[RequestRecord]) -> None:
        asked = visitors(records)
        if asked:
            errors = len([record for record in asked if record.status >= 500])
            self._traffic.note(records=len(asked), errors=errors, now=time.time())

    def health(self) -> ErrorsHealth:
        now = time.time()
        minute, five, hour = (_window(self._traffic.since(now - seconds)) for seconds in (60, 300, HOUR))
        return ErrorsHealth(last_1m=minute, last_5m=five, last_60m=hour)


def _window(counts: Counts) -> ErrorWindow:
    return ErrorWindow(requests=counts.records, errors=counts.errors, error_rate_pct=counts.error_pct)
