"""What the table says about itself: /healthz, /api/version, /api/metrics."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from chimney import __version__
from chimney.core.finding_causes import is_of_own_work
from chimney.instrumentation import LogPipe
from chimney.store.errors import StoreError
from chimney.store.telemetry import LogStore
from chimney.table.access import PUBLIC
from chimney.table.findings import Watch
from chimney.table.ingest import Ingest
from chimney.table.receive import Receiver
from chimney.table.retention import Retention
from chimney.table.rounds import Followed
from chimney.table.telling import Telling
from chimney.table.unpack import Signal
from chimney.web.app import Phase, Shell
from chimney.web.hub import Hub
from chimney.web.loops import Loop, Supervisor
from chimney.web.metrics import RequestMetrics, counter, exposed, gauge
from chimney.wire.base import stamp
from chimney.wire.finding import Severity
from chimney.wire.health import TableHealth, Version

MOST_LOOPS = 100
_FRESH = {"cache-control": "no-store"}


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the vitals are read from."""

    boot: str
    shell: Shell
    store: LogStore
    ingest: Ingest
    retention: Retention
    followed: Sequence[Followed]
    watch: Watch
    hubs: dict[str, Hub]
    loops: Supervisor
    pipe: LogPipe
    requests: RequestMetrics
    receiver: Receiver
    telling: Telling


class Vitals:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._started = time.time()

    def _connected(self) -> int:
        return sum(one.follower.connected for one in self._parts.followed)

    def _status(self) -> str:
        if self._parts.shell.phase is not Phase.READY:
            return "down"
        troubled = (
            self._parts.ingest.full_since
            or any(loop.error for loop in self._parts.loops.loops)
            or any(is_of_own_work(one) for one in self._parts.watch.current.items)
        )
        return "degraded" if troubled else "ok"

    async def health(self) -> TableHealth:
        try:
            size = await self._parts.store.size()
        except StoreError:
            size = self._parts.retention.size
        return TableHealth(
            status=self._status(),
            version=__version__,
            boot=self._parts.boot,
            started_at=stamp(self._started),
            uptime_seconds=round(time.time() - self._started, 1),
            rows=size.rows,
            journal_bytes=size.bytes,
            sqlite_version=sqlite3.sqlite_version,
            origins=len(self._parts.followed),
            origins_connected=self._connected(),
            streams=sum(len(hub) for hub in self._parts.hubs.values()),
            panics=self._parts.shell.recover.panics,
            loops={loop.name: loop.health() for loop in _shown(self._parts.loops.loops)},
            findings=self._findings(),
        )

    def _findings(self) -> dict[str, int]:
        items = self._parts.watch.current.items
        return {severity.value: sum(one.severity is severity for one in items) for severity in Severity}

    def metrics(self) -> Iterator[Metric]:
        parts = self._parts
        size, ingest = parts.retention.size, parts.ingest
        stored = CounterMetricFamily("chimney_table_records", "Log records stored, by source.", labels=["source"])
        for source, count in sorted(ingest.records.items()):
            stored.add_metric([source], count)
        yield stored
        yield gauge("chimney_table_journal_rows", "Log records kept.", size.rows)
        yield gauge(
            "chimney_table_journal_bytes", "Bytes on the disk of everything kept: journal and segments.", size.bytes
        )
        yield gauge(
            "chimney_table_storage_full", "1 while nothing can be stored.", float(ingest.full_since is not None)
        )
        yield from self._of_origins()
        yield from self._of_receiver()
        findings = GaugeMetricFamily("chimney_table_findings", "Current findings by severity.", labels=["severity"])
        for severity, count in self._findings().items():
            findings.add_metric([severity], count)
        yield findings
        took = parts.watch.took_seconds
        yield gauge("chimney_table_rules_seconds", "Time that the last round of the rules of findings took.", took)
        yield from parts.telling.metrics()
        yield from self._of_process()

    def _of_origins(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("chimney_table_origin_up", "1 while the origin's probes succeed.", labels=["origin"])
        connected = GaugeMetricFamily(
            "chimney_table_origin_connected", "1 while the origin's log is followed.", labels=["origin"]
        )
        for one in self._parts.followed:
            name = one.probe.origin.name
            up.add_metric([name], float(one.probe.health is not None and one.probe.failure is None))
            connected.add_metric([name], float(one.follower.connected))
        yield up
        yield connected

    def _of_receiver(self) -> Iterator[Metric]:
        receiver = self._parts.receiver
        rows = CounterMetricFamily("chimney_table_otlp_rows", "Rows stored of OTLP requests.", labels=["signal"])
        rejected = CounterMetricFamily(
            "chimney_table_otlp_rejected", "Rows left out of OTLP requests that were taken.", labels=["signal"]
        )
        for signal in Signal:
            rows.add_metric([signal], receiver.rows[signal])
            rejected.add_metric([signal], receiver.rejected[signal])
        yield rows
        yield rejected
        refused = receiver.refusals.requests
        yield counter("chimney_table_otlp_refused", "OTLP requests that were told to be sent again.", refused)
        yield gauge("chimney_table_otlp_series", "Series that senders of OTLP have.", len(receiver.series))

    def _of_process(self) -> Iterator[Metric]:
        parts = self._parts
        streams = GaugeMetricFamily("chimney_streams", "Open streams.", labels=["stream"])
        for name, hub in parts.hubs.items():
            streams.add_metric([name], len(hub))
        yield streams
        dropped = parts.pipe.dropped + sum(hub.dropped for hub in parts.hubs.values())
        yield counter("chimney_stream_dropped", "Records that a bounded buffer had no room for.", dropped)
        records = CounterMetricFamily("chimney_log_records", "Log records of this process by level.", labels=["level"])
        for level, count in sorted(parts.pipe.by_level.items()):
            records.add_metric([level], count)
        yield records
        panics = parts.shell.recover.panics
        yield counter("chimney_panics", "Exceptions that nobody expected.", panics)
        yield gauge("chimney_uptime_seconds", "Seconds since the process started.", time.time() - self._started)
        build = GaugeMetricFamily("chimney_build_info", "What runs here.", labels=["version", "revision", "slot"])
        build.add_metric([__version__, "", ""], 1)
        yield build


def _shown(loops: list[Loop]) -> list[Loop]:
    """All of them, while they are few; of a thousand origins those that fail, and the table's own."""
    if len(loops) <= MOST_LOOPS:
        return loops
    return [loop for loop in loops if loop.error or ":" not in loop.name]


def routes(vitals: Vitals, requests: RequestMetrics) -> list[Any]:
    @get("/healthz", opt=PUBLIC, summary="The health of this process", tags=["health"])
    async def healthz() -> Response[TableHealth]:
        """200 while it answers, also degraded; 503 while starting or draining."""
        health = await vitals.health()
        return Response(health, status_code=503 if health.status == "down" else 200, headers=_FRESH)

    @get("/api/version", opt=PUBLIC, summary="What runs here", tags=["health"])
    async def version() -> Version:
        """Of the table; its origins tell their own in /api/origins."""
        return Version(chimney_version=__version__, repo=None, release=None, revision=None, slot=None)

    @get("/api/metrics", opt=PUBLIC, summary="Prometheus metrics", tags=["health"], media_type="text/plain")
    async def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Text format 0.0.4, or OpenMetrics when `Accept` asks for it."""
        sources: list[Callable[[], Iterator[Metric]]] = [requests.collect, vitals.metrics]
        body, content_type = await exposed(sources, request.headers.get("accept", ""))
        return Response(body, media_type=content_type, headers=_FRESH)

    return [healthz, version, metrics]
