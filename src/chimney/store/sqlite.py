"""Opening SQLite files: numbered schema, damage set aside, errors in our words.

SQLite up to 3.51.2 can corrupt a WAL database when two connections write or checkpoint at once: one writing connection
for each file, readers are read-only, no memory map.
"""

import contextlib
import re
import sqlite3
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import msgspec

from chimney.store.errors import FolderError, NewerSchemaError, StorageFailedError, StorageFullError, StoreError
from chimney.store.folder import unusable

CHECK_SECONDS = 4.0
_FULL = frozenset((sqlite3.SQLITE_FULL,))
_DAMAGED = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))


class Damage(msgspec.Struct, frozen=True):
    """A file that was not sound: where it is now, and one sentence for the operator."""

    aside: Path
    said: str


class DamagedError(StoreError):
    """The file is not sound. Raised while opening only."""


def schema(name: str) -> list[str]:
    """The steps of a schema in order: `schema/<name>-001.sql` takes an empty file to version 1, and so on."""
    folder = files("chimney.store") / "schema"
    steps = sorted(file.name for file in folder.iterdir() if re.fullmatch(rf"{name}-\d{{3}}\.sql", file.name))
    return [(folder / step).read_text() for step in steps]


def code_of(error: sqlite3.Error) -> int:
    """The primary result code; 0 when SQLite was not asked."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_damage(error: sqlite3.Error) -> bool:
    return code_of(error) in _DAMAGED


def in_our_words(error: sqlite3.Error, file: Path) -> StoreError:
    if code_of(error) in _FULL:
        return StorageFullError(f"no room to write {file}: {error}")
    return StorageFailedError(f"{file}: {error}")


def _connect(file: Path) -> sqlite3.Connection:
    db = sqlite3.connect(file, timeout=5.0, isolation_level=None, check_same_thread=False, cached_statements=64)
    db.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return db


def _check(db: sqlite3.Connection) -> None:
    """Raises DamagedError. Gives a large file the benefit of the doubt after `CHECK_SECONDS`."""
    deadline = time.monotonic() + CHECK_SECONDS
    db.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
    try:
        verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:
        if code_of(error) != sqlite3.SQLITE_INTERRUPT:
            raise
    else:
        if verdict != "ok":
            raise DamagedError(str(verdict).replace("\n", " "))
    finally:
        db.set_progress_handler(None, 0)


def _migrate(db: sqlite3.Connection, file: Path, steps: list[str]) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(steps):
        raise NewerSchemaError(file, version, len(steps))
    for number, step in enumerate(steps[version:], start=version + 1):
        _step(db, number, step)


def _step(db: sqlite3.Connection, number: int, step: str) -> None:
    """One step in one transaction. Two slots that start at once both come here: the second finds it done."""
    db.execute("BEGIN IMMEDIATE")
    try:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version < number:
            for statement in _statements(step):
                db.execute(statement)
            db.execute(f"PRAGMA user_version={number}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _open_sound(file: Path, name: str, *, shared: bool) -> sqlite3.Connection:
    """On a disk so full that not even the index of the write-ahead log fits, it is kept in memory: what is stored is
    to be read all the same. Another process (a backup) cannot read the file then, until the next start."""
    try:
        return _open(file, name, shared=shared, alone=False)
    except sqlite3.OperationalError as error:
        if shared or code_of(error) not in _FULL:
            raise
    return _open(file, name, shared=False, alone=True)


def _open(file: Path, name: str, *, shared: bool, alone: bool) -> sqlite3.Connection:
    db = _connect(file)
    try:
        if alone:
            db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("PRAGMA auto_vacuum=INCREMENTAL")  # only a new file takes it; lets retention give space back
        db.execute(f"PRAGMA journal_mode={'TRUNCATE' if shared else 'WAL'}")
        db.execute("PRAGMA synchronous=FULL")
        db.execute(f"PRAGMA journal_size_limit={64 * 1024**2}")
        db.execute("PRAGMA foreign_keys=ON")
        _check(db)
        _migrate(db, file, schema(name))
    except BaseException as error:
        with contextlib.suppress(sqlite3.Error):
            db.close()
        if isinstance(error, sqlite3.DatabaseError) and is_damage(error):
            raise DamagedError(str(error)) from None
        raise
    return db


def aside_of(file: Path) -> Path:
    """A name that is free: `<name>.corrupt-<time>`."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    aside = file.with_name(f"{file.name}.corrupt-{stamp}")
    for again in range(2, 100):
        if aside.exists():
            aside = file.with_name(f"{file.name}.corrupt-{stamp}-{again}")
    return aside


def set_aside(file: Path) -> Path:
    """Renames the file, and what belongs to it, to `*.corrupt-<time>`. Nothing is deleted."""
    aside = aside_of(file)
    for suffix in ("-wal", "-shm", ""):
        part = file.with_name(file.name + suffix)
        with contextlib.suppress(FileNotFoundError):
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def open_writer(file: Path, name: str, *, shared: bool = False) -> tuple[sqlite3.Connection, Damage | None]:
    """The one writing connection, and what was damaged and set aside when that had to be done.

    `shared` files may be open in another process too, so they keep a rollback journal. Raises FolderError when the
    file cannot be opened for another reason than damage.
    """
    try:
        return _open_sound(file, name, shared=shared), None
    except DamagedError as error:
        aside = set_aside(file)
        damage = Damage(aside, f"{file.name} was damaged ({error}), set aside as {aside.name}")
    except sqlite3.Error as error:
        raise FolderError(f"cannot use {file}: {error}") from None
    try:
        return _open_sound(file, name, shared=shared), damage
    except (sqlite3.Error, DamagedError) as error:
        raise FolderError(f"cannot use {file}: {error}") from None
    except OSError as error:
        raise unusable(file, error) from None


def open_reader(file: Path) -> sqlite3.Connection:
    """A connection that can never write, and so never checkpoints."""
    db = sqlite3.connect(f"file:{_quoted(file)}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
    db.text_factory = lambda raw: raw.decode("utf-8", "replace")
    db.execute("PRAGMA query_only=ON")
    return db


def open_remains(file: Path) -> sqlite3.Connection:
    """A damaged file, to read what can be read of it. It is not written to."""
    db = sqlite3.connect(f"file:{_quoted(file)}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
    db.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return db


def _quoted(file: Path) -> str:
    return str(file.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
