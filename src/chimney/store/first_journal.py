"""The journal of the first version kept a row for each record: they are moved into frames when the file is opened.

In steps, each in one transaction, so that a start that is cut short goes on where it was.
"""

import sqlite3
from typing import Any

import msgspec

from chimney.core.records import LEVEL_NAMES, rfc3339
from chimney.store.frames import Signal, pack
from chimney.wire.telemetry import LogRow

STEP_ROWS = 2_000
_OLDEST = (
    "SELECT log.id, ts_ms, level, source.name, kind, origin_id, message, logger, request_id, trace_id, fields"  # noqa: S608
    f" FROM log JOIN source ON source.id = log.source ORDER BY log.id LIMIT {STEP_ROWS}"
)
_HELD = (
    "SELECT min(origin_id), max(origin_id) FROM log JOIN source ON source.id = log.source"
    " WHERE source.name = ? AND log.epoch = source.epoch AND origin_id IS NOT NULL"
)
_encode = msgspec.json.Encoder().encode


def move_log(db: sqlite3.Connection) -> None:
    """Nothing when there is none."""
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'log'").fetchone():
        return
    db.execute("BEGIN IMMEDIATE")
    for (name,) in db.execute("SELECT name FROM source WHERE held = '[]'").fetchall():
        low, high = db.execute(_HELD, (name,)).fetchone()
        if low is not None:
            db.execute("UPDATE source SET held = ? WHERE name = ?", (_encode([[low, high]]).decode(), name))
    db.execute(
        "INSERT OR IGNORE INTO signal SELECT ?, seq + 1 FROM sqlite_sequence WHERE name = 'log'", (Signal.LOG.value,)
    )
    db.execute("COMMIT")
    while rows := db.execute(_OLDEST).fetchall():
        lines = [_encode(_row(values)) for values in rows]
        times = [values[1] for values in rows]
        size = sum(len(line) + 1 for line in lines)
        db.execute("BEGIN IMMEDIATE")
        db.execute(
            "INSERT INTO batch (signal, first_id, last_id, rows, from_ms, to_ms, size, held, frame)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, '{}', ?)",
            (Signal.LOG, rows[0][0], rows[-1][0], len(rows), min(times), max(times), size, pack(lines)),
        )
        db.execute("DELETE FROM log WHERE id <= ?", (rows[-1][0],))
        db.execute("COMMIT")
    db.execute("DROP TABLE log")


def _row(values: tuple[Any, ...]) -> LogRow:
    row_id, ts_ms, level, source, kind, origin_id, message, logger, request_id, trace_id, fields = values
    try:
        decoded = msgspec.json.decode(fields, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        decoded = {"damaged": "the fields of this record cannot be read"}
    return LogRow(
        id=row_id,
        ts=rfc3339(ts_ms),
        level=LEVEL_NAMES.get(level, "info"),
        source=source,
        kind=kind,
        origin_id=origin_id,
        message=message,
        logger=logger,
        request_id=request_id,
        trace_id=trace_id,
        fields=decoded,
    )
