"""Whole numbers that are held, as ranges: mostly one range that grows at its end."""

from collections.abc import Sequence

Held = dict[str, tuple[int, list[list[int]]]]  # by source: its epoch, and which of its ids in that
MOST = 64  # holes in what an origin sent are rare; past this the oldest hole counts as filled


class Ranges:
    """Changes in place; `copy` before trying something."""

    def __init__(self, ranges: Sequence[Sequence[int]] = ()) -> None:
        self.ranges = [[low, high] for low, high in ranges]

    def copy(self) -> "Ranges":
        return Ranges(self.ranges)

    def add(self, number: int) -> bool:
        """False when it was held already."""
        for place in range(len(self.ranges) - 1, -1, -1):
            low, high = self.ranges[place]
            if number > high:
                self._insert(number, place + 1)
                return True
            if number >= low:
                return False
        self._insert(number, 0)
        return True

    def _insert(self, number: int, place: int) -> None:
        """Between the range before `place` and the one at it, joined to either that it touches."""
        before = self.ranges[place - 1] if place else None
        after = self.ranges[place] if place < len(self.ranges) else None
        if before and before[1] == number - 1:
            before[1] = number
            if after and after[0] == number + 1:
                before[1] = after[1]
                del self.ranges[place]
        elif after and after[0] == number + 1:
            after[0] = number
        else:
            self.ranges.insert(place, [number, number])
            if len(self.ranges) > MOST:
                self.ranges[0][1] = self.ranges[1][1]
                del self.ranges[1]

    def without(self, lost: Sequence[Sequence[int]]) -> "Ranges":
        """What is held when these ranges are not any more."""
        kept = self.ranges
        for low, high in lost:
            kept = [part for one in kept for part in _cut(one, low, high)]
        return Ranges(kept)


def _cut(one: Sequence[int], low: int, high: int) -> list[list[int]]:
    parts = [[one[0], min(one[1], low - 1)], [max(one[0], high + 1), one[1]]]
    return [part for part in parts if part[0] <= part[1]]


def merge(held: Held, more: Held) -> None:
    """Adds to `held`; of a source whose ids began anew only the latest epoch counts."""
    for source, (epoch, ranges) in more.items():
        known_epoch, known = held.get(source, (epoch, []))
        if epoch < known_epoch:
            continue
        joined = sorted(ranges + (known if epoch == known_epoch else []))
        held[source] = epoch, _joined(joined)


def _joined(ranges: list[list[int]]) -> list[list[int]]:
    """Ranges in order of their beginning as few that do not touch."""
    few: list[list[int]] = []
    for low, high in ranges:
        if few and low <= few[-1][1] + 1:
            few[-1][1] = max(few[-1][1], high)
        else:
            few.append([low, high])
    return few
