"""Which sealed segments a search has to read, and reading them: newest first, and no more than it takes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from chimney.store.deadline import Deadline
from chimney.store.engine import Engine
from chimney.store.segments import Segment, Segments, quoted
from chimney.store.words import Place

GROUPS = (1, 1, 2, 4, 8)  # segments read at once: what is sought is mostly recent, and more at once use both processors
Rows = list[tuple[Any, ...]]


class Sealed:
    """The segments of one signal at one moment, newest first. `lose` is told of one that is damaged or gone."""

    def __init__(
        self,
        files: Segments,
        engine: Engine,
        listing: Sequence[Segment],
        deadline: Deadline,
        lose: Callable[[Segment], None],
    ) -> None:
        self._files = files
        self._engine = engine
        self._listing = listing
        self._deadline = deadline
        self._lose = lose

    def within(
        self,
        *,
        from_ms: int | None = None,
        to_ms: int | None = None,
        before: int | None = None,
        after: int | None = None,
        source: str | None = None,
    ) -> list[Segment]:
        """Those that may hold such rows, by what the catalogue says."""
        return [
            one
            for one in self._listing
            if one.overlaps(from_ms, to_ms)
            and (before is None or one.first_id < before)
            and (after is None or one.last_id > after)
            and (source is None or one.sources is None or source in one.sources)
        ]

    def holding(self, segments: Iterable[Segment], ids: Sequence[str]) -> list[Segment]:
        """Those that may hold one of the ids, by their filters."""
        return [one for one in segments if any(self._files.may_hold(one, sought) for sought in ids)]

    def mentioning(self, segments: Iterable[Segment], text: str) -> dict[Segment, Place]:
        """Those that may hold a record with this text, and where in it, by their filters."""
        places = {one: self._files.place(one, text) for one in segments}
        return {one: place for one, place in places.items() if place is not Place.NOWHERE}

    def groups(self, segments: Sequence[Segment]) -> Iterator[list[Segment]]:
        """A few at a time, more each time; ends early when the deadline is over."""
        start = step = 0
        while start < len(segments) and not self._deadline.over():
            size = GROUPS[min(step, len(GROUPS) - 1)]
            yield list(segments[start : start + size])
            start, step = start + size, step + 1

    def query(self, segments: Iterable[Segment], statement: str, values: Sequence[object] = ()) -> Rows:
        """The rows of a statement whose `{rows}` stands for these segments; none when there are none."""
        sound = []
        for one in segments:
            if self._files.sound(one):
                sound.append(one)
            else:
                self._lose(one)
        if not sound or self._deadline.over():
            return []
        files = ", ".join(quoted(self._files.path(one)) for one in sound)
        return self._engine.query(statement.replace("{rows}", f"read_parquet([{files}])"), values, self._deadline)
