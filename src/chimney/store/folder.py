"""A data folder and its lock: one process at a time.

The lock is the kernel's (flock), so it dies with its holder, also after SIGKILL; the pid in the file is for people.
"""

import fcntl
import os
import tempfile
from pathlib import Path

from chimney.store.errors import FolderError, InUseError


def unusable(folder: Path, error: OSError) -> FolderError:
    return FolderError(f"cannot use {folder}: {(error.strerror or str(error)).lower()}")


def shared_folder(path: Path) -> Path:
    """The folder, made if it is not there, for several processes (slots). Raises FolderError when it cannot be used."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        if is_full(error):
            return path
        raise unusable(path, error) from None


class DataFolder:
    """Made if it is not there, readable by its owner only. Raises FolderError when it cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise unusable(path, error) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._lock)
            raise InUseError(path, holder) from None
        try:
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, b"%d\n" % os.getpid(), 0)
        except OSError as error:
            if not is_full(error):  # a full disk must not keep the table from showing what it has
                os.close(self._lock)
                raise unusable(path, error) from None

    def write_secret(self, name: str, text: str) -> None:
        """A file that only the owner may read, replaced whole. Raises FolderError."""
        file, draft = self.path / name, self.path / f"{name}.new"
        try:
            draft.unlink(missing_ok=True)
            fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "w") as stream:
                stream.write(text)
            draft.replace(file)
        except OSError as error:
            raise unusable(file, error) from None

    def close(self) -> None:
        os.close(self._lock)


def is_full(error: OSError) -> bool:
    return error.errno in (28, 122)  # ENOSPC, EDQUOT
