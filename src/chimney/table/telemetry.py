"""Everything that is sent to the table or read elsewhere: the receiver, the sources, and what is asked of both.

/v1/logs /v1/traces /v1/metrics   receive    OTLP
/api/traces /api/services         traces     ours, Jaeger's and Tempo's
/api/series                       series     ours and Prometheus'

Loop: elsewhere.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import httpx2

from chimney.config import TableSettings
from chimney.core.facts import ReceiverFacts
from chimney.store.telemetry import TelemetryStore
from chimney.table.elsewhere.sources import Elsewhere
from chimney.table.ingest import OWN, Ingest
from chimney.table.receive import Receiver
from chimney.web.asgi import App
from chimney.web.loops import Supervisor
from chimney.wire.origin import PlacedDeployment


class Telemetry:
    def __init__(
        self, settings: TableSettings, *, store: TelemetryStore, ingest: Ingest, client: httpx2.AsyncClient
    ) -> None:
        self._store = store
        self.elsewhere = Elsewhere(settings, client)
        self.receiver = Receiver(
            ingest,
            token=settings.otlp_token.get_secret_value() if settings.otlp_token else None,
            reserved=frozenset((OWN, *(one.name for one in settings.origins))),
        )
        self.hot: dict[str, App] = {"/v1/": self.receiver}

    def facts(self) -> ReceiverFacts:
        refusals = self.receiver.refusals
        return ReceiverFacts(refused=refusals.last, requests=refusals.requests)

    def add_loops(self, loops: Supervisor) -> None:
        loops.add("elsewhere", self.elsewhere.check)

    def routes(self, deployments: Callable[[], Sequence[PlacedDeployment]]) -> list[Any]:
        from chimney.table import series, traces  # noqa: PLC0415

        def between(start: datetime, end: datetime) -> list[PlacedDeployment]:
            return [one for one in deployments() if start <= one.started_at < end]

        return [
            *traces.routes(traces.Traces(self._store, self.elsewhere)),
            *series.routes(series.SeriesOf(self._store, self.elsewhere, between)),
        ]

    def close(self) -> None:
        self.receiver.close()
