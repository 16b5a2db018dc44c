"""A stream of lines that replicas and slots share: what one appends, all read, in one order.

Ids follow each other one by one, or begin higher where the appender asks for it. Where it is kept may be empty, full
or gone at any moment.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Batch(NamedTuple):
    """Lines that were appended together. `before` is the last id that was given before `first`, 0 for none.

    Without lines it is something else, to be passed over.
    """

    first: int
    before: int
    mark: str
    lines: list[bytes]


class Trail(Protocol):
    """Nothing here raises for a server that is away, and nothing takes longer than a fifth of a second but `wait`."""

    @property
    def connecting(self) -> bool: ...

    async def append(self, lines: Sequence[bytes], *, least: int, mark: str) -> bool:
        """False when it was not appended, or may not have been: then `mark` tells it when it is read after all."""

    async def read(self, after: int) -> list[Batch] | None:
        """What is there behind an id; None when the server is away."""

    async def wait(self, after: int) -> list[Batch] | None:
        """The same, and waits for it up to a second."""

    async def close(self) -> None: ...
