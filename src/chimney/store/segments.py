"""Sealed rows: Parquet files that never change, each with its checksum in its name, a filter of what is in it beside.

Rows lie in order of their ids (samples by series), compressed about ten to one. A file that is not what was written is
set aside under `*.corrupt-<time>` and named; DuckDB is never given one.
"""

import contextlib
import os
import re
import shutil
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from chimney.store import bloom, words
from chimney.store.engine import Engine
from chimney.store.errors import StorageFailedError, StorageFullError
from chimney.store.folder import is_full
from chimney.store.frames import Signal, pack
from chimney.store.hot import Chunk
from chimney.store.sqlite import aside_of

if TYPE_CHECKING:
    import duckdb

ROW_GROUP = 20_480  # a sixth of DuckDB's own: less is read for a few rows, and sealing needs ~120 MB, not ~200
LEAST_ROOM = 16 * 1024**2
LARGEST_LINE = 4 * 1024**2
MOST_SOURCES = 200
_NAME = re.compile(r"(log|span|sample)-(\d{18})-(\d{18})-([0-9a-f]{8})\.parquet")
_TEXTS = {
    Signal.LOG: "level source kind message logger request_id trace_id span_id service deployment revision severity"
    " fields",
    Signal.SPAN: "trace_id span_id parent_span_id service name kind status status_message scope attributes resource"
    " events links",
    Signal.SAMPLE: "name kind source labels buckets",
}
_NUMBERS = {
    Signal.LOG: {"id": "BIGINT", "ts": "TIMESTAMP", "origin_id": "BIGINT"},
    Signal.SPAN: {"id": "BIGINT", "at_ms": "BIGINT", "start_ns": "BIGINT", "duration_ns": "BIGINT"},
    Signal.SAMPLE: {"id": "BIGINT", "at_ms": "BIGINT", "value": "DOUBLE", "count": "BIGINT"},
}
_SELECT = {
    Signal.LOG: "SELECT epoch_ms(ts) AS at_ms, * EXCLUDE (ts) FROM lines",
    Signal.SPAN: "SELECT * FROM lines",
    Signal.SAMPLE: "SELECT * FROM lines ORDER BY name, labels, at_ms",
}
_IDS = {
    Signal.LOG: "SELECT unnest([trace_id, request_id]) AS id FROM {file}",
    Signal.SPAN: "SELECT trace_id AS id FROM {file}",
}
FILTER = ".filter"
_SOURCE = {Signal.LOG: "source", Signal.SPAN: "service", Signal.SAMPLE: "name"}


class Segment(msgspec.Struct, frozen=True):
    """A row of the catalogue. `sources` are the sources of its records, the services of its spans, the names of its
    samples; None when there are many."""

    file: str
    signal: Signal
    first_id: int
    last_id: int
    rows: int
    from_ms: int
    to_ms: int
    bytes: int
    checksum: int
    ids_checksum: int | None
    sources: frozenset[str] | None

    def overlaps(self, from_ms: int | None, to_ms: int | None) -> bool:
        return (from_ms is None or self.to_ms >= from_ms) and (to_ms is None or self.from_ms < to_ms)


def quoted(path: Path | str) -> str:
    """A path as a literal of SQL."""
    return "'" + str(path).replace("'", "''") + "'"


def _rows(file: Path) -> str:
    return f"read_parquet({quoted(file)})"


