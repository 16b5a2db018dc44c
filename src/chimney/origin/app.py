"""Role 1, composed: the stores, the loops and every route. Read this first.

/livez /readyz                       web/app      liveness and readiness, from the first millisecond
/healthz /api/version /api/metrics   health       what this process says of itself
github_data, all that reads GitHub:
/api/github/* /api/v3/*                proxy        GitHub through the cache
/api/pipeline/summary /api/repos       pipeline     the repository at a glance
/api/pipeline/jobs/{job}/log           job_logs     what a job wrote
/api/pipeline/{act}                    run_acts     runs again, cancelled, approved, dispatched
/api/cache/*                           cache_control  what is stored; invalidate, warm
/api/webhooks/*                        webhooks     GitHub's deliveries in, what each changed out
/api/deploy/* /api/audit             deploying    reports in, status and timeline out; what was asked and refused
/api/health/history                  deploying    how the addresses in CHIMNEY_PROBES have been
/api/logs /api/logs/stream           logs         the ring and its stream
/api/events                          logs         what happened beside requests, live
/api/log-level                       log_level    what is logged, for a while
edge, all that concerns Caddy:
/api/edge                              edge_watch  where Caddy sends visitors
/api/edge/switch                       switch      sends them to the other slot
/api/logs/caddy /api/logs/caddy/stream  edge_log    its access log
/api/schema/openapi.json             web/framework
/                                    web/static   the team's dashboard (CHIMNEY_SITE_DIR)
"""

import asyncio
import hashlib
import logging
import os
import secrets
from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from chimney import __version__
from chimney.config import OriginSettings
from chimney.github.client import GitHubClient
from chimney.instrumentation import LogPipe
from chimney.origin import documented
from chimney.origin.edge import Edge
from chimney.origin.events import EventLog
from chimney.origin.github_data import GitHubData, installation
from chimney.origin.log_ring import LogRing
from chimney.origin.ring import HELD
from chimney.origin.sharing import SharedRing
from chimney.origin.telemetry import Telemetry
from chimney.store.database import Database
from chimney.store.deliveries import DeliveryLog
from chimney.store.folder import shared_folder
from chimney.store.state import ReportLog
from chimney.web.app import Phase, Shell, framework
from chimney.web.asgi import Receive, Scope, Send
from chimney.web.auth import Scope as TokenScope
from chimney.web.auth import Tokens
from chimney.web.capacity import capacity
from chimney.web.hub import Room
from chimney.web.loops import Supervisor
from chimney.web.static import StaticFiles

if TYPE_CHECKING:
    from chimney.origin.deployments import ReportStore
    from chimney.origin.health import Parts
    from chimney.store.redis import RedisServer
    from chimney.store.shared import SharedTier

log = logging.getLogger(__name__)


