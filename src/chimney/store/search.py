"""Searching the journal: blocking, with a deadline; what was found until then is the answer, said to be partial.

Newest first by id, so that a page of recent records reads hardly more than it returns.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from chimney.core.log_filter import LogFilter, mentions
from chimney.core.records import LEVEL_NAMES, rfc3339
from chimney.store.logs import Found
from chimney.store.sqlite import code_of
from chimney.wire.telemetry import Histogram, HistogramBucket, LogRow

_COLUMNS = (
    "log.id, log.ts_ms, log.level, source.name, log.kind, log.origin_id, log.message, log.logger, log.request_id,"
    " log.trace_id, log.fields"
)
_TABLES = "log JOIN source ON source.id = log.source"
_fields = msgspec.json.Decoder(dict[str, Any]).decode


class Deadline:
    """`passed` is set when the statement was cut short."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self.passed = False

    def over(self) -> bool:
        return time.monotonic() > self._ends


@contextmanager
def _within(db: sqlite3.Connection, seconds: float) -> Iterator[Deadline]:
    deadline = Deadline(seconds)
    db.set_progress_handler(deadline.over, 5_000)
    try:
        yield deadline
    except sqlite3.OperationalError as error:
        if code_of(error) != sqlite3.SQLITE_INTERRUPT:
            raise
        deadline.passed = True
    finally:
        db.set_progress_handler(None, 0)


def _like(text: str) -> str:
    for special in "\\%_":
        text = text.replace(special, "\\" + special)
    return f"%{text}%"


def _where(wanted: LogFilter, *, before: int | None = None, after: int | None = None) -> tuple[str, list[object]]:
    """A condition that everything wanted fulfils; `grep` is decided by `mentions`, only narrowed down here."""
    # without an end the newest rows come first, so they are walked by id: `+` keeps the index on time out of it
    time_column = "log.ts_ms" if wanted.to_ms is not None else "+log.ts_ms"
    conditions: list[tuple[str, object]] = [
        (f"{time_column} >= ?", wanted.from_ms),
        (f"{time_column} < ?", wanted.to_ms),
        ("+log.level >= ?", wanted.level or None),
        ("source.name = ?", wanted.source),
        ("log.request_id = ?", wanted.request_id),
        ("log.trace_id = ?", wanted.trace_id),
        ("log.id < ?", before),
        ("log.id > ?", after),
    ]
    given = [(text, value) for text, value in conditions if value is not None]
    texts, values = [text for text, _ in given], [value for _, value in given]
    if wanted.grep and wanted.grep.isascii():  # LIKE knows the case of ASCII letters only
        columns = ("message", "logger", "coalesce(request_id, '')", "coalesce(trace_id, '')")
        escaped = msgspec.json.encode(wanted.grep).decode()[1:-1]
        likes = [f"{column} LIKE ? ESCAPE '\\'" for column in (*columns, "fields")]
        texts.append(f"({' OR '.join(likes)})")
        values += [_like(wanted.grep)] * len(columns) + [_like(escaped)]
    return " AND ".join(texts) or "1", values


def _row(values: tuple[Any, ...]) -> LogRow:
    try:
        fields = _fields(values[10])
    except (msgspec.DecodeError, RecursionError):
        fields = {"damaged": "the fields of this record cannot be read"}
    return LogRow(
        id=values[0],
        ts=rfc3339(values[1]),
        level=LEVEL_NAMES.get(values[2], "info"),
        source=values[3],
        kind=values[4],
        origin_id=values[5],
        message=values[6],
        logger=values[7],
        request_id=values[8],
        trace_id=values[9],
        fields=fields,
    )


def search(
    db: sqlite3.Connection, wanted: LogFilter, *, limit: int, before: int | None, after: int | None, seconds: float
) -> Found:
    where, values = _where(wanted, before=before, after=after)
    statement = f"SELECT {_COLUMNS} FROM {_TABLES} WHERE {where} ORDER BY log.id DESC"  # noqa: S608
    rows: list[LogRow] = []
    with _within(db, seconds) as deadline:
        for found in db.execute(statement, values):
            row = _row(found)
            if wanted.grep and not mentions(row, wanted.grep):
                continue
            rows.append(row)
            if len(rows) > limit:
                break
    return Found(rows[:limit], more=len(rows) > limit or deadline.passed, partial=deadline.passed)


def _counted(db: sqlite3.Connection, wanted: LogFilter, width_ms: int) -> Iterator[tuple[int, int, int]]:
    """Bucket, severity number, count."""
    where, values = _where(wanted)
    start = wanted.from_ms or 0
    if wanted.grep is None:
        grouped = f"SELECT (log.ts_ms - ?) / ?, log.level, count(*) FROM {_TABLES} WHERE {where} GROUP BY 1, 2"  # noqa: S608
        yield from db.execute(grouped, [start, width_ms, *values])
        return
    for found in db.execute(f"SELECT {_COLUMNS} FROM {_TABLES} WHERE {where}", values):  # noqa: S608
        if mentions(_row(found), wanted.grep):
            yield (found[1] - start) // width_ms, found[2], 1


def histogram_of(db: sqlite3.Connection, wanted: LogFilter, *, width_ms: int, seconds: float) -> tuple[Histogram, bool]:
    start, end = wanted.from_ms or 0, wanted.to_ms or 0
    counts: list[dict[str, int]] = [{} for _ in range(-(-(end - start) // width_ms))]
    with _within(db, seconds) as deadline:
        for bucket, level, count in _counted(db, wanted, width_ms):
            name = LEVEL_NAMES.get(level, "info")
            counts[bucket][name] = counts[bucket].get(name, 0) + count
    buckets = [
        HistogramBucket(at=rfc3339(start + number * width_ms), counts=count) for number, count in enumerate(counts)
    ]
    return Histogram(width_seconds=width_ms / 1000, buckets=buckets), deadline.passed
