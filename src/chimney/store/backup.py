"""A copy of a table's data folder while it runs, and putting one back.

The databases are copied each within one read transaction, as another process that cannot write: everything that was
acked before is in the copy, and the table goes on writing meanwhile. Then the segments that the copied catalogue lists:
they never change. One that retention dropped in between is taken out of the copied catalogue.
"""

import contextlib
import os
import shutil
import sqlite3
import time
from pathlib import Path

import msgspec

from chimney.store import catalogue
from chimney.store.errors import FolderError
from chimney.store.folder import unusable
from chimney.store.segments import FILTER
from chimney.store.sqlite import open_reader

DATABASES = ("journal.sqlite", "table.sqlite")  # the journal first: what is sealed after it was copied is still in it


class Copied(msgspec.Struct, frozen=True):
    segments: int
    bytes: int


def back_up(folder: Path, to: Path) -> Copied:
    """Raises FolderError, and has then left nothing at `to`."""
    if not (folder / DATABASES[0]).exists():
        raise FolderError(f"there is no table's data in {folder}")
    if to.exists() and any(to.iterdir()):
        raise FolderError(f"{to} is not empty; name a new folder")
    draft = to.with_name(f"{to.name}.part")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        (draft / "segments").mkdir(parents=True, mode=0o700)
        for name in DATABASES:
            if (folder / name).exists():
                _copy_database(folder / name, draft / name)
        segments = _copy_segments(folder, draft)
        _sync_all(draft)
        if to.exists():
            to.rmdir()
        draft.rename(to)
    except (OSError, sqlite3.Error) as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise _said(folder, error) from None
    return Copied(segments, _bytes(to))


def restore(backup: Path, folder: Path) -> Copied:
    """Puts a backup in the place of what is in the data folder; that is moved to `replaced-<time>` in it.

    The caller holds the folder. Raises FolderError.
    """
    if not (backup / DATABASES[0]).exists():
        raise FolderError(f"{backup} is no backup: there is no {DATABASES[0]} in it")
    draft = folder / "restoring.part"
    try:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(backup, draft)
        _sync_all(draft)
        replaced = folder / time.strftime("replaced-%Y%m%dT%H%M%SZ", time.gmtime())
        for name in ("segments", *(name + more for name in DATABASES for more in ("", "-wal", "-shm"))):
            if (folder / name).exists():
                replaced.mkdir(exist_ok=True)
                (folder / name).rename(replaced / name)
        for part in sorted(draft.iterdir(), key=lambda part: part.name == DATABASES[0]):
            part.rename(folder / part.name)
        draft.rmdir()
    except OSError as error:
        raise unusable(folder, error) from None
    return Copied(len(list((folder / "segments").glob("*.parquet"))), _bytes(folder))


def _copy_database(file: Path, to: Path) -> None:
    source = open_reader(file)
    target = sqlite3.connect(to)
    try:
        source.backup(target, pages=-1)  # in one step: it would begin again whenever the table writes in between
        target.execute("PRAGMA journal_mode=DELETE")
    finally:
        target.close()
        source.close()


def _copy_segments(folder: Path, draft: Path) -> int:
    db = sqlite3.connect(draft / DATABASES[0], isolation_level=None)
    copied = 0
    try:
        for segment in catalogue.listed(db):
            file = folder / "segments" / segment.file
            try:
                shutil.copyfile(file, draft / "segments" / segment.file)
            except FileNotFoundError:
                catalogue.drop(db, segment)
                continue
            copied += 1
            with contextlib.suppress(FileNotFoundError):
                beside = file.with_suffix(FILTER)
                shutil.copyfile(beside, draft / "segments" / beside.name)
    finally:
        db.close()
    return copied


def _sync_all(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _said(folder: Path, error: OSError | sqlite3.Error) -> FolderError:
    return unusable(folder, error) if isinstance(error, OSError) else FolderError(f"cannot read {folder}: {error}")