class Origin:
    """A Role. Making it opens the stores (StoreError when that fails); `start` builds the rest.

    `transport` is the way to GitHub when it is not the network.
    """

    def __init__(
        self, settings: OriginSettings, pipe: LogPipe, *, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._pipe = pipe
        self.boot = secrets.token_hex(4)
        folder = self._folder = shared_folder(settings.data_dir)
        token = settings.github_token.get_secret_value() if settings.github_token else None
        self._state = Database(folder / "state.sqlite", "state", shared=True)
        self._history = Database(folder / "health.sqlite", "health", shared=True)
        room = Room(capacity(settings.max_streams).streams, settings.max_streams_per_address)
        self.ring = LogRing(folder, slot=settings.slot, boot=self.boot, pipe=pipe, room=room)
        self.events = EventLog(folder, slot=settings.slot, boot=self.boot, room=room)
        self.telemetry = Telemetry(settings, boot=self.boot, environ=os.environ)
        client = GitHubClient(
            settings.github_api_url, token, transport=transport, calls=self.telemetry.calls, app=installation(settings)
        )
        self._server: RedisServer | None = None
        self.github = GitHubData(
            settings,
            client=client,
            far=self._far_tier(client),
            deliveries=DeliveryLog(self._state),
            events=self.events,
        )
        self.edge = Edge(settings, folder=folder, boot=self.boot, events=self.events, room=room)
        self.shell = Shell(pipe.request)
        self.at_once = self.shell.at_once
        self.loops = Supervisor(self.shell.panics)
        self._built = False

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return self.shell(scope, receive, send)

    def _far_tier(self, client: GitHubClient) -> "SharedTier | None":
        """None when no Dragonfly is configured: then redis-py (5 MB, 60 ms) is not even imported."""
        settings = self._settings
        if settings.dragonfly_url is None:
            return None
        from chimney.store.redis import RedisServer  # noqa: PLC0415
        from chimney.store.shared import SharedTier  # noqa: PLC0415

        def changed(up: bool, why: str) -> None:
            self.github.dragonfly_changed(up, why)

        server = self._server = RedisServer(
            settings.dragonfly_url.get_secret_value(), on_change=changed, calls=self.telemetry.calls
        )
        audience = hashlib.sha256(f"{settings.github_api_url} {client.audience}".encode()).hexdigest()[:16]
        return SharedTier(server, audience=audience, boot=self.boot)

    def _reports(self) -> "ReportStore":
        """Shared by the slots through their file, and by replicas on other machines through Dragonfly."""
        own, settings = ReportLog(self._state), self._settings
        if self._server is None:
            return own
        from chimney.store.reports import SharedReportLog  # noqa: PLC0415

        return SharedReportLog(own, self._server, name=f"{settings.repo or ''}:{settings.environment}")

    def _share(self, name: str, ring: SharedRing) -> None:
        """With the other replicas, through Dragonfly."""
        if self._server is None:
            return
        from chimney.store.shared_trail import SharedTrail  # noqa: PLC0415

        whose = f"{self._settings.repo or ''}:{self._settings.environment}"
        ring.share(SharedTrail(self._server, name=f"{whose}:{name}", keep=HELD))
        self.loops.add(f"shared_{name}", ring.hear)

    async def start(self) -> None:
        settings = self._settings
        await self._state.open()
        await asyncio.to_thread(self.ring.recall)
        await asyncio.to_thread(self.events.recall)
        await asyncio.to_thread(self.edge.log.recall)
        self.shell.panics.told = self.events.panic
        self.shell.panics.watch()
        self._pipe.start(self.ring.take, batches=self.telemetry.sinks)
        await asyncio.to_thread(self.build)
        await self.deploying.start(self.loops)
        self.github.serve(self.shell, self._pipe)
        self.events.on_said(self.loops.add("events", self.events.keep_said).nudge)
        for name, ring in (("logs", self.ring), ("events", self.events)):
            self.loops.add(f"{name}_of_other_slot", ring.look)
            self._share(name, ring)
        await self.github.start(self.loops)
        self.edge.start(self.loops, on_left=self._release_streams)
        self.loops.start()
        self.shell.phase = Phase.READY
        self.telemetry.start(revision=self.deploying.deployments.revision_of(settings.slot))
        token = "a token" if self.github.client.authenticated else "no token"
        log.info(
            "origin started: repository %s, GitHub at %s with %s",
            settings.repo,
            settings.github_api_url,
            token,
            extra={"boot": self.boot, "version": __version__},
        )

    def build(self) -> None:
        """Everything that needs the framework, imported here so that /livez need not wait for it."""
        from chimney.origin.deploying import Deploying  # noqa: PLC0415
        from chimney.origin.log_level import LogLevel  # noqa: PLC0415

        settings = self._settings
        self.log_level = LogLevel(self._pipe, self.events)
        self._tokens = Tokens(
            read=_plain(settings.read_token),
            deploy=_plain(settings.deploy_token),
            operate=_plain(settings.operate_token),
        )
        self.github.build(self._tokens)
        self.deploying = Deploying(
            settings,
            self.github,
            self._reports(),
            self.events,
            state=self._state,
            history=self._history,
            folder=self._folder,
        )
        self.edge.serve(self.deploying.audit, self.deploying.deployments)
        if settings.caddy_admin and settings.slots:
            self.deploying.rollbacks.switch = self.edge.switcher.switch
        self.deploying.deployments.configured_slot = lambda: self.edge.watch.active
        self.schema_app = framework(
            self._handlers(),
            title="chimney origin",
            version=__version__,
            recover=self.shell.recover,
            extra_paths=documented.paths(),
        )
        self.shell.framework = self.schema_app  # type: ignore[assignment]
        if settings.site_dir:
            self.shell.fallback = StaticFiles(Path(settings.site_dir), page=None, headers=[])
        self._built = True

    def _handlers(self) -> list[Any]:
        """Every route that the framework serves, with its scope."""
        from chimney.origin import guards, health, log_level, logs  # noqa: PLC0415

        read, deploy, operate = (
            guards.guard(self._tokens, scope) for scope in (TokenScope.READ, TokenScope.DEPLOY, TokenScope.OPERATE)
        )
        return [
            *health.routes(health.Vitals(self._parts())),
            *self.github.routes(read_scope=read, operate_scope=operate),
            *self.deploying.routes(
                public_scope=guards.while_private(self._is_private, read),
                read_scope=read,
                deploy_scope=deploy,
                operate_scope=operate,
            ),
            *logs.routes(self.ring, self.events, read_scope=read),
            *log_level.routes(self.log_level, read_scope=read, operate_scope=operate),
            *self.edge.routes(read_scope=read, operate_scope=operate),
        ]

    def _is_private(self) -> bool:
        """Whether GitHub said so; what deployments tell (titles, messages, people) is then not for everybody."""
        repo = self._settings.repo
        return repo is not None and self.github.audience.is_public(repo) is False

    def _parts(self) -> "Parts":
        """What /healthz and /api/metrics read."""
        from chimney.origin.health import Parts  # noqa: PLC0415

        return Parts(
            settings=self._settings,
            boot=self.boot,
            shell=self.shell,
            github=self.github,
            ring=self.ring,
            events=self.events,
            pipe=self._pipe,
            deploying=self.deploying,
            edge=self.edge,
            loops=self.loops,
            telemetry=self.telemetry,
        )

    async def drain(self) -> None:
        self.shell.phase = Phase.DRAINING
        for ring in (self.ring, self.events, self.edge.log):
            ring.hub.close()

    def _release_streams(self) -> None:
        """Their readers come back: to the slot that Caddy points to by now."""
        for ring in (self.ring, self.events, self.edge.log):
            ring.hub.release()

    async def stop(self) -> None:
        """Also after a start that failed half-way, or was cut short by a signal."""
        self.shell.panics.unwatch()
        if self._built:
            self.log_level.close()
        await self.loops.stop()
        await self.events.keep_said()
        log.info("origin stopped", extra={"boot": self.boot})
        await self._pipe.drain()
        await self.ring.part()
        await self.events.part()
        if self._built:
            await self.deploying.close()
        await self.github.close()
        await self.edge.close()
        await self._pipe.stop()
        await self.telemetry.close()
        self.ring.close()
        self.events.close()
        await self._state.close()


def openapi(folder: Path) -> dict[str, Any]:
    """The OpenAPI 3.1 document, of an origin that is built in `folder` and never started."""
    origin = Origin(OriginSettings(data_dir=folder, repo="owner/name"), LogPipe())
    origin.build()
    document: dict[str, Any] = origin.schema_app.openapi_schema.to_schema()
    return document


def _plain(secrets_: list[Any]) -> list[str]:
    return [secret.get_secret_value() for secret in secrets_]
