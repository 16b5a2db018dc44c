"""Searching the unsealed log records: newest first, by the text of a whole chunk before any of its lines is read."""

from collections.abc import Iterator, Sequence

import msgspec

from chimney.core.log_filter import LogFilter
from chimney.core.records import milliseconds
from chimney.store.deadline import Deadline
from chimney.store.hot import Chunk, in_time
from chimney.wire.telemetry import LEVELS, LogRow

_row = msgspec.json.Decoder(LogRow).decode


class Counted(msgspec.Struct):
    """What a histogram needs of a line."""

    ts: str
    level: str
    source: str


_counted = msgspec.json.Decoder(Counted).decode


def needles(wanted: LogFilter) -> list[bytes]:
    """Texts that a line must hold, lower case, to be what is asked for: a chunk without one is passed over."""
    exact = ("source", "request_id", "trace_id", "service", "deployment")
    found = [
        b'"%s":%s' % (name.encode(), msgspec.json.encode(value)) for name in exact if (value := getattr(wanted, name))
    ]
    if wanted.grep and wanted.grep.isascii():  # bytes know the case of ASCII letters only
        found.append(msgspec.json.encode(wanted.grep)[1:-1])
    return [one.lower() for one in found]


def _lines(chunk: Chunk, sought: Sequence[bytes], levels: Sequence[bytes]) -> list[bytes]:
    """Lines that may be asked for, newest first."""
    text = chunk.text()
    if levels and not any(level in text for level in levels):
        return []
    if sought:
        lower = text.lower()
        if any(needle not in lower for needle in sought):
            return []
    lines = text.split(b"\n")[-2::-1]
    if levels:
        lines = [line for line in lines if any(level in line for level in levels)]
    return [line for line in lines if all(needle in line.lower() for needle in sought)] if sought else lines


def _levels(wanted: LogFilter) -> list[bytes]:
    """One of these is in a line that is severe enough; none where most lines are."""
    names = [name for name, number in LEVELS.items() if number >= wanted.level]
    return [b'"level":"%s"' % name.encode() for name in names] if wanted.level > LEVELS["info"] else []


def _wanted(row: LogRow, wanted: LogFilter) -> bool:
    if wanted.from_ms is not None or wanted.to_ms is not None:
        ts_ms = milliseconds(row.ts) or 0
        if (wanted.from_ms is not None and ts_ms < wanted.from_ms) or (
            wanted.to_ms is not None and ts_ms >= wanted.to_ms
        ):
            return False
    return wanted.accepts(row)


def hot_logs(
    chunks: Sequence[Chunk], wanted: LogFilter, deadline: Deadline, *, before: int | None, after: int | None
) -> Iterator[LogRow]:
    """Newest first; ends early when the deadline is over."""
    sought, levels = needles(wanted), _levels(wanted)
    for chunk in in_time(chunks, wanted.from_ms, wanted.to_ms):
        if (before is not None and chunk.first_id >= before) or (after is not None and chunk.last_id <= after):
            continue
        if deadline.over():
            return
        for line in _lines(chunk, sought, levels):
            row = _row(line)
            if (before is None or row.id < before) and (after is None or row.id > after) and _wanted(row, wanted):
                yield row


def hot_counts(chunks: Sequence[Chunk], wanted: LogFilter, deadline: Deadline) -> Iterator[tuple[int, str]]:
    """Time and level of each record that is asked for."""
    simple = not wanted.level and wanted == LogFilter(from_ms=wanted.from_ms, to_ms=wanted.to_ms)
    if not simple:
        for row in hot_logs(chunks, wanted, deadline, before=None, after=None):
            yield milliseconds(row.ts) or 0, row.level
        return
    low, high = wanted.from_ms or 0, 2**62 if wanted.to_ms is None else wanted.to_ms
    for chunk in in_time(chunks, wanted.from_ms, wanted.to_ms):
        if deadline.over():
            return
        for line in chunk.text().splitlines():
            one = _counted(line)
            ts_ms = milliseconds(one.ts) or 0
            if low <= ts_ms < high:
                yield ts_ms, one.level
