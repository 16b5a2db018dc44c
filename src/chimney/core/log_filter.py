"""Which log rows a reader asked for. The same rule for what is stored and for what comes."""

from collections.abc import Iterator
from typing import Any

import msgspec

from chimney.wire.telemetry import LEVELS, LogRow

OWN = frozenset(LogRow.__struct_fields__) - {"id", "ts", "origin_id", "fields"}


class FieldValue(msgspec.Struct, frozen=True):
    """What a field of that name says, as a person reads it: texts as they are, any other value as JSON. `name` is one
    of `OWN`, which the row has itself, or of a field at any depth below `fields`."""

    name: str
    value: str

    def held_by(self, row: LogRow) -> bool:
        if self.name in OWN:
            return (getattr(row, self.name) or "") == self.value
        return self.value in _named(row.fields, self.name)


class LogFilter(msgspec.Struct, frozen=True, kw_only=True):
    """`level` is the least severity number, `grep` a text sought in message, logger and field values, case ignored.

    `from_ms` is included, `to_ms` is not; both are Unix milliseconds. None and 0 filter nothing. A row holds all of
    `having` and none of `lacking`.
    """

    level: int = 0
    source: str | None = None
    grep: str | None = None
    request_id: str | None = None
    trace_id: str | None = None
    service: str | None = None
    deployment: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    having: tuple[FieldValue, ...] = ()
    lacking: tuple[FieldValue, ...] = ()

    def accepts(self, row: LogRow) -> bool:
        """Whether the row is asked for, its time aside: a live stream has no time range."""
        if LEVELS.get(row.level, 20) < self.level:
            return False
        return (
            (self.source is None or row.source == self.source)
            and (self.request_id is None or row.request_id == self.request_id)
            and (self.trace_id is None or row.trace_id == self.trace_id)
            and (self.service is None or row.service == self.service)
            and (self.deployment is None or row.deployment == self.deployment)
            and all(one.held_by(row) for one in self.having)
            and not any(one.held_by(row) for one in self.lacking)
            and (self.grep is None or mentions(row, self.grep))
        )


def mentions(row: LogRow, text: str) -> bool:
    sought = text.lower()
    if sought in row.message.lower() or sought in row.logger.lower():
        return True
    ids = (row.request_id, row.trace_id)
    return any(sought in value.lower() for value in (*filter(None, ids), *_texts(row.fields)))


def _texts(value: Any) -> Iterator[str]:
    """Every value below, as a person reads it."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif value is not None:
        yield str(value)


def _named(value: Any, name: str) -> Iterator[str]:
    """What every field of that name says."""
    if isinstance(value, list):
        for inner in value:
            yield from _named(inner, name)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key == name:
            yield inner if isinstance(inner, str) else msgspec.json.encode(inner).decode()
        yield from _named(inner, name)
