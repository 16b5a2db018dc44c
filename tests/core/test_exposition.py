"""A scrape as samples."""

from prometheus_client.parser import text_string_to_metric_families

from chimney.core.exposition import samples_of
from chimney.wire.telemetry import SampleRow

TEXT = """# TYPE jobs_total counter
jobs_total{queue="mail"} 7
# TYPE heat gauge
heat 3.5
heat{room="b"} NaN
# TYPE took_seconds histogram
took_seconds_bucket{route="/a",le="0.1"} 1
took_seconds_bucket{route="/a",le="+Inf"} 3
took_seconds_sum{route="/a"} 1.5
took_seconds_count{route="/a"} 3
took_seconds_bucket{route="/b",le="+Inf"} 1
took_seconds_sum{route="/b"} 0.5
took_seconds_count{route="/b"} 1
# TYPE size summary
size{quantile="0.5"} 2
size_sum 8
size_count 4
"""


def read(text: str) -> list[SampleRow]:
    return list(samples_of(text_string_to_metric_families(text), source="hel1", at_ms=5))


def test_every_family_becomes_samples_with_the_name_of_the_origin() -> None:
    rows = read(TEXT)
    assert [(row.name, row.kind, row.value, row.labels) for row in rows if row.kind != "histogram"] == [
        ("jobs_total", "counter", 7, {"queue": "mail", "origin": "hel1"}),
        ("heat", "gauge", 3.5, {"origin": "hel1"}),
        ("size", "gauge", 2, {"quantile": "0.5", "origin": "hel1"}),
        ("size_sum", "counter", 8, {"origin": "hel1"}),
        ("size_count", "counter", 4, {"origin": "hel1"}),
    ]
    assert {row.source for row in rows} == {"hel1"}


def test_a_histogram_is_one_sample_with_its_buckets() -> None:
    first, second = (row for row in read(TEXT) if row.kind == "histogram")
    assert (first.name, first.labels) == ("took_seconds", {"route": "/a", "origin": "hel1"})
    assert (first.value, first.count, first.buckets) == (1.5, 3, [(0.1, 1), (None, 3)])
    assert second.labels["route"] == "/b"
