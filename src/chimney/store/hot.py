"""Rows that are not sealed yet, in memory: compressed as in the journal, unpacked when they are asked for.

~40 B a row, so the 200,000 rows before a sealing are some 8 MB. What came last is a list of lines, until it is worth
compressing. One thread adds; any may read: what a reader took stays as it was.
"""

import re
import time
from array import array
from collections.abc import Sequence

import msgspec

from chimney.store.frames import pack, unpack

CHUNK_ROWS = 1_000
CHUNK_BYTES = 1024**2
_ID = re.compile(rb'"(?:trace|request)_id":("(?:[^"\\]|\\.)*")')  # also among the fields: an id too many does no harm
_text = msgspec.json.Decoder(str).decode


class Chunk(msgspec.Struct):
    """Rows by id, times in Unix milliseconds. `frame` or `lines` holds them; `size` is their length as lines.

    `ids` are hashes of their request and trace ids, 8 B each, `levels` the records of each level: None while nobody
    asked for them. Rows that just came bring both; those that were read back at the start are looked through then.
    `sources` are the records of each level and source, None while nobody asked for them.
    """

    first_id: int
    last_id: int
    rows: int
    from_ms: int
    to_ms: int
    size: int
    frame: bytes | None = None
    lines: tuple[bytes, ...] = ()
    ids: "array[int] | None" = None
    levels: dict[str, int] | None = None
    sources: dict[tuple[str, str], int] | None = None

    def may_hold(self, sought: str) -> bool:
        """Whether a row may have this request or trace id."""
        if self.ids is None:
            self.ids = array("q", {hash(_text(one)) for one in set(_ID.findall(self.text()))})
        return hash(sought) in self.ids

    def text(self) -> bytes:
        """The lines, one after the other, each with its line feed."""
        return unpack(self.frame) if self.frame is not None else b"\n".join(self.lines) + b"\n"

    def overlaps(self, from_ms: int | None, to_ms: int | None) -> bool:
        return (from_ms is None or self.to_ms >= from_ms) and (to_ms is None or self.from_ms < to_ms)


class Hot:
    """The unsealed rows of one signal. `chunks` is oldest first."""

    def __init__(self) -> None:
        self.chunks: tuple[Chunk, ...] = ()
        self.rows = 0
        self.size = 0
        self.since = 0.0  # when the oldest of them came, by the monotonic clock

    def add(self, chunk: Chunk) -> None:
        """`chunk` has its lines or is packed; small ones are laid together."""
        if not self.chunks:
            self.since = time.monotonic()
        self.rows += chunk.rows
        self.size += chunk.size
        last = self.chunks[-1] if self.chunks else None
        if last and last.frame is None:
            if chunk.frame is None and last.rows + chunk.rows <= CHUNK_ROWS and last.size + chunk.size <= CHUNK_BYTES:
                self.chunks = (*self.chunks[:-1], _joined(last, chunk))
                return
            self._put(*self.chunks[:-1], _packed(last))
        self._put(*self.chunks, chunk)

    def finish(self) -> None:
        """Nothing more is laid to the last chunk."""
        if self.chunks and self.chunks[-1].frame is None:
            self._put(*self.chunks[:-1], _packed(self.chunks[-1]))

    def oldest(self, *, rows: int, size: int) -> tuple[Chunk, ...]:
        """So many chunks that they have these rows or this size; all when they have less. After a long time without
        sealing the rest is for the next segment: what sealing needs grows with the rows."""
        taken: list[Chunk] = []
        for chunk in self.chunks:
            taken.append(chunk)
            rows, size = rows - chunk.rows, size - chunk.size
            if rows <= 0 or size <= 0:
                break
        return tuple(taken)

    def _put(self, *chunks: Chunk) -> None:
        self.chunks = chunks

    def drop(self, last_id: int) -> None:
        """Rows up to this id, which must be the last of a chunk, are held elsewhere now."""
        self.chunks = tuple(chunk for chunk in self.chunks if chunk.first_id > last_id)
        self.rows = sum(chunk.rows for chunk in self.chunks)
        self.size = sum(chunk.size for chunk in self.chunks)
        self.since = time.monotonic()


def _joined(one: Chunk, other: Chunk) -> Chunk:
    return Chunk(
        one.first_id,
        other.last_id,
        one.rows + other.rows,
        min(one.from_ms, other.from_ms),
        max(one.to_ms, other.to_ms),
        one.size + other.size,
        None,
        one.lines + other.lines,
        one.ids + other.ids if one.ids is not None and other.ids is not None else None,
        _added(one.levels, other.levels) if one.levels is not None and other.levels is not None else None,
    )


def _added(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {level: one.get(level, 0) + other.get(level, 0) for level in (*one, *other)}


def _packed(chunk: Chunk) -> Chunk:
    return msgspec.structs.replace(chunk, frame=pack(chunk.lines), lines=())


def loose(chunk: Chunk) -> Chunk:
    """A small chunk as lines, so that it is laid together with others: a quiet table has many of them."""
    if chunk.rows >= CHUNK_ROWS // 2 or chunk.frame is None:
        return chunk
    return msgspec.structs.replace(chunk, frame=None, lines=tuple(unpack(chunk.frame).split(b"\n")[:-1]))


def in_time(chunks: Sequence[Chunk], from_ms: int | None, to_ms: int | None) -> list[Chunk]:
    """Those that may hold rows of the range, newest first."""
    return [chunk for chunk in reversed(chunks) if chunk.overlaps(from_ms, to_ms)]
