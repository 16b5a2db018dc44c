"""A collector that is down, slow, broken or hostile: it costs a bounded buffer and one warning a minute."""

import logging
import resource
import time
from collections.abc import Callable

import pytest
from tests.conftest import until
from tests.fakes.collector import Collector, accepts, answers, answers_a_gibibyte, hangs
from tests.tracing.conftest import Make, finished

from chimney.tracing import traces as traces_module
from chimney.tracing.count import CAPACITY
from chimney.tracing.traces import Tracing


def counts(traces: Tracing) -> dict[str, float]:
    return {sample.labels["result"]: sample.value for family in traces.metrics() for sample in family.samples}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    ("manner", "reason"),
    [
        (answers(503, retry_after="3600"), "Failed to export spans batch due to timeout"),
        (answers(400), "Failed to export spans batch code: 400"),
        (answers(302, location="http://127.0.0.1:1/elsewhere"), "302, a redirect, which is not followed"),
        (lambda request: request.wfile.write(b"\xff\x00 nonsense\r\n\r\n"), "Failed to export spans batch"),
        (lambda request: request.connection.close(), "Failed to export spans batch"),
    ],
)
async def test_a_collector_that_fails_is_one_warning(
    make: Make,
    collector: Collector,
    caplog: pytest.LogCaptureFixture,
    manner: Callable[[object], None],
    reason: str,
) -> None:
    collector.manner = manner
    traces = make(OTEL_EXPORTER_OTLP_TIMEOUT="0.2")
    for failed in (1, 2, 3):
        traces.take([finished(status=500)])
        await until(lambda failed=failed: counts(traces)["failed"] == failed)  # type: ignore[misc]
    [told] = warnings(caplog)
    assert told.startswith(f"traces cannot be sent to {collector.url}: ")
    assert reason in told
    assert "1 spans are lost so far" in told


async def test_a_collector_that_is_down_is_one_warning_and_its_return_a_line(
    make: Make, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    collector.manner = answers(404)
    traces = make()
    traces.take([finished(status=500)])
    await until(lambda: counts(traces)["failed"] == 1)
    collector.manner = accepts
    traces.take([finished(status=500)])
    await until(lambda: counts(traces)["exported"] == 1)
    await until(lambda: f"traces arrive at {collector.url} again" in caplog.messages)


async def test_a_gibibyte_for_an_answer_is_not_read(make: Make, collector: Collector) -> None:
    collector.manner = answers_a_gibibyte
    traces = make()
    traces.take([finished(status=500)])
    await until(collector.gone.is_set)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    collector.gone.clear()
    traces.take([finished(status=500)])
    await until(collector.gone.is_set)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024
    assert counts(traces)["failed"] == 0


async def test_while_nobody_takes_them_spans_are_dropped_and_counted(make: Make, collector: Collector) -> None:
    collector.manner = hangs
    traces = make(per_second=float("inf"))
    await until(lambda: traces._batches is not None)  # type: ignore[attr-defined]
    traces.take([finished(status=500) for _ in range(CAPACITY + 100)])
    assert counts(traces)["dropped"] == 100


async def test_the_end_waits_a_moment_for_a_collector_that_hangs_and_no_longer(
    make: Make, collector: Collector
) -> None:
    collector.manner = hangs
    traces = make()
    traces.take([finished(status=500)])
    await until(lambda: collector.asked == 1)
    began = time.monotonic()
    await traces.close()
    assert time.monotonic() - began < traces_module.CLOSE_SECONDS + 5


async def test_the_end_takes_the_last_spans_along(make: Make, collector: Collector) -> None:
    traces = make(OTEL_BSP_SCHEDULE_DELAY="3600000")
    traces.take([finished(status=500)])
    await traces.close()
    assert len(collector.spans) == 1


async def test_a_setting_that_cannot_be_meant_ends_nothing_but_traces(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    traces = make(OTEL_BSP_SCHEDULE_DELAY="-5")
    await until(lambda: bool(warnings(caplog)))
    assert warnings(caplog)[0].startswith("traces are not exported: ")
    traces.take([finished(status=500)])
    assert not traces._chosen  # type: ignore[attr-defined]
