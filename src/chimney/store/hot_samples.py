"""Searching the unsealed samples."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from chimney.store.deadline import Deadline
from chimney.store.hot import Chunk, in_time
from chimney.wire.telemetry import SampleRow

_sample = msgspec.json.Decoder(SampleRow).decode


def hot_samples(
    chunks: Sequence[Chunk],
    name: str,
    labels: Mapping[str, str],
    deadline: Deadline,
    *,
    from_ms: int | None = None,
    to_ms: int | None = None,
) -> Iterator[SampleRow]:
    """Those in `[from_ms, to_ms)`; ends early when the deadline is over."""
    named = b'"name":%s' % msgspec.json.encode(name)
    for chunk in in_time(chunks, from_ms, to_ms):
        if deadline.over():
            return
        text = chunk.text()
        for line in text.splitlines() if named in text else ():
            if named not in line:
                continue
            sample = _sample(line)
            timely = (from_ms is None or sample.at_ms >= from_ms) and (to_ms is None or sample.at_ms < to_ms)
            if timely and sample.name == name and all(sample.labels.get(key) == labels[key] for key in labels):
                yield sample
