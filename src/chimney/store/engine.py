"""DuckDB, as an engine over files: in memory, bounded, loaded when it is first needed (it costs 45 MB).

No DuckDB database file exists, so none can be damaged. It reaches the file system, and nothing from outside ever
becomes part of a statement: values are bound, names are ours.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from chimney.store.deadline import Deadline
from chimney.store.errors import StorageFailedError

if TYPE_CHECKING:
    import duckdb

MEMORY_BYTES = 256 * 1024**2
THREADS = 2
SEALING_THREADS = 1  # of two, sealing may have one: it is never urgent


class Engine:
    """`query` may be called from several threads."""

    def __init__(self, *, memory_bytes: int = MEMORY_BYTES, threads: int = THREADS) -> None:
        self._memory_bytes = memory_bytes
        self._threads = threads
        self._opening = threading.Lock()
        self._db: duckdb.DuckDBPyConnection | None = None

    def query(self, statement: str, values: Sequence[object], deadline: Deadline) -> list[tuple[Any, ...]]:
        """The rows; none, and `deadline.passed`, when it took too long. Raises StorageFailedError."""
        import duckdb  # noqa: PLC0415

        if deadline.over():
            return []
        cursor = self._connection().cursor()
        timer = threading.Timer(deadline.left(), cursor.interrupt)
        timer.start()
        try:
            return cursor.execute(statement, values).fetchall()
        except duckdb.InterruptException:
            deadline.passed = True
            return []
        except duckdb.Error as error:
            raise StorageFailedError(f"a search failed: {error}") from None
        finally:
            timer.cancel()
            cursor.close()

    def warm(self) -> None:
        """Loads it, so that the first search need not wait for that."""
        self._connection()

    def _connection(self) -> "duckdb.DuckDBPyConnection":
        with self._opening:
            if self._db is None:
                self._db = _connect(self._memory_bytes, self._threads)
            return self._db

    @contextmanager
    def apart(self) -> Iterator["duckdb.DuckDBPyConnection"]:
        """An engine of its own for sealing: its memory is given back at the end. Raises StorageFailedError."""
        import duckdb  # noqa: PLC0415

        db = _connect(self._memory_bytes, SEALING_THREADS)
        try:
            yield db
        except duckdb.Error as error:
            raise StorageFailedError(f"DuckDB: {error}") from None
        finally:
            db.close()

    def close(self) -> None:
        if self._db:
            self._db.close()
        self._db = None


def _connect(memory_bytes: int, threads: int) -> "duckdb.DuckDBPyConnection":
    import duckdb  # noqa: PLC0415

    db = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{memory_bytes // 1024**2}MiB",
            "threads": threads,
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    return db.execute("SET enable_progress_bar = false")  # drawn on stdout where DuckDB takes a program for a prompt
