"""What a provider is to a sign-in."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from chimney.core.account import Person
from chimney.wire.account import Source


class Challenge(msgspec.Struct, frozen=True):
    """What one sign-in is known by: `state` and `nonce` come back, `verifier` never leaves before the code is used."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str


class RefusedError(Exception):
    """The provider, or our list of who may, does not let them in. The message is for them."""


class UnreachableError(Exception):
    """The provider does not answer, or not in a way that can be understood. The message is one sentence."""


class Provider(Protocol):
    source: Source

    async def address(self, challenge: Challenge) -> str:
        """Where the browser is sent. Raises UnreachableError."""
        ...

    async def person(self, challenge: Challenge, answer: Mapping[str, str]) -> Person:
        """Who came back with this answer (the callback's query). Raises RefusedError or UnreachableError."""
        ...


def text_of(value: Mapping[str, Any], name: str) -> str | None:
    """A member that should be text; None for anything else."""
    found = value.get(name)
    return found if isinstance(found, str) and found else None
