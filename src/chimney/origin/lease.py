"""What only one of two slots should do at a time: a lock in their folder, freed by the system when a process ends."""

import fcntl
import os
from pathlib import Path


class Lease:
    """`held` tries to take it. Of two processes, one holds it until it ends."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._open: int | None = None

    def held(self) -> bool:
        if self._open is not None:
            return True
        try:
            taken = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return True  # where no lock can be made, both do it: twice is better than never
        try:
            fcntl.flock(taken, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(taken)
            return False
        self._open = taken
        return True

    def close(self) -> None:
        if self._open is not None:
            os.close(self._open)
            self._open = None
