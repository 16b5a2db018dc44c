"""Everything that is sent to the table or read elsewhere: the receiver, the sources, and what is asked of both.

/v1/logs /v1/traces /v1/metrics   receive    OTLP
/api/traces /api/services         traces     ours, Jaeger's and Tempo's
/api/series                       series     ours and Prometheus'
/api/errors                       errors     what fails, grouped
/api/deployments                  deployments over all origins

Loops: elsewhere errors deployments verdicts, and for each origin edge history version metrics missed events edge_log.
"""

import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import httpx2
import msgspec

from chimney.config import FollowedOrigin, TableSettings
from chimney.core.facts import Harm, ReceiverFacts
from chimney.store.database import Database
from chimney.store.errors import StoreError
from chimney.store.telemetry import StoredRow, TelemetryStore
from chimney.store.timeline import DeploymentLog, ErrorLog
from chimney.store.verdicts import VerdictLog
from chimney.table.collect import Collector, edges_every
from chimney.table.deployments import Deployments, Told
from chimney.table.edge_traffic import EdgeTraffic
from chimney.table.elsewhere.sources import Elsewhere
from chimney.table.errors import Errors
from chimney.table.follow import Follower, Stream, event_record, log_record
from chimney.table.ingest import OWN, Ingest
from chimney.table.measure import Measure
from chimney.table.patient import patient
from chimney.table.receive import Receiver
from chimney.table.turnstile import Turn
from chimney.table.verdicts import Verdicts
from chimney.web.asgi import App
from chimney.web.loops import Supervisor
from chimney.wire.origin import CollectorState, PlacedDeployment

SETTLE_SECONDS = 2.0  # after the last scrape of a window: to be answered, and stored


class Collected(msgspec.Struct, frozen=True):
    """What one origin is asked for beside its health and its log."""

    collector: Collector
    events: Follower
    edge_log: Follower


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
        self._settings = settings
        self._store = store
        self._ingest = ingest
        self.collected: dict[str, Collected] = {}
        self.deployments = Deployments(DeploymentLog(database))
        self.errors = Errors(ErrorLog(database), store, place=self.deployments.at)
        ingest.heard = self._hear
        self.edges = EdgeTraffic()
        self.verdicts = Verdicts(
            VerdictLog(database),
            self.deployments,
            Measure(store, self.errors),
            after=settings.verdict_seconds,
            least=settings.verdict_requests,
            settled=settings.scrape_seconds + SETTLE_SECONDS,
        )
        self.told = Told(self.deployments, self.errors, store, self.verdicts.of)
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
        return ReceiverFacts(refused=refusals.last, requests=refusals.requests, denied=refusals.denied)

    def _hear(self, stored: Sequence[StoredRow]) -> None:
        self.errors.hear_logs(stored)
        self.edges.hear(stored)

    def harms(self) -> dict[str, Harm]:
        """By origin: its live deployment, where the verdict is that it hurts."""
        found = {}
        for key in self.verdicts.harmful():
            one = self.deployments.of_key(key)
            if one and self.deployments.live(one.origin, one.environment) == one and (verdict := self.verdicts.of(one)):
                found[one.origin] = Harm(deployment=one, verdict=verdict)
        return found

    def collect(
        self,
        origin: FollowedOrigin,
        *,
        client: httpx2.AsyncClient,
        reachable: Callable[[], bool],
        turn: Turn,
        changed: Callable[[], None],
    ) -> None:
        """One more origin. Its events and the log of its edge are kept as sources of their own."""
        collector = Collector(
            origin,
            client=client,
            ingest=self._ingest,
            scrape_seconds=self._settings.scrape_seconds,
            reachable=reachable,
            deployed=self.deployments.hear,
            turn=turn,
            edge_seconds=edges_every(len(self._settings.origins)),
        )
        collector.changed = changed
        events = Stream("/api/events", f"{origin.name}:events", event_record, wanted=reachable)
        edge_log = Stream(
            "/api/logs/caddy/stream",
            f"{origin.name}:edge",
            log_record,
            wanted=lambda: reachable() and collector.has_edge_log,
        )
        self.collected[origin.name] = Collected(
            collector,
            *(
                Follower(origin, client=client, store=self._store, ingest=self._ingest, stream=stream, turn=turn)
                for stream in (events, edge_log)
            ),
        )

    def of(self, origin: str) -> dict[str, Any]:
        """What is known of an origin, as OriginState has it."""
        one = self.collected[origin]
        streams = [_stream_state(*named) for named in (("events", one.events), ("edge_log", one.edge_log))]
        collector = one.collector
        return {
            "edge": collector.edge,
            "version": collector.version,
            "traffic": collector.visitors.told(),
            "collectors": [*collector.states(), *streams],
        }

    def add_loops(self, loops: Supervisor, *, apart: float) -> None:
        for number, (name, one) in enumerate(self.collected.items()):
            after = number * apart
            loops.add(f"edge:{name}", one.collector.ask_edge, after=after)
            loops.add(f"history:{name}", one.collector.ask_history, after=after)
            loops.add(f"version:{name}", one.collector.ask_version, after=after)
            loops.add(f"metrics:{name}", one.collector.scrape, after=after)
            loops.add(f"missed:{name}", one.collector.catch_up, after=after)
            loops.add(f"events:{name}", one.events.follow, after=after)
            loops.add(f"edge_log:{name}", one.edge_log.follow, after=after)
        loops.add("elsewhere", self.elsewhere.check)
        loops.add("errors", self.errors.group)
        loops.add("deployments", self.deployments.save)
        loops.add("verdicts", patient(self.verdicts.judge))

    async def load(self) -> None:
        """What earlier runs of the table kept."""
        await self.deployments.load()
        await self.errors.load()
        await self.verdicts.load()

    def routes(self) -> list[Any]:
        from chimney.table import deployments, errors, series, traces  # noqa: PLC0415

        def between(start: datetime, end: datetime) -> list[PlacedDeployment]:
            return [one for one in self.deployments.current() if start <= one.started_at < end]

        return [
            *traces.routes(traces.Traces(self._store, self.elsewhere)),
            *errors.routes(self.errors),
            *deployments.routes(self.told),
            *series.routes(series.SeriesOf(self._store, self.elsewhere, between)),
        ]

    async def stop(self) -> None:
        """Saves what is not on disk yet."""
        self.receiver.close()
        with contextlib.suppress(StoreError):
            await self.deployments.save()
            await self.errors.save()


def _stream_state(name: str, follower: Follower) -> CollectorState:
    state = follower.state()
    return CollectorState(
        name=name, last_success_at=state.last_record_at, lag_seconds=state.lag_seconds, error=state.error
    )
