"""How much of each signal is kept."""

from collections.abc import Mapping, Sequence

import msgspec

from chimney.store.frames import Signal
from chimney.store.hot import Chunk
from chimney.store.kept import Kept
from chimney.store.segments import Segment


class SignalUsage(msgspec.Struct, frozen=True, kw_only=True):
    """`bytes` of its segments; `rows` sealed and not; times in Unix milliseconds."""

    rows: int
    unsealed_rows: int
    segments: int
    bytes: int
    oldest_ms: int | None


class Usage(msgspec.Struct, frozen=True):
    signals: Mapping[Signal, SignalUsage]
    journal_bytes: int


def counted(kept: Kept) -> dict[Signal, SignalUsage]:
    chunks, segments = kept.snapshot()
    return {signal: _of(segments[signal], chunks[signal]) for signal in Signal}


def _of(segments: Sequence[Segment], chunks: Sequence[Chunk]) -> SignalUsage:
    everything: list[Segment | Chunk] = [*segments, *chunks]
    return SignalUsage(
        rows=sum(one.rows for one in everything),
        unsealed_rows=sum(one.rows for one in chunks),
        segments=len(segments),
        bytes=sum(one.bytes for one in segments),
        oldest_ms=min((one.from_ms for one in everything), default=None),
    )
