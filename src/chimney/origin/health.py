"""What the origin says about itself: /healthz, /api/version, /api/metrics."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from chimney import __version__
from chimney.config import OriginSettings
from chimney.instrumentation import LogPipe
from chimney.origin.deploying import Deploying
from chimney.origin.edge import Edge
from chimney.origin.events import EventLog
from chimney.origin.github_data import GitHubData
from chimney.origin.log_ring import LogRing
from chimney.origin.ring import Ring
from chimney.origin.telemetry import Telemetry
from chimney.origin.watch import LOST_SECONDS
from chimney.web.app import Phase, Shell
from chimney.web.loops import Supervisor
from chimney.web.metrics import counter, exposed, gauge
from chimney.wire.base import stamp
from chimney.wire.health import CacheHealth, Health, Version


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the vitals are read from."""

    settings: OriginSettings
    boot: str
    shell: Shell
    github: GitHubData
    ring: LogRing
    events: EventLog
    pipe: LogPipe
    deploying: Deploying
    edge: Edge
    loops: Supervisor
    telemetry: Telemetry


class Vitals:
    """Reads everything that the parts know, at the moment of asking; nothing here waits."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._started = time.time()

    def _rings(self) -> tuple[Ring, ...]:
        return self._parts.ring, self._parts.events, self._parts.edge.log

    def _github_lost(self) -> bool:
        last = self._parts.github.client.last_success
        return time.time() - (last or self._started) > LOST_SECONDS

    def _status(self) -> str:
        if self._parts.shell.phase is not Phase.READY:
            return "down"
        alone = self._parts.github.replicas.far.health().status == "unavailable"
        troubled = self._parts.github.client.problem is not None or self._github_lost() or alone
        return "degraded" if troubled or any(loop.error for loop in self._parts.loops.loops) else "ok"

    def health(self) -> Health:
        settings = self._parts.settings
        streams = sum(len(ring.hub) for ring in self._rings())
        return Health(
            status=self._status(),
            version=__version__,
            boot=self._parts.boot,
            repo=settings.repo,
            slot=settings.slot,
            environment=settings.environment,
            demonstration=settings.demonstration,
            started_at=stamp(self._started),
            uptime_seconds=round(time.time() - self._started, 1),
            dragonfly=self._parts.github.replicas.far.health(),
            cache=CacheHealth(
                entries=len(self._parts.github.near),
                bytes=self._parts.github.near.bytes,
                hits=self._parts.github.cache.hits,
                misses=self._parts.github.cache.misses,
                hit_rate_pct=self._parts.github.cache.hit_rate_pct,
            ),
            github=self._parts.github.client.health(),
            logs=self._parts.ring.health(
                errors=self._parts.pipe.by_level["error"] + self._parts.pipe.by_level["critical"]
            ),
            streams=streams,
            requests_in_flight=max(0, self._parts.shell.open_requests - streams - 1),  # without this one
            panics=self._parts.shell.recover.panics,
            loops=self._parts.loops.health(),
            webhooks=self._parts.github.hearing.webhooks.health(),
            github_deployments=self._parts.deploying.deployments.telling(),
            errors=self._parts.telemetry.errors.health(),
            repo_public=self._parts.github.audience.is_public(settings.repo) if settings.repo else None,
        )

    def version(self) -> Version:
        settings = self._parts.settings
        summary = self._parts.github.pipeline.recall(settings.repo) if settings.repo else None
        release = summary.release if summary else None
        published = (
            release.published_at.isoformat().replace("+00:00", "Z") if release and release.published_at else None
        )
        return Version(
            chimney_version=__version__,
            repo=settings.repo,
            release={"tag": release.tag, "published_at": published} if release else None,
            revision=settings.revision or self._parts.deploying.deployments.revision_of(settings.slot),
            slot=settings.slot,
        )

    def metrics(self) -> Iterator[Metric]:
        yield from self._parts.telemetry.requests.collect()
        yield from self._parts.telemetry.errors.collect()
        yield from self._of_cache()
        yield from self._of_dragonfly()
        yield from self._of_github()
        yield from self._of_webhooks()
        yield from self._parts.edge.metrics()
        yield from self._parts.telemetry.traces.metrics()
        yield from self._of_process()

    def _of_cache(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "chimney_cache_requests", "Proxied requests by how they were answered.", labels=["result", "tier"]
        )
        for labels, count in self._parts.telemetry.requests.cache_results().items():
            requests.add_metric(labels, count)
        yield requests
        yield gauge("chimney_cache_entries", "Stored responses held in memory.", len(self._parts.github.near))
        ages = self._parts.github.near.ages(time.time())
        yield gauge(
            "chimney_cache_age_seconds", "Median age of the stored responses.", ages[len(ages) // 2] if ages else 0
        )

        yield counter(
            "chimney_cache_evicted", "Stored responses that made room for others.", self._parts.github.near.evicted
        )
        yield counter("chimney_cache_invalidated", "Invalidations asked for.", self._parts.github.cache.invalidations)
        yield counter("chimney_cache_warmed", "Paths fetched on purpose.", self._parts.github.control.warmed)

    def _of_dragonfly(self) -> Iterator[Metric]:
        replicas = self._parts.github.replicas
        yield gauge("chimney_dragonfly_up", "1 while Dragonfly answers.", int(replicas.far.connected))
        yield counter("chimney_dragonfly_garbage", "Entries that were no stored responses.", replicas.far.garbage)
        yield counter("chimney_dragonfly_dropped", "Keys that other replicas were never told.", replicas.dropped)

    def _of_github(self) -> Iterator[Metric]:
        requests = CounterMetricFamily("chimney_github_requests", "Requests to GitHub by result.", labels=["result"])
        for result, count in list(self._parts.github.client.results.items()):
            requests.add_metric([result], count)
        yield requests
        limit = self._parts.github.client.rate_limit
        if limit:
            yield gauge("chimney_github_rate_limit_remaining", "Requests left until the reset.", limit.remaining)
            yield gauge("chimney_github_rate_limit_limit", "Requests allowed between two resets.", limit.limit)
            yield gauge(
                "chimney_github_rate_limit_reset_timestamp_seconds",
                "When the quota is full again.",
                limit.reset_at.timestamp(),
            )

    def _of_webhooks(self) -> Iterator[Metric]:
        deliveries = CounterMetricFamily(
            "chimney_webhooks", "Webhook deliveries by event and result.", labels=["event", "result"]
        )
        for labels, count in sorted(self._parts.github.hearing.webhooks.counts.items()):
            deliveries.add_metric(labels, count)
        yield deliveries

    def _of_process(self) -> Iterator[Metric]:
        phases = CounterMetricFamily("chimney_deployments", "Deploy reports by phase.", labels=["phase"])
        for phase, count in sorted(self._parts.deploying.deployments.by_phase.items()):
            phases.add_metric([phase], count)
        yield phases
        told = CounterMetricFamily("chimney_github_deployments", "Deployments told to GitHub.", labels=["result"])
        for result, times in sorted(self._parts.deploying.mirror.counts.items()):
            told.add_metric([result], times)
        yield told
        probes = CounterMetricFamily("chimney_probes", "Probes of the addresses in CHIMNEY_PROBES.", labels=["result"])
        for result, made in sorted(self._parts.deploying.probes.made.items()):
            probes.add_metric([result], made)
        yield probes
        yield counter("chimney_probes_dropped", "Results never written.", self._parts.deploying.probes.dropped)
        records = CounterMetricFamily("chimney_log_records", "Log records by level.", labels=["level"])
        for level, count in sorted(self._parts.pipe.by_level.items()):
            records.add_metric([level], count)
        yield records
        streams = GaugeMetricFamily("chimney_streams", "Open streams.", labels=["stream"])
        streams.add_metric(["logs"], len(self._parts.ring.hub))
        streams.add_metric(["events"], len(self._parts.events.hub))
        streams.add_metric(["caddy"], len(self._parts.edge.log.hub))
        yield streams
        dropped = self._parts.pipe.dropped + sum(ring.hub.dropped for ring in self._rings())
        yield counter("chimney_stream_dropped", "Records that a bounded buffer had no room for.", dropped)
        yield counter("chimney_panics", "Exceptions that nobody expected.", self._parts.shell.recover.panics)
        yield gauge("chimney_uptime_seconds", "Seconds since the process started.", time.time() - self._started)
        build = GaugeMetricFamily("chimney_build_info", "What runs here.", labels=["version", "revision", "slot"])
        build.add_metric([__version__, self.version().revision or "", self._parts.settings.slot or ""], 1)
        yield build


def routes(vitals: Vitals) -> list[Any]:
    @get("/healthz", summary="The health of this process", tags=["health"])
    async def healthz() -> Response[Health]:
        """200 while visitors are answered, also degraded; 503 while starting or draining."""
        health = vitals.health()
        return Response(health, status_code=503 if health.status == "down" else 200, headers=_FRESH)

    @get("/api/version", summary="What runs here", tags=["health"])
    async def version() -> Version:
        """`release` is null until GitHub was asked for it, `revision` null when nobody told."""
        return vitals.version()

    @get("/api/metrics", summary="Prometheus metrics", tags=["health"], media_type="text/plain")
    async def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Text format 0.0.4, or OpenMetrics when `Accept` asks for it."""
        body, content_type = await exposed([vitals.metrics], request.headers.get("accept", ""))
        return Response(body, media_type=content_type, headers=_FRESH)

    return [healthz, version, metrics]


_FRESH = {"cache-control": "no-store"}
