"""Small state in one SQLite file: one connection, one thread."""

import asyncio
import contextlib
import functools
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from chimney.store.sqlite import in_our_words, open_writer

log = logging.getLogger(__name__)
T = TypeVar("T")


class Database:
    """`damage` says what was set aside when the file had to be begun anew; `shared` as in store/sqlite."""

    def __init__(self, file: Path, schema: str, *, shared: bool = False) -> None:
        self._file = file
        self._schema = schema
        self._shared = shared
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=schema)
        self._db: sqlite3.Connection | None = None
        self.damage: str | None = None

    async def open(self) -> None:
        """Raises FolderError."""
        opening = functools.partial(open_writer, self._file, self._schema, shared=self._shared)
        self._db, damage = await asyncio.get_running_loop().run_in_executor(self._thread, opening)
        if damage:
            self.damage = damage.said
            log.error("%s", self.damage)

    async def run(self, act: Callable[[sqlite3.Connection], T]) -> T:
        """`act` in one transaction, durable when this returns. Raises StorageFullError or StorageFailedError."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transaction, act)

    def _transaction(self, act: Callable[[sqlite3.Connection], T]) -> T:
        if self._db is None:
            raise in_our_words(sqlite3.OperationalError("not open"), self._file)
        try:
            self._db.execute("BEGIN IMMEDIATE")
            result = act(self._db)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._rollback(self._db)
            raise in_our_words(error, self._file) from error
        except BaseException:
            self._rollback(self._db)
            raise
        return result

    def _rollback(self, db: sqlite3.Connection) -> None:
        with contextlib.suppress(sqlite3.Error):
            db.execute("ROLLBACK")

    async def close(self) -> None:
        db, self._db = self._db, None
        if db:
            await asyncio.get_running_loop().run_in_executor(self._thread, db.close)
        self._thread.shutdown(wait=False)
