"""Everything that is held, as a search sees it: at any moment each row is either unsealed or in one segment."""

import threading
from collections.abc import Iterable

from chimney.store.frames import Signal
from chimney.store.hot import Chunk, Hot
from chimney.store.segments import Segment


class Kept:
    """Changed by one thread, read by any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.hot = {signal: Hot() for signal in Signal}
        self._segments: dict[str, Segment] = {}

    def add(self, signal: Signal, chunk: Chunk) -> None:
        with self._lock:
            self.hot[signal].add(chunk)

    def finish(self, signal: Signal) -> None:
        """Nothing is laid to the last chunk any more: what is there now may be sealed."""
        with self._lock:
            self.hot[signal].finish()

    def replace(self, chunks: Iterable[tuple[Signal, Chunk]], segments: Iterable[Segment]) -> None:
        """Everything, at once."""
        hot = {signal: Hot() for signal in Signal}
        for signal, chunk in chunks:
            hot[signal].add(chunk)
        with self._lock:
            self.hot = hot
            self._segments = {one.file: one for one in segments}

    def list_all(self, segments: Iterable[Segment]) -> None:
        with self._lock:
            self._segments = {one.file: one for one in segments}

    def seal(self, segment: Segment, last_id: int) -> None:
        """The segment takes the place of the unsealed rows up to `last_id`."""
        with self._lock:
            self._segments[segment.file] = segment
            self.hot[segment.signal].drop(last_id)

    def drop_segment(self, segment: Segment) -> bool:
        """False when it was not listed."""
        with self._lock:
            return self._segments.pop(segment.file, None) is not None

    def drop_chunk(self, signal: Signal, chunk: Chunk) -> None:
        with self._lock:
            self.hot[signal].drop(chunk.last_id)

    def segments(self) -> list[Segment]:
        """All of them, those with the oldest rows first."""
        with self._lock:
            return sorted(self._segments.values(), key=lambda one: (one.to_ms, one.first_id))

    def snapshot(self) -> tuple[dict[Signal, tuple[Chunk, ...]], dict[Signal, list[Segment]]]:
        """Unsealed chunks, oldest first, and segments, newest first, by signal."""
        with self._lock:
            chunks = {signal: hot.chunks for signal, hot in self.hot.items()}
            newest_first = sorted(self._segments.values(), key=lambda one: -one.first_id)
        return chunks, {signal: [one for one in newest_first if one.signal is signal] for signal in Signal}
