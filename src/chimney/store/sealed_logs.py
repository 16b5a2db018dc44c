"""Searching the sealed log records. First which, then all of them: most columns are read for a page of rows only."""

from collections.abc import Iterator
from typing import Any

import msgspec

from chimney.core.log_filter import OWN, FieldValue, LogFilter
from chimney.core.records import LEVEL_NAMES, rfc3339
from chimney.store.sealed import Sealed
from chimney.store.segments import Segment
from chimney.store.words import MAY_BE_ID
from chimney.wire.telemetry import LogRow

_COLUMNS = (
    "id",
    "at_ms",
    "level",
    "source",
    "message",
    "logger",
    "kind",
    "origin_id",
    "request_id",
    "trace_id",
    "fields",
    "span_id",
    "service",
    "deployment",
    "revision",
    "severity",
)
_LISTED = ", ".join(_COLUMNS)
_EXACT = ("source", "request_id", "trace_id", "service", "deployment")
_TEXTS = ("message", "logger", "request_id", "trace_id")
# the names of fields are not sought in: `"name":` is left out of their JSON before a match in it counts
_VALUES = r"""regexp_replace(fields, '"(?:[^"\\]|\\.)*":', '', 'g')"""
_MEANT = {"level": "info", "kind": "log"}  # where the column says nothing
_fields = msgspec.json.Decoder(dict[str, Any]).decode


def _conditions(wanted: LogFilter, *, before: int | None, after: int | None) -> tuple[str, list[object]]:
    given: list[tuple[str, object]] = [
        ("at_ms >= ?", wanted.from_ms),
        ("at_ms < ?", wanted.to_ms),
        ("id < ?", before),
        ("id > ?", after),
        *((f"{name} = ?", getattr(wanted, name)) for name in _EXACT),
    ]
    texts = [text for text, value in given if value is not None]
    values = [value for _, value in given if value is not None]
    if wanted.level:
        names = [f"'{name}'" for number, name in LEVEL_NAMES.items() if number >= wanted.level]
        texts.append(f"level IN ({', '.join(names)})")
    for one in wanted.having:
        text, of_it = _held(one)
        texts.append(text)
        values += of_it
    for one in wanted.lacking:
        text, of_it = _held(one)
        texts.append(f"NOT {text}")
        values += of_it
    if wanted.grep:
        sought = wanted.grep.lower()
        written = msgspec.json.encode(sought).decode()[1:-1]
        columns = _TEXTS if MAY_BE_ID.fullmatch(sought) else _TEXTS[:2]
        likes = " OR ".join(f"contains(lower({name}), ?)" for name in columns)
        in_fields = f"(contains(lower(fields), ?) AND contains(lower({_VALUES}), ?))"
        texts.append(f"({likes} OR {in_fields})")
        values += [sought] * len(columns) + [written] * 2
    return " AND ".join(texts) or "true", values


def _held(one: FieldValue) -> tuple[str, list[object]]:
    """A condition that is true or false, never unknown."""
    if one.name in OWN:
        return f"(coalesce({one.name}, '{_MEANT.get(one.name, '')}') = ?)", [one.value]
    name, written = (msgspec.json.encode(text).decode() for text in (one.name, one.value))
    sought = [f"{name}:{written}", f"{name}:{one.value},", f"{name}:{one.value}}}"]
    return f"({' OR '.join(['contains(coalesce(fields, ), ?)'] * 3)})", list(sought)


def _candidates(sealed: Sealed, wanted: LogFilter, before: int | None, after: int | None) -> list[Segment]:
    found = sealed.within(from_ms=wanted.from_ms, to_ms=wanted.to_ms, before=before, after=after, source=wanted.source)
    for sought in (wanted.request_id, wanted.trace_id):
        found = sealed.holding(found, [sought]) if sought is not None else found
    return sealed.mentioning(found, wanted.grep) if wanted.grep else found


def sealed_logs(
    sealed: Sealed, wanted: LogFilter, *, before: int | None, after: int | None, at_once: int
) -> Iterator[LogRow]:
    """Newest first, `at_once` at a time; ends early when the deadline is over."""
    candidates = _candidates(sealed, wanted, before, after)
    if wanted.request_id or wanted.trace_id:  # few segments are left, and few rows in them
        conditions, values = _conditions(wanted, before=before, after=after)
        statement = f"SELECT {_LISTED} FROM {{rows}} WHERE {conditions} ORDER BY id DESC LIMIT {at_once}"  # noqa: S608
        yield from map(_row, sealed.query(candidates, statement, values))
        return
    for group in sealed.groups(candidates):
        upper = before
        while True:
            conditions, values = _conditions(wanted, before=upper, after=after)
            statement = f"SELECT id FROM {{rows}} WHERE {conditions} ORDER BY id DESC LIMIT {at_once}"  # noqa: S608
            ids = [row_id for (row_id,) in sealed.query(group, statement, values)]
            if not ids:
                break
            listed = ", ".join(map(str, ids))
            rows = f"SELECT {_LISTED} FROM {{rows}} WHERE id IN ({listed}) ORDER BY id DESC"  # noqa: S608
            yield from map(_row, sealed.query(group, rows))
            if len(ids) < at_once:
                break
            upper = ids[-1]


def sealed_counts(sealed: Sealed, wanted: LogFilter, *, start_ms: int, width_ms: int) -> list[tuple[int, str, int]]:
    """Number of the bucket, level, count."""
    conditions, values = _conditions(wanted, before=None, after=None)
    statement = (  # as constants: with bound values the division takes twice as long
        f"SELECT (at_ms - {start_ms:d}) // {width_ms:d}, coalesce(level, 'info'), count(*)"  # noqa: S608
        f" FROM {{rows}} WHERE {conditions} GROUP BY 1, 2"
    )
    segments = _candidates(sealed, wanted, None, None)
    return [(one[0], one[1], one[2]) for one in sealed.query(segments, statement, values)]


def sealed_facets(sealed: Sealed, wanted: LogFilter) -> list[tuple[str, str, int]]:
    """Level, source, count."""
    conditions, values = _conditions(wanted, before=None, after=None)
    statement = f"SELECT coalesce(level, 'info'), source, count(*) FROM {{rows}} WHERE {conditions} GROUP BY 1, 2"  # noqa: S608
    segments = _candidates(sealed, wanted, None, None)
    return [(one[0], one[1], one[2]) for one in sealed.query(segments, statement, values)]


def _row(values: tuple[Any, ...]) -> LogRow:
    told = dict(zip(_COLUMNS, values, strict=True))
    at_ms = told.pop("at_ms")
    return LogRow(**{**told, "ts": rfc3339(at_ms), "fields": _fields(told["fields"] or "{}")})
