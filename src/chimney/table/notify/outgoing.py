"""What the table tells others again and again beside notifications: that it works."""

import logging
import time
from collections.abc import Callable

from chimney.core.facts import Sighting
from chimney.table.notify.egress import Egress, EgressError
from chimney.table.notify.senders import masked
from chimney.wire.base import stamp
from chimney.wire.notification import OutgoingState

HEARTBEAT_SECONDS = 60.0
NOT_WORKING_SECONDS = 5.0
log = logging.getLogger(__name__)


class Outgoing:
    """How it went lately."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._since = 0.0
        self._last: float | None = None
        self._error: str | None = None
        self.failures = 0

    def well(self) -> None:
        if self.failures:
            log.info("%s: works again", self.name)
        self._last, self._error, self.failures = time.time(), None, 0

    def ill(self, why: str) -> None:
        self._since = self._since if self.failures else time.time()
        self._error, self.failures = why, self.failures + 1
        if self.failures == 1:
            log.warning("%s: %s", self.name, why)

    def trouble(self) -> Sighting | None:
        """None while it goes well."""
        return Sighting(at=stamp(self._since), text=self._error or "", count=self.failures) if self.failures else None

    def state(self) -> OutgoingState:
        last = stamp(self._last) if self._last else None
        return OutgoingState(last_success_at=last, last_error=self._error, failures=self.failures)


class Heartbeat:
    """Asks a URL every minute while the table works, so that whoever waits for it knows when it does not. `beat` is the
    verb of a loop; `trouble` says why it does not work, None while it does."""

    def __init__(self, url: str, egress: Egress, *, trouble: Callable[[], str | None]) -> None:
        self._url = url
        self._egress = egress
        self._trouble = trouble
        self.outgoing = Outgoing("heartbeat")

    async def beat(self) -> float:
        trouble = self._trouble()
        if trouble:
            self.outgoing.ill(f"not sent, because {trouble}")
            return NOT_WORKING_SECONDS
        try:
            await self._egress.send("GET", self._url)
        except EgressError as error:
            self.outgoing.ill(masked(str(error), self._url))
        else:
            self.outgoing.well()
        return HEARTBEAT_SECONDS
