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

    @property
    def last(self) -> int:
        """The id of its last line."""
        return self.first + len(self.lines) - 1


class Trail(Protocol):
    """Nothing here raises for a server that is away, and nothing takes longer than a fifth of a second but `wait`."""

    @property
    def connecting(self) -> bool: ...

    async def append(self, lines: Sequence[bytes], *, least: int, mark: str) -> list[Batch] | None:
        """How they lie there: in one batch, unless others came between them. None when they were not appended, or may
        not have been: then `mark` tells them when they are read after all."""

    async def read(self, after: int) -> list[Batch] | None:
        """What is there behind an id; None when the server is away."""

    async def wait(self, after: int) -> int | None:
        """Waits up to a second for something behind an id. The id of the newest, as far as it was told: 0 when nothing
        was; None when the server is away."""

    async def close(self) -> None: ...
