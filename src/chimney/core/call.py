"""A call to another server while a request runs: what the far side was asked, when, and how it went.

`Calls` is where such a call is told. The clients of GitHub and of the far tier know nothing of requests and traces;
the composition root gives them the way.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import msgspec

Attribute = str | int | bool


class Call(msgspec.Struct, kw_only=True, gc=False):
    """`started` is Unix seconds, `seconds` how long it took; `traceparent` goes along with the call.

    `attributes` have the names of the OpenTelemetry semantic conventions; `error` is what `error.type` says.
    """

    name: str
    attributes: dict[str, Attribute]
    span_id: str = ""
    traceparent: str | None = None
    started: float = 0.0
    seconds: float = 0.0
    error: str | None = None


class Calls(Protocol):
    def open(
        self, name: str, attributes: dict[str, Attribute], *, least_seconds: float = 0.0
    ) -> AbstractContextManager[Call]:
        """The call is told when the block ends: always, or when it failed or took longer than `least_seconds`.

        Whoever makes the call adds attributes and sets `error`; an exception that leaves the block sets it too.
        """


class NoCalls:
    """Calls that are told to nobody."""

    def open(
        self,
        name: str,
        attributes: dict[str, Attribute],
        *,
        least_seconds: float = 0.0,  # noqa: ARG002 — told to nobody, however long
    ) -> AbstractContextManager[Call]:
        return nullcontext(Call(name=name, attributes=attributes))
