"""Attributes and values of OTLP as plain ones: hostile text, bounded in every direction.

Read are protobuf messages and the structs of wire/otlp alike: they have the same names.
"""

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import msgspec

from chimney.core.records import BEGINNING_MS, DEEPEST, FUTURE_MS, MOST_FIELDS
from chimney.core.redact import safe

UNKNOWN_SERVICE = "unknown_service"
LONGEST_NAME = 200
LARGEST_INT = 2**63
NS = 1_000_000
_encode = msgspec.json.Encoder().encode
_short_key = lru_cache(4096)(lambda key: safe(key, longest=LONGEST_NAME))  # ~100 B each: keys repeat in every record


def key_of(key: str) -> str:
    return _short_key(key) if len(key) <= 64 else safe(key, longest=LONGEST_NAME)


def number(value: float) -> float | str:
    """A float that JSON can say; the others by name."""
    return value if math.isfinite(value) else str(value)


def value_of(given: Any, depth: int = 0) -> Any:
    """An AnyValue as text, number, truth, list or mapping; None when it is empty."""
    kind = given.WhichOneof("value") if given is not None else None
    if kind == "string_value":
        return safe(given.string_value)
    if kind == "int_value":
        whole = given.int_value
        return whole if -LARGEST_INT <= whole < LARGEST_INT else str(whole)
    if kind == "bool_value":
        return given.bool_value
    if kind == "double_value":
        return number(given.double_value)
    if kind == "bytes_value":
        return safe(given.bytes_value[:LARGEST_BYTES].hex())
    if kind is None:
        return None
    if depth >= DEEPEST:
        return "… nested too deeply"
    if kind == "array_value":
        return [value_of(one, depth + 1) for one in given.array_value.values[:MOST_FIELDS]]
    if kind == "kvlist_value":
        return attributes_of(given.kvlist_value.values, depth + 1)
    return None


LARGEST_BYTES = 1024


def attributes_of(given: Any, depth: int = 0) -> dict[str, Any]:
    """The first hundred; `attributes_dropped` says how many more there were. The last of equal names wins."""
    most = given if len(given) <= MOST_FIELDS else given[:MOST_FIELDS]
    found = {key_of(one.key): value_of(one.value, depth) for one in most}
    if len(given) > MOST_FIELDS:
        found["attributes_dropped"] = len(given) - MOST_FIELDS
    return found


def text_of(value: object) -> str:
    """A value as a line of text."""
    if isinstance(value, str):
        return value
    return "" if value is None else safe(_encode(value).decode())


def service_of(resource: dict[str, Any]) -> str:
    """`service.name`; a text that is never empty."""
    return safe(text_of(resource.get("service.name")), longest=LONGEST_NAME).strip() or UNKNOWN_SERVICE


def described(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource without what is kept beside it, and without what says only how it was sent."""
    return {key: value for key, value in resource.items() if key != "service.name" and not key.startswith("telemetry.")}


def believed(ns: int, now_ms: int) -> bool:
    """Whether a time is neither of 1970 nor of next year: such a row would be dropped at once, or never."""
    return BEGINNING_MS * NS <= ns <= (now_ms + FUTURE_MS) * NS


def hexed(given: bytes | None, length: int) -> str | None:
    """An id of `length` bytes as lowercase hex; None when it is absent, of another length, or all zero."""
    return given.hex() if given and len(given) == length and any(given) else None


def each(groups: Iterable[Any], inner: str, rows: str) -> Iterable[tuple[Any, Any, Any]]:
    """(resource, scope, rows) of a request: three levels of OTLP as one."""
    for group in groups:
        for scoped in getattr(group, inner):
            yield group.resource, scoped.scope, getattr(scoped, rows)
