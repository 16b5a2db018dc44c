"""What is counted about requests."""

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from chimney.web.metrics import BOUNDS, Histogram, RequestMetrics, counter, expose, gauge
from chimney.web.record import RequestRecord, begin

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def finished(route: str = "/x/{n}", *, method: str = "GET", status: int = 200, seconds: float = 0.003) -> RequestRecord:
    record = begin({"type": "http", "method": method, "path": "/x/1", "headers": [], "client": None})
    record.route, record.status = route, status
    record.ended = record.began + seconds
    return record


def values(metrics: RequestMetrics) -> dict[tuple[str, ...], float]:
    body, _ = expose([metrics.collect], "")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in plain(body.decode())
        for sample in family.samples
    }


def test_requests_are_counted_by_route_method_and_status_class() -> None:
    metrics = RequestMetrics()
    for record in (finished(), finished(status=204), finished(status=404), finished(status=503), finished("/y")):
        metrics.observe(record)
    told = values(metrics)
    assert told["chimney_requests_total", "GET", "/x/{n}", "2xx"] == 2
    assert told["chimney_requests_total", "GET", "/x/{n}", "4xx"] == 1
    assert told["chimney_requests_total", "GET", "/x/{n}", "5xx"] == 1
    assert told["chimney_errors_total", "/x/{n}"] == 1
    assert told["chimney_request_duration_seconds_count", "/x/{n}"] == 4


def test_a_made_up_method_adds_no_label_value() -> None:
    metrics = RequestMetrics()
    for method in ("BREW", "GET\n", "X" * 1000):
        metrics.observe(finished(method=method))
    assert values(metrics)["chimney_requests_total", "_OTHER", "/x/{n}", "2xx"] == 3


@pytest.mark.parametrize("seconds", [0, *BOUNDS, 0.0007, 99])
def test_a_duration_is_in_the_bucket_of_its_upper_bound(seconds: float) -> None:
    histogram = Histogram()
    histogram.observe(seconds)
    expected = [(str(bound), float(seconds <= bound)) for bound in BOUNDS] + [("+Inf", 1.0)]
    assert histogram.cumulative() == expected
    assert histogram.sum == seconds


def test_both_formats_parse_and_say_which_they_are() -> None:
    metrics = RequestMetrics()
    metrics.observe(finished('/with"quote\\and\nline'))
    sources = [metrics.collect, lambda: [gauge("chimney_a", "a", 1), counter("chimney_b", "b", 2)]]
    body, content_type = expose(sources, "text/plain")
    assert content_type.startswith("text/plain; version=0.0.4")
    assert {family.name for family in plain(body.decode())} >= {"chimney_requests", "chimney_a", "chimney_b"}
    body, content_type = expose(sources, OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    families = openmetrics(body.decode())  # type: ignore[no-untyped-call]
    assert {family.name for family in families} >= {"chimney_requests", "chimney_a", "chimney_b"}
    assert body.endswith(b"# EOF\n")
