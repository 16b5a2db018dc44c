"""The log of an origin itself."""

from pathlib import Path

from chimney.instrumentation import LogPipe
from chimney.origin.ring import RecordRing
from chimney.origin.sharing import SharedRing
from chimney.web.hub import Room
from chimney.wire.health import LogsHealth


class LogRing(SharedRing, RecordRing):
    """The log of this origin itself, of both slots and of all replicas that share it; each record says its slot."""

    def __init__(self, folder: Path, *, slot: str | None, boot: str, pipe: LogPipe, room: Room | None = None) -> None:
        super().__init__(folder / "logs.sqlite", boot=boot, room=room)
        self._pipe = pipe
        self.end = b',"slot":"%s"}' % slot.encode() if slot else b"}"

    def health(self, errors: int) -> LogsHealth:
        oldest, newest = self.bounds
        return LogsHealth(
            records=len(self._held),
            oldest_id=oldest,
            newest_id=newest,
            dropped=self._pipe.dropped + self.hub.dropped + self.unkept,
            errors=errors,
        )