class Segments:
    """The folder of segments. Blocking. Raises StorageFullError or StorageFailedError."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder = folder
        self._engine = engine
        self._sound: set[str] = set()

    def path(self, segment: Segment) -> Path:
        return self.folder / segment.file

    def filter_path(self, segment: Segment) -> Path:
        return self.path(segment).with_suffix(FILTER)

    def seal(self, signal: Signal, chunks: Sequence[Chunk]) -> Segment:
        """A new file with the rows of these chunks, durable under its name when this returns."""
        draft = self.folder / f"{signal}.new"
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            with _lines(chunks) as lines, self._engine.apart() as db:
                columns = {**_NUMBERS[signal], **dict.fromkeys(_TEXTS[signal].split(), "VARCHAR")}
                declared = ", ".join(f"{name}: '{kind}'" for name, kind in columns.items())
                rows = (
                    f"WITH lines AS (FROM read_json({quoted(lines)}, columns = {{{declared}}}, compression = 'zstd',"
                    f" format = 'newline_delimited', maximum_object_size = {LARGEST_LINE})) {_SELECT[signal]}"
                )
                db.execute(
                    f"COPY ({rows}) TO {quoted(draft)}"
                    f" (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2, ROW_GROUP_SIZE {ROW_GROUP})"
                )
                found = self._described(db, signal, draft)
                ids = _filter(db, signal, _rows(draft))
            if found.rows != sum(chunk.rows for chunk in chunks):
                raise StorageFailedError(f"a segment would hold {found.rows:,} rows and not all")
            return self._named(found, draft, ids)
        except StorageFailedError as error:
            raise StorageFullError(str(error)) if _no_room(self.folder) else error from None
        except OSError as error:
            raise (StorageFullError if is_full(error) else StorageFailedError)(f"cannot seal: {error}") from None
        finally:
            for leftover in self.folder.glob(f"{signal}*.new"):
                leftover.unlink(missing_ok=True)

    def _described(self, db: "duckdb.DuckDBPyConnection", signal: Signal, file: Path) -> Segment:
        source = _SOURCE[signal]
        (rows, first, last, low, high) = db.execute(
            f"SELECT count(*), min(id), max(id), min(at_ms), max(at_ms) FROM {_rows(file)}"  # noqa: S608
        ).fetchone() or (0, 0, 0, 0, 0)
        names = db.execute(f"SELECT DISTINCT {source} FROM {_rows(file)} LIMIT {MOST_SOURCES + 1}").fetchall()  # noqa: S608
        sources = frozenset(name for (name,) in names) if len(names) <= MOST_SOURCES else None
        return Segment(file.name, signal, first, last, rows, low, high, 0, 0, None, sources)

    def _named(self, found: Segment, draft: Path, ids: bytes | None) -> Segment:
        """The draft under its own name, on the disk with its folder."""
        checksum, size = _checked(draft)
        name = f"{found.signal}-{found.first_id:018d}-{found.last_id:018d}-{checksum:08x}.parquet"
        segment = msgspec.structs.replace(found, file=name, bytes=size, checksum=checksum)
        if ids is not None:
            ids_draft = draft.with_name(f"{found.signal}-ids.new")
            ids_draft.write_bytes(ids)
            segment = msgspec.structs.replace(segment, ids_checksum=_checked(ids_draft)[0], bytes=size + len(ids))
            _sync(ids_draft)
            ids_draft.rename(self.filter_path(segment))
        _sync(draft)
        draft.rename(self.path(segment))
        _sync(self.folder)
        self._sound.add(name)
        return segment

    def adopt(self, name: str) -> Segment | None:
        """What the file says of itself; None when it is none of ours, or damaged."""
        parts = _NAME.fullmatch(name)
        if not parts:
            return None
        try:
            checksum, size = _checked(self.folder / name)
            if checksum != int(parts[4], 16):
                return None
            with self._engine.apart() as db:
                found = self._described(db, Signal(parts[1]), self.folder / name)
        except (OSError, StorageFailedError):
            return None
        self._sound.add(name)
        return msgspec.structs.replace(found, bytes=size, checksum=checksum)

    def sound(self, segment: Segment) -> bool:
        """Whether the file is what was written; read whole the first time that it is asked."""
        if segment.file in self._sound:
            return True
        with contextlib.suppress(OSError):
            if _checked(self.path(segment))[0] != segment.checksum:
                return False
            ids = self.filter_path(segment)
            if ids.exists() and _checked(ids)[0] != segment.ids_checksum:
                ids.rename(aside_of(ids))  # the segment is asked itself from now on
            self._sound.add(segment.file)
            return True
        return False

    def may_hold(self, segment: Segment, sought: str) -> bool:
        return bloom.may_hold(self.filter_path(segment), sought)

    def place(self, segment: Segment, text: str) -> words.Place:
        return words.place(self.filter_path(segment), text)

    def set_aside(self, segment: Segment) -> str:
        """The file, out of the way; its new name, or what else there is to say."""
        aside = aside_of(self.path(segment))
        try:
            self.path(segment).rename(aside)
        except FileNotFoundError:
            return "it is not there"
        except OSError as error:
            return str(error)
        return f"set aside as {aside.name}"

    def remove(self, segment: Segment) -> None:
        self._sound.discard(segment.file)
        for file in (self.path(segment), self.filter_path(segment)):
            with contextlib.suppress(OSError):
                file.unlink()

    def names(self) -> list[str]:
        """Files in the folder that are named as segments are."""
        with contextlib.suppress(OSError):
            return sorted(file.name for file in self.folder.iterdir() if _NAME.fullmatch(file.name))
        return []


@contextlib.contextmanager
def _lines(chunks: Sequence[Chunk]) -> Iterator[str]:
    """A file in memory that holds the lines, compressed; it needs no room on the disk."""
    fd = os.memfd_create("sealing")
    try:
        with os.fdopen(os.dup(fd), "wb") as stream:
            for chunk in chunks:
                stream.write(chunk.frame if chunk.frame is not None else pack(chunk.lines))
        yield f"/proc/self/fd/{fd}"
    finally:
        os.close(fd)


def _filter(db: "duckdb.DuckDBPyConnection", signal: Signal, rows: str) -> bytes | None:
    """None when there is nothing to ask it, or words so many that they do not fit in memory: then the segment is
    asked itself."""
    import duckdb  # noqa: PLC0415

    if signal not in _IDS:
        return None
    sought = _IDS[signal].format(file=rows)
    if signal is Signal.LOG:
        sought = f"{sought} UNION ALL {words.indexed(rows)}"
    with contextlib.suppress(duckdb.OutOfMemoryException):
        db.execute(f"CREATE TEMP TABLE sought AS SELECT DISTINCT id FROM ({sought})")  # noqa: S608 — a query of ours
        return bloom.build(db, "SELECT id FROM sought")
    return None


def _no_room(folder: Path) -> bool:
    """DuckDB does not say why it could not write."""
    try:
        return shutil.disk_usage(folder).free < LEAST_ROOM
    except OSError:
        return False


def _checked(file: Path) -> tuple[int, int]:
    """Checksum and size."""
    checksum = size = 0
    with file.open("rb") as stream:
        while block := stream.read(1024**2):
            checksum = zlib.crc32(block, checksum)
            size += len(block)
    return checksum, size


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
