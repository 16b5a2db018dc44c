"""Room that is kept for the worst hour: a file that is given up when the disk is full, so that what frees room can run.

A sealing needs ~8 MB for 250,000 rows, dropping rows from the journal a few pages of its log.
"""

import contextlib
import os
import shutil
from pathlib import Path

MOST_BYTES = 16 * 1024**2
PART = 0.05  # of a small disk
SPARE = 4  # taken only where there is so much more of it


class Ballast:
    """Blocking."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ballast"

    def hold(self) -> None:
        """Takes the room if there is plenty. Never fails."""
        with contextlib.suppress(OSError):
            usage = shutil.disk_usage(self._file.parent)
            size = min(MOST_BYTES, int(usage.total * PART))
            if self._file.exists() or usage.free < size * SPARE:
                return
            fd = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(fd, 0, size)
            finally:
                os.close(fd)

    def release(self) -> bool:
        """Gives the room up; False when there was none."""
        try:
            self._file.unlink()
        except OSError:
            return False
        return True
