"""Everything that is sent to the table or read elsewhere: the receiver, the sources, and what is asked of both.

/v1/logs /v1/traces /v1/metrics   receive    OTLP
/api/traces /api/services         traces     ours, Jaeger's and Tempo's
/api/series                       series     ours and Prometheus'
/api/errors                       errors     what fails, grouped
/api/deployments                  deployments over all origins

Loops: elsewhere errors deployments.
"""

import contextlib
from datetime import datetime
from typing import Any

import httpx2

from chimney.config import TableSettings
from chimney.core.facts import ReceiverFacts
from chimney.store.database import Database
from chimney.store.errors import StoreError
from chimney.store.telemetry import TelemetryStore
from chimney.store.timeline import DeploymentLog, ErrorLog
from chimney.table.deployments import Deployments
from chimney.table.elsewhere.sources import Elsewhere
from chimney.table.errors import Errors
from chimney.table.ingest import OWN, Ingest
from chimney.table.receive import Receiver
from chimney.web.asgi import App
from chimney.web.loops import Supervisor
from chimney.wire.origin import PlacedDeployment


class Telemetry:
    def __init__(
        self,
        settings: TableSettings,
        *,
        store: TelemetryStore,
        database: Database,
        ingest: Ingest,
        client: httpx2.AsyncClient,
    ) -> None:
        self._store = store
        self.deployments = Deployments(DeploymentLog(database))
        self.errors = Errors(ErrorLog(database), store, place=self.deployments.at)
        ingest.heard = self.errors.hear_logs
        self.elsewhere = Elsewhere(settings, client)
        self.receiver = Receiver(
            ingest,
            token=settings.otlp_token.get_secret_value() if settings.otlp_token else None,
            reserved=frozenset((OWN, *(one.name for one in settings.origins))),
            heard=self.errors.hear_spans,
        )
        self.hot: dict[str, App] = {"/v1/": self.receiver}

    def facts(self) -> ReceiverFacts:
        refusals = self.receiver.refusals
        return ReceiverFacts(refused=refusals.last, requests=refusals.requests)

    def add_loops(self, loops: Supervisor) -> None:
        loops.add("elsewhere", self.elsewhere.check)
        loops.add("errors", self.errors.group)
        loops.add("deployments", self.deployments.save)

    async def load(self) -> None:
        """What earlier runs of the table kept."""
        await self.deployments.load()
        await self.errors.load()

    def routes(self) -> list[Any]:
        from chimney.table import deployments, errors, series, traces  # noqa: PLC0415

        def between(start: datetime, end: datetime) -> list[PlacedDeployment]:
            return [one for one in self.deployments.current() if start <= one.started_at < end]

        return [
            *traces.routes(traces.Traces(self._store, self.elsewhere)),
            *errors.routes(self.errors),
            *deployments.routes(self.deployments, self.errors, self._store),
            *series.routes(series.SeriesOf(self._store, self.elsewhere, between)),
        ]

    async def stop(self) -> None:
        """Saves what is not on disk yet."""
        self.receiver.close()
        with contextlib.suppress(StoreError):
            await self.deployments.save()
            await self.errors.save()
