"""Searching the unsealed log records: newest first, by the text of a whole chunk before any of its lines is read."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from chimney.core.log_filter import LogFilter
from chimney.core.records import milliseconds
from chimney.store.deadline import Deadline
from chimney.store.hot import Chunk, in_time
from chimney.wire.telemetry import LEVELS, LogRow

_row = msgspec.json.Decoder(LogRow).decode
_text = msgspec.json.Decoder(str).decode


# how each line begins: what a histogram needs. A line feed is looked for by itself and is in no text of JSON; with `^`
# every place is tried, which costs ten times as much
_BEGINNING = re.compile(rb'\n\{"id":\d+,"ts":"([^"]*)","level":"([a-z]+)"')


def needles(wanted: LogFilter) -> list[bytes]:
    """Texts that a line must hold, lower case, to be what is asked for: a chunk without one is passed over."""
    exact = ("source", "request_id", "trace_id", "service", "deployment")
    found = [
        b'"%s":%s' % (name.encode(), msgspec.json.encode(value)) for name in exact if (value := getattr(wanted, name))
    ]
    found += [msgspec.json.encode(one.value)[1:-1] for one in wanted.having if not _is_json(one.value)]
    if wanted.grep and wanted.grep.isascii():  # bytes know the case of ASCII letters only
        found.append(msgspec.json.encode(wanted.grep)[1:-1])
    return [one.lower() for one in found]


def _is_json(text: str) -> bool:
    """Whether it may stand in a line as it is: a number or a list has no quotes around it."""
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return not text.isascii() or not text
    return True


def _lines(chunk: Chunk, sought: Sequence[bytes], levels: Sequence[bytes]) -> Iterator[bytes]:
    """Lines that may be asked for, newest first."""
    text = chunk.text()
    if levels and not any(level in text for level in levels):
        return
    for line in _holding(text, sought) if sought else text.split(b"\n")[-2::-1]:
        if not levels or any(level in line for level in levels):
            yield line


def _holding(text: bytes, sought: Sequence[bytes]) -> Iterator[bytes]:
    """Lines with all of these in them, the last first: only those are looked at that hold the last of them."""
    lower = text.lower()
    if any(needle not in lower for needle in sought):
        return
    end = len(lower)
    while (at := lower.rfind(sought[-1], 0, end)) >= 0:
        start, stop = lower.rfind(b"\n", 0, at) + 1, lower.index(b"\n", at)
        if all(lower.find(needle, start, stop) >= 0 for needle in sought):
            yield text[start:stop]
        end = start


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
    ids = [one for one in (wanted.request_id, wanted.trace_id) if one is not None]
    for chunk in in_time(chunks, wanted.from_ms, wanted.to_ms):
        if (before is not None and chunk.first_id >= before) or (after is not None and chunk.last_id <= after):
            continue
        if deadline.over():
            return
        if not all(chunk.may_hold(one) for one in ids):
            continue
        for line in _lines(chunk, sought, levels):
            row = _row(line)
            if (before is None or row.id < before) and (after is None or row.id > after) and _wanted(row, wanted):
                yield row


def hot_counts(
    chunks: Sequence[Chunk], wanted: LogFilter, deadline: Deadline, *, start_ms: int, width_ms: int
) -> Iterator[tuple[int, str, int]]:
    """Number of the bucket, level, count; a bucket may come again."""
    simple = not wanted.level and wanted == LogFilter(from_ms=wanted.from_ms, to_ms=wanted.to_ms)
    if not simple:
        for row in hot_logs(chunks, wanted, deadline, before=None, after=None):
            yield ((milliseconds(row.ts) or 0) - start_ms) // width_ms, row.level, 1
        return
    low, high = wanted.from_ms or 0, 2**62 if wanted.to_ms is None else wanted.to_ms
    for chunk in in_time(chunks, wanted.from_ms, wanted.to_ms):
        if deadline.over():
            return
        first, last = ((at - start_ms) // width_ms for at in (chunk.from_ms, chunk.to_ms))
        if first == last and low <= chunk.from_ms and chunk.to_ms < high:
            yield from ((first, level, count) for level, count in _by_level(chunk).items())
            continue
        for ts, level in _BEGINNING.findall(b"\n" + chunk.text()):
            ts_ms = milliseconds(ts.decode()) or 0
            if low <= ts_ms < high:
                yield (ts_ms - start_ms) // width_ms, level.decode(), 1


def _by_level(chunk: Chunk) -> dict[str, int]:
    if chunk.levels is None:
        counted = Counter(level for _, level in _BEGINNING.findall(b"\n" + chunk.text()))
        chunk.levels = {level.decode(): count for level, count in counted.items()}
    return chunk.levels


_SOURCED = re.compile(_BEGINNING.pattern + rb',"source":("(?:[^"\\]|\\.)*")')


def hot_facets(chunks: Sequence[Chunk], wanted: LogFilter, deadline: Deadline) -> Iterator[tuple[str, str, int]]:
    """Level, source, count; a pair may come again."""
    if wanted != LogFilter(from_ms=wanted.from_ms, to_ms=wanted.to_ms):
        for row in hot_logs(chunks, wanted, deadline, before=None, after=None):
            yield row.level, row.source, 1
        return
    low, high = wanted.from_ms or 0, 2**62 if wanted.to_ms is None else wanted.to_ms
    for chunk in in_time(chunks, wanted.from_ms, wanted.to_ms):
        if deadline.over():
            return
        if low <= chunk.from_ms and chunk.to_ms < high:
            yield from ((level, source, count) for (level, source), count in _by_source(chunk).items())
            continue
        for ts, level, source in _SOURCED.findall(b"\n" + chunk.text()):
            if low <= (milliseconds(ts.decode()) or 0) < high:
                yield level.decode(), _text(source), 1


def _by_source(chunk: Chunk) -> dict[tuple[str, str], int]:
    if chunk.sources is None:
        counted = Counter((level, source) for _, level, source in _SOURCED.findall(b"\n" + chunk.text()))
        chunk.sources = {(level.decode(), _text(source)): count for (level, source), count in counted.items()}
    return chunk.sources
