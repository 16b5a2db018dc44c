"""The one shape of an error answer: RFC 9457."""

from chimney.wire.base import Message


class Fault(Message, frozen=True, kw_only=True):
    """One thing wrong with what was sent: where (`$.revision`, `query.limit`) and what."""

    path: str
    detail: str


class Problem(Message, frozen=True, kw_only=True, omit_defaults=True):
    """`application/problem+json`. `type` links to a heading of docs/errors.md, `instance` is the request id."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[Fault] = []
