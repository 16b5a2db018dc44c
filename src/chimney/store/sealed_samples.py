"""Searching the sealed samples."""

from collections.abc import Iterator, Mapping

import msgspec

from chimney.store.sealed import Sealed
from chimney.wire.telemetry import SampleRow

_COLUMNS = "labels, at_ms, kind, value, source, count, buckets"
_NEWEST = 8  # segments that the values of a label are read from
_labels = msgspec.json.Decoder(dict[str, str]).decode
_buckets = msgspec.json.Decoder(list[tuple[float | None, int]]).decode


def sealed_samples(
    sealed: Sealed, name: str, labels: Mapping[str, str], *, from_ms: int | None, to_ms: int | None, most: int
) -> Iterator[SampleRow]:
    """Those in `[from_ms, to_ms)`, up to `most`."""
    segments = sealed.within(from_ms=from_ms, to_ms=to_ms, source=name)
    conditions: list[tuple[str, object]] = [("name = ?", name), ("at_ms >= ?", from_ms), ("at_ms < ?", to_ms)]
    conditions += [("contains(labels, ?)", msgspec.json.encode({key: labels[key]}).decode()[1:-1]) for key in labels]
    given = [(text, value) for text, value in conditions if value is not None]
    where = " AND ".join(text for text, _ in given)
    statement = f"SELECT {_COLUMNS} FROM {{rows}} WHERE {where} LIMIT {most}"  # noqa: S608
    for told, at_ms, kind, value, source, count, buckets in sealed.query(
        segments, statement, [one for _, one in given]
    ):
        yield SampleRow(
            name=name,
            labels=_labels(told),
            at_ms=at_ms,
            kind=kind,
            value=value,
            source=source,
            count=count,
            buckets=_buckets(buckets) if buckets else None,
        )


def sealed_label_values(sealed: Sealed, name: str, label: str, most: int) -> list[str]:
    path = f"$.{msgspec.json.encode(label).decode()}"
    statement = f"SELECT DISTINCT json_extract_string(labels, ?) FROM {{rows}} WHERE name = ? LIMIT {most}"  # noqa: S608
    rows = sealed.query(sealed.within(source=name)[:_NEWEST], statement, [path, name])
    return [value for (value,) in rows if value is not None]
