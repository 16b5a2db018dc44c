"""Searching the sealed log records. First which, then all of them: most columns are read for a page of rows only."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from chimney.core.log_filter import OWN, FieldValue, LogFilter
from chimney.core.records import LEVEL_NAMES, rfc3339
from chimney.store.sealed import Sealed
from chimney.store.segments import Segment
from chimney.store.words import MAY_BE_ID, Place
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
_WORDS, _IDS = ("message", "logger"), ("request_id", "trace_id")
# the names of fields are not sought in: `"name":` is left out of their JSON before a match in it counts
_VALUES = r"""regexp_replace(fields, '"(?:[^"\\]|\\.)*":', '', 'g')"""
_MEANT = {"level": "info", "kind": "log"}  # where the column says nothing
_fields = msgspec.json.Decoder(dict[str, Any]).decode


class Candidates(NamedTuple):
    """Segments that may hold what is asked for; `in_ids` are those of them that have the text in ids or not at all."""

    segments: list[Segment]
    in_ids: set[Segment]


def _conditions(wanted: LogFilter, *, before: int | None, after: int | None, in_ids: bool) -> tuple[str, list[object]]:
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
        text, of_it = _mentioned(wanted.grep.lower(), in_ids=in_ids)
        texts.append(text)
        values += of_it
    return " AND ".join(texts) or "true", values


def _mentioned(sought: str, *, in_ids: bool) -> tuple[str, list[object]]:
    ids = _IDS if MAY_BE_ID.fullmatch(sought) else ()
    columns = ids if in_ids else (*_WORDS, *ids)
    likes = [f"contains(lower({name}), ?)" for name in columns]
    values: list[object] = [sought] * len(columns)
    if not in_ids:
        likes.append(f"(contains(lower(fields), ?) AND contains(lower({_VALUES}), ?))")
        values += [msgspec.json.encode(sought).decode()[1:-1]] * 2
    return f"({' OR '.join(likes)})", values


def _held(one: FieldValue) -> tuple[str, list[object]]:
    """A condition that is true or false, never unknown."""
    if one.name in OWN:
        return f"(coalesce({one.name}, '{_MEANT.get(one.name, '')}') = ?)", [one.value]
    name, written = (msgspec.json.encode(text).decode() for text in (one.name, one.value))
    sought = [f"{name}:{written}", f"{name}:{one.value},", f"{name}:{one.value}}}"]
    return f"({' OR '.join(['contains(coalesce(fields, ), ?)'] * 3)})", list(sought)


def _candidates(sealed: Sealed, wanted: LogFilter, before: int | None, after: int | None) -> Candidates:
    found = sealed.within(from_ms=wanted.from_ms, to_ms=wanted.to_ms, before=before, after=after, source=wanted.source)
    for sought in (wanted.request_id, wanted.trace_id):
        found = sealed.holding(found, [sought]) if sought is not None else found
    if not wanted.grep:
        return Candidates(found, set())
    places = sealed.mentioning(found, wanted.grep)
    return Candidates(list(places), {one for one, place in places.items() if place is Place.IDS})


def sealed_logs(
    sealed: Sealed, wanted: LogFilter, *, before: int | None, after: int | None, at_once: int
) -> Iterator[LogRow]:
    """Newest first, `at_once` at a time; ends early when the deadline is over."""
    candidates, in_ids = _candidates(sealed, wanted, before, after)
    if wanted.request_id or wanted.trace_id:  # few segments are left, and few rows in them
        conditions, values = _conditions(wanted, before=before, after=after, in_ids=in_ids.issuperset(candidates))
        statement = f"SELECT {_LISTED} FROM {{rows}} WHERE {conditions} ORDER BY id DESC LIMIT {at_once}"  # noqa: S608
        yield from map(_row, sealed.query(candidates, statement, values))
        return
    for group in sealed.groups(candidates):
        upper = before
        while True:
            conditions, values = _conditions(wanted, before=upper, after=after, in_ids=in_ids.issuperset(group))
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
    segments, in_ids = _candidates(sealed, wanted, None, None)
    conditions, values = _conditions(wanted, before=None, after=None, in_ids=in_ids.issuperset(segments))
    statement = (  # as constants: with bound values the division takes twice as long
        f"SELECT (at_ms - {start_ms:d}) // {width_ms:d}, coalesce(level, 'info'), count(*)"  # noqa: S608
        f" FROM {{rows}} WHERE {conditions} GROUP BY 1, 2"
    )
    return [(one[0], one[1], one[2]) for one in sealed.query(segments, statement, values)]


def sealed_facets(sealed: Sealed, wanted: LogFilter) -> list[tuple[str, str, int]]:
    """Level, source, count."""
    segments, in_ids = _candidates(sealed, wanted, None, None)
    conditions, values = _conditions(wanted, before=None, after=None, in_ids=in_ids.issuperset(segments))
    statement = f"SELECT coalesce(level, 'info'), source, count(*) FROM {{rows}} WHERE {conditions} GROUP BY 1, 2"  # noqa: S608
    return [(one[0], one[1], one[2]) for one in sealed.query(segments, statement, values)]


def _row(values: tuple[Any, ...]) -> LogRow:
    told = dict(zip(_COLUMNS, values, strict=True))
    at_ms = told.pop("at_ms")
    return LogRow(**{**told, "ts": rfc3339(at_ms), "fields": _fields(told["fields"] or "{}")})
