"""What is counted about requests."""

import asyncio
from collections.abc import Iterator

import pytest
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from chimney.web.metrics import BOUNDS, Histogram, RequestMetrics, counter, expose, exposed, gauge, prefers_open_metrics
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


def test_a_request_whose_client_left_has_a_class_of_its_own() -> None:
    metrics = RequestMetrics()
    metrics.observe(finished(status=0))
    assert values(metrics)["chimney_requests_total", "GET", "/x/{n}", "none"] == 1


@pytest.mark.parametrize(
    ("accept", "open_metrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        (OPENMETRICS, True),
        ("Application/OpenMetrics-Text", True),
        (
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
            ),
            True,
        ),
        ("text/plain;version=0.0.4;q=0.9,application/openmetrics-text;version=1.0.0;q=0.5", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;version=\xff;q=nonsense", True),
        ("x/application/openmetrics-text,;;=,", False),
    ],
)
def test_the_format_is_what_accept_prefers(*, accept: str, open_metrics: bool) -> None:
    assert prefers_open_metrics(accept) is open_metrics
    assert expose([], accept)[1].startswith("application/openmetrics-text; version=1.0.0;" if open_metrics else "text/")


async def test_the_loop_goes_on_while_a_scrape_is_made() -> None:
    loop, free = asyncio.get_running_loop(), asyncio.Event()

    def slow() -> Iterator[Metric]:
        asyncio.run_coroutine_threadsafe(free.wait(), loop).result(5)  # ends only if the loop runs meanwhile
        yield gauge("chimney_a", "a", 1)

    scrape = asyncio.create_task(exposed([slow], ""))
    loop.call_soon(free.set)
    assert b"chimney_a 1.0" in (await scrape)[0]
