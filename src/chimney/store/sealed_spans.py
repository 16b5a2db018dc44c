"""Searching the sealed spans."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from chimney.core.span_filter import SpanFilter
from chimney.store.hot_spans import KeptSpan
from chimney.store.sealed import Sealed

_COLUMNS = [field.name for field in msgspec.structs.fields(KeptSpan)]
_JSON = ("attributes", "resource", "events", "links")
_NEWEST = 4  # segments that the names of services are read from
_decode = msgspec.json.Decoder().decode


def _conditions(wanted: SpanFilter, before: int | None) -> tuple[str, list[object]]:
    given: list[tuple[str, object]] = [
        ("service = ?", wanted.service),
        ("name = ?", wanted.name),
        ("status = ?", wanted.status),
        ("duration_ns >= ?", wanted.least_ns),
        ("duration_ns <= ?", wanted.most_ns),
        ("at_ms >= ?", wanted.from_ms),
        ("at_ms < ?", wanted.to_ms),
        ("id < ?", before),
    ]
    texts = [text for text, value in given if value is not None]
    return " AND ".join(texts) or "true", [value for _, value in given if value is not None]


def sealed_span_ids(
    sealed: Sealed, wanted: SpanFilter, *, before: int | None, at_once: int
) -> Iterator[tuple[int, str]]:
    """Id and trace id, newest first; ends early when the deadline is over."""
    segments = sealed.within(from_ms=wanted.from_ms, to_ms=wanted.to_ms, before=before, source=wanted.service)
    for group in sealed.groups(segments):
        upper = before
        while True:
            conditions, values = _conditions(wanted, upper)
            statement = f"SELECT id, trace_id FROM {{rows}} WHERE {conditions} ORDER BY id DESC LIMIT {at_once}"  # noqa: S608
            rows = sealed.query(group, statement, values)
            yield from ((row[0], row[1]) for row in rows)
            if len(rows) < at_once:
                break
            upper = rows[-1][0]


def sealed_trace(sealed: Sealed, trace_ids: Sequence[str], most: int) -> Iterator[KeptSpan]:
    """Every sealed span of these traces, up to `most`."""
    segments = sealed.holding(sealed.within(), trace_ids)
    marks = ", ".join("?" * len(trace_ids))
    columns = ", ".join(_COLUMNS)
    statement = f"SELECT {columns} FROM {{rows}} WHERE trace_id IN ({marks}) LIMIT {most}"  # noqa: S608
    yield from map(_span, sealed.query(segments, statement, trace_ids))


def sealed_services(sealed: Sealed, most: int) -> list[tuple[str, str]]:
    """Service and name of spans, of the newest segments."""
    statement = f"SELECT DISTINCT service, name FROM {{rows}} LIMIT {most}"  # noqa: S608
    return [(row[0], row[1]) for row in sealed.query(sealed.within()[:_NEWEST], statement)]


def _span(values: tuple[Any, ...]) -> KeptSpan:
    told = dict(zip(_COLUMNS, values, strict=True))
    for name in _JSON:
        told[name] = _decode(told[name]) if told[name] else {} if name in ("attributes", "resource") else []
    return KeptSpan(**told)
