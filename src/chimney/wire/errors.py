"""Errors, grouped by what they have in common."""

from chimney.wire.base import Message, Timestamp


class ErrorExample(Message, frozen=True, kw_only=True):
    """The newest one: its words, and where to look further."""

    at: Timestamp
    message: str
    stack: str | None
    trace_id: str | None
    request_id: str | None
    log_id: int | None


class ErrorGroup(Message, frozen=True, kw_only=True):
    """`id` is the fingerprint: of type, template and top frames. `by_deployment` counts by deployment id, `unknown` is
    outside any; `first_deployment` is the one that it was first seen in."""

    id: str
    type: str
    template: str
    source: str
    frames: list[str]
    first_seen: Timestamp
    last_seen: Timestamp
    count: int
    by_deployment: dict[str, int]
    first_deployment: str | None
    example: ErrorExample
