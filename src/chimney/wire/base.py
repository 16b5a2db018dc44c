"""The ground that every message stands on.

JSON, UTF-8, snake_case, RFC 3339 UTC timestamps with `Z`, units in names.
"""

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

import msgspec

Timestamp = Annotated[datetime, msgspec.Meta(tz=True)]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A value on the wire: immutable, made by keyword, unknown fields of a peer are ignored."""


T = TypeVar("T")


class Page(Message, Generic[T], frozen=True, kw_only=True):
    """A list, newest first. `next` is None on the last page; pass it back as `before`."""

    items: list[T]
    next: str | None = None


def stamp(seconds: float) -> datetime:
    """Unix seconds as the timestamp that goes on the wire."""
    return datetime.fromtimestamp(seconds, UTC)
