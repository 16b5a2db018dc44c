"""Traces that go to a receiver of this process."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from tests.fakes.collector import Collector, collector

from chimney.tracing.traces import Tracing, traces_of
from chimney.web.record import RequestRecord, begin

RESOURCE = {"service.name": "chimney-origin", "service.version": "1.2.3", "service.instance.id": "boot-1"}
Make = Callable[..., Tracing]


def finished(path: str = "/x", *, status: int = 200, seconds: float = 0.002, **headers: str) -> RequestRecord:
    """A request as it ends up in the log pipe. Underscores of a header's name become hyphens."""
    told = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    record = begin({"type": "http", "method": "GET", "path": path, "headers": told, "client": ("10.0.0.7", 1)})
    record.route, record.status, record.ended = "/{page}", status, record.began + seconds
    return record


@pytest.fixture(name="collector")
def _collector() -> Iterator[Collector]:
    with collector() as running:
        yield running


@pytest.fixture
async def make(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """Traces that are started; what else the environment says is given by name."""
    made: list[Tracing] = []

    def make(
        *, per_second: float = 20, exemplify: Callable[[RequestRecord], None] = lambda _: None, **said: str
    ) -> Tracing:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "20", **said}
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        traces = traces_of(environ, per_second=per_second, slow_seconds=1, exemplify=exemplify)
        traces.start(RESOURCE)
        made.append(traces)
        return traces

    yield make
    for traces in made:
        await traces.close()
