"""A scrape as samples: families of Prometheus' text format, one sample for each histogram with its buckets. No I/O."""

import math
from collections.abc import Iterable, Iterator
from itertools import groupby

from prometheus_client.core import Metric
from prometheus_client.samples import Sample

from chimney.core.redact import safe
from chimney.wire.telemetry import SampleKind, SampleRow

MOST_SAMPLES = 5_000  # of one scrape
LONGEST = 200
Labels = tuple[tuple[str, str], ...]


def samples_of(families: Iterable[Metric], *, source: str, at_ms: int) -> Iterator[SampleRow]:
    """What is no number is left out. Every sample gets the label `origin`."""
    for family in families:
        if family.type == "histogram":
            yield from _histograms(family, source, at_ms)
        else:
            yield from _plain(family, source, at_ms)


def _plain(family: Metric, source: str, at_ms: int) -> Iterator[SampleRow]:
    counts = family.type in ("counter", "summary")
    for one in family.samples:
        if one.name.endswith("_created") or not math.isfinite(one.value):
            continue
        kind: SampleKind = "counter" if counts and "quantile" not in one.labels else "gauge"
        labels = dict(_labels(one, source))
        yield SampleRow(name=one.name, labels=labels, at_ms=at_ms, kind=kind, value=one.value, source=source)


def _labels(one: Sample, source: str, without: str = "") -> Labels:
    said = {safe(name, longest=LONGEST): safe(value, longest=LONGEST) for name, value in one.labels.items()}
    said.pop(without, None)
    return tuple(sorted({**said, "origin": source}.items()))


def _histograms(family: Metric, source: str, at_ms: int) -> Iterator[SampleRow]:
    ordered = sorted(family.samples, key=lambda one: _labels(one, source, "le"))
    for labels, group in groupby(ordered, key=lambda one: _labels(one, source, "le")):
        row = _histogram(family.name, list(group))
        if row:
            total, count, buckets = row
            yield SampleRow(
                name=family.name,
                labels=dict(labels),
                at_ms=at_ms,
                kind="histogram",
                value=total,
                source=source,
                count=count,
                buckets=buckets,
            )


def _histogram(name: str, group: list[Sample]) -> tuple[float, int, list[tuple[float | None, int]]] | None:
    """Sum, count and buckets; None when it says no count."""
    total, count = 0.0, None
    buckets: dict[float, int] = {}
    for one in group:
        if not math.isfinite(one.value):
            return None
        if one.name == f"{name}_bucket" and "le" in one.labels:
            buckets[float(one.labels["le"])] = int(one.value)
        elif one.name == f"{name}_sum":
            total = one.value
        elif one.name == f"{name}_count":
            count = int(one.value)
    count = buckets.get(math.inf) if count is None else count
    if count is None:
        return None
    return total, count, [(None if math.isinf(bound) else bound, held) for bound, held in sorted(buckets.items())]
