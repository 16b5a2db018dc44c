"""Where a reader of a stream goes on: from the id it asks with, and what is held. No I/O and no clock.

Ids follow each other one by one, except for holes: ids that were never given, because a ring began by the clock or went
on in another count. So what is gone between two ids can be told exactly.
"""

from collections.abc import Iterable

import msgspec


class Hole(msgspec.Struct, frozen=True, array_like=True):
    """No id after `after_id` and before `first_id` was ever given."""

    after_id: int
    first_id: int


class Resume(msgspec.Struct, frozen=True):
    """What is held after `after` is replayed. `reason` is None when nothing in between is gone, else `evicted`, or
    `unknown_id`: the asked id was never given here, `missed` then counts only what is known to be gone."""

    after: int
    missed: int = 0
    reason: str | None = None


def given(after: int, before: int, holes: Iterable[Hole]) -> int:
    """How many ids were given after one and before another."""
    unused = sum(max(0, min(hole.first_id, before) - max(hole.after_id, after) - 1) for hole in holes)
    return max(0, before - after - 1 - unused)


def resume(asked: int, oldest: int | None, newest: int | None, holes: Iterable[Hole]) -> Resume:
    """`asked` is the last id that the reader has; 0 asks for all there is, below 0 is no id at all."""
    holes = list(holes)
    began = min((hole.first_id for hole in holes if not hole.after_id), default=1)
    strange = any(hole.after_id < asked < hole.first_id for hole in holes) or asked < began
    if oldest is None or newest is None:
        return Resume(0, 0, "unknown_id" if asked else None)
    if asked and (strange or asked > newest):
        after = asked if began <= asked <= newest else 0
        return Resume(after, given(after, oldest, holes), "unknown_id")
    missed = given(asked, oldest, holes)
    return Resume(asked, missed, "evicted" if missed else None)
