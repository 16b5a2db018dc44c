"""Which configurations Caddy refused, as its own log tells. No I/O and no clock.

`admin.api` says what was asked, and then what was wrong with it: an error belongs to the request before it. Asking what
a configuration would be (`/adapt`), reading, and our own refused switches (412) are no failed reloads.
"""

from chimney.core.access_log import Own

ADMIN = "admin.api"
GOOD = ("load complete", "autosaved config")


class Refusals:
    """`last` is None while the newest configuration that was sent was taken."""

    def __init__(self) -> None:
        self.count = 0
        self.last: tuple[int, str] | None = None
        self._changes = False

    def feed(self, line: Own) -> bool:
        """True when the line tells of a refused configuration."""
        if line.message.startswith(GOOD):
            self.last = None
        if line.logger != ADMIN:
            return False
        if line.method:
            path = line.uri.partition("?")[0]
            self._changes = line.method not in ("GET", "HEAD") and path.startswith(("/load", "/config", "/id/"))
            return False
        if line.level != "error" or not self._changes or line.status == 412:
            return False
        self._changes = False
        self.count += 1
        self.last = (line.ts_ms, line.error or line.message)
        return True
