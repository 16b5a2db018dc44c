"""What is told of finished requests: metrics, the error rate, traces; and of what they asked of other servers."""

from collections.abc import Mapping, Sequence

from chimney import __version__
from chimney.config import OriginSettings
from chimney.instrumentation import RequestsSink
from chimney.origin.error_rate import ErrorRate
from chimney.tracing.traces import traces_of
from chimney.web.call import RequestCalls
from chimney.web.metrics import RequestMetrics


class Telemetry:
    """`calls` is the way of those who ask other servers; `environ` says where traces go, if anywhere."""

    def __init__(self, settings: OriginSettings, *, boot: str, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._boot = boot
        self.requests = RequestMetrics()
        self.errors = ErrorRate()
        self.traces = traces_of(
            environ,
            per_second=settings.traces_per_second,
            slow_seconds=settings.traces_slow_seconds,
            exemplify=self.requests.exemplify,
        )
        self.calls = RequestCalls(self.traces)

    @property
    def sinks(self) -> Sequence[RequestsSink]:
        """Who takes the finished requests of a flush, in this order: an exemplar needs its counted request."""
        return (self.requests.take, self.errors.take, self.traces.take)

    def start(self, *, revision: str | None) -> None:
        """After the start of everything else; `revision` is what was deployed here, as far as that is known."""
        self.traces.start(self._resource(revision))

    def _resource(self, revision: str | None) -> dict[str, str]:
        """Who sends the traces, in the words of OpenTelemetry's resource attributes; what is not known is left out."""
        told = {
            "service.name": "chimney-origin",
            "service.version": __version__,
            "service.instance.id": self._boot,
            "deployment.environment.name": self._settings.environment,
            "chimney.slot": self._settings.slot,
            "vcs.ref.head.revision": self._settings.revision or revision,
        }
        return {name: value for name, value in told.items() if value}

    async def close(self) -> None:
        """After the log pipe, whose last flush has the last requests."""
        await self.traces.close()
