"""Role 1, composed: the stores, the loops and every route. Read this first.

/livez /readyz                       web/app      liveness and readiness, from the first millisecond
/api/github/* /api/v3/*              proxy        GitHub through the cache
/healthz /api/version /api/metrics   health       what this process says of itself
/api/pipeline/summary /api/repos     pipeline     the repository at a glance
/api/cache/*                         cache_control  what is stored; invalidate, warm
/api/deploy/*                        deployments  reports in, status and timeline out
/api/logs /api/logs/stream           logs         the ring and its stream
/api/events                          logs         what happened beside requests, live
/api/webhooks/*                      webhooks     GitHub's deliveries in, what each changed out
/api/schema/openapi.json             web/framework
/                                    web/static   the team's dashboard (CHIMNEY_SITE_DIR)
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from chimney import __version__
from chimney.config import OriginSettings
from chimney.core.freshness import Lifetimes
from chimney.github.client import GitHubClient
from chimney.instrumentation import LogPipe
from chimney.origin import documented
from chimney.origin.cache import GitHubCache
from chimney.origin.events import EventLog
from chimney.origin.lane import Lane
from chimney.origin.proxy import BELOW, DROP_IN, Proxy
from chimney.origin.replicas import Replicas
from chimney.origin.ring import LogRing
from chimney.store.database import Database
from chimney.store.deliveries import DeliveryLog
from chimney.store.folder import shared_folder
from chimney.store.memory import MemoryStore
from chimney.store.state import ReportLog
from chimney.web.app import Phase, Shell, framework
from chimney.web.asgi import Receive, Scope, Send
from chimney.web.auth import Scope as TokenScope
from chimney.web.auth import Tokens
from chimney.web.loops import Supervisor
from chimney.web.metrics import RequestMetrics
from chimney.web.static import StaticFiles

if TYPE_CHECKING:
    from chimney.origin.health import Parts
    from chimney.store.shared import SharedTier

WARM_SECONDS = 20.0
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
        folder = shared_folder(settings.data_dir)
        token = settings.github_token.get_secret_value() if settings.github_token else None
        self._state = Database(folder / "state.sqlite", "state", shared=True)
        self.ring = LogRing(folder, slot=settings.slot, boot=self.boot, pipe=pipe)
        self.events = EventLog(folder, slot=settings.slot, boot=self.boot)
        self.client = GitHubClient(settings.github_api_url, token, transport=transport)
        self.near = MemoryStore()
        self.far = self._far_tier()
        self.replicas = Replicas(self.near, self.far)
        self.cache = GitHubCache(
            self.client, self.near, lifetimes=Lifetimes(settings.lifetimes), replicas=self.replicas
        )
        self.requests = RequestMetrics()
        self.shell = Shell(pipe.request)
        self.loops = Supervisor()

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return self.shell(scope, receive, send)

    async def start(self) -> None:
        settings = self._settings
        await self._state.open()
        await asyncio.to_thread(self.ring.load)
        await asyncio.to_thread(self.events.load)
        self._pipe.start(self.ring.take, self.requests.observe)
        await asyncio.to_thread(self.build)
        await self._deployments.load()
        self.shell.lane = Lane(self._proxy, self.cache, self._pipe.request)
        self.shell.hot = {
            **dict.fromkeys((BELOW, DROP_IN), self._proxy),
            self.hearing.webhooks.path: self.hearing.webhooks,
        }
        if self.pipeline.repos and self.client.authenticated:
            self.loops.add("warm", self._warm)
        self.events.on_said(self.loops.add("events", self.events.keep_said).nudge)
        self.loops.add("evictions", self.control.tell_evictions)
        self._share()
        await self.hearing.start(self.loops)
        self.loops.start()
        self.shell.phase = Phase.READY
        token = "a token" if self.client.authenticated else "no token"
        log.info(
            "origin started: repository %s, GitHub at %s with %s",
            settings.repo,
            settings.github_api_url,
            token,
            extra={"boot": self.boot, "version": __version__},
        )

    def _far_tier(self) -> "SharedTier | None":
        """None when no Dragonfly is configured: then redis-py (5 MB, 60 ms) is not even imported."""
        settings = self._settings
        if settings.dragonfly_url is None:
            return None
        from chimney.store.redis import RedisServer  # noqa: PLC0415
        from chimney.store.shared import SharedTier  # noqa: PLC0415

        server = RedisServer(settings.dragonfly_url.get_secret_value(), on_change=self._on_dragonfly)
        audience = hashlib.sha256(f"{settings.github_api_url} {self.client.identity}".encode()).hexdigest()[:16]
        return SharedTier(server, audience=audience, boot=self.boot)

    def _share(self) -> None:
        """The loops of the far tier. The start waits for none of them."""
        far, replicas = self.far, self.replicas
        if far is None:
            return
        far.on_lost(self.loops.add("dragonfly", far.probe).nudge)
        self.loops.add("dragonfly_news", lambda: far.listen(replicas.hear))
        replicas.nudge = self.loops.add("dragonfly_outbox", replicas.deliver).nudge

    def _on_dragonfly(self, up: bool, why: str) -> None:
        if not up:
            text = f"Dragonfly is lost ({why}); answers come from this process's own memory"
            self.events.say("dragonfly_lost", text, level=logging.WARNING, reason=why)
        elif self.events.counts["dragonfly_lost"]:
            self.events.say("dragonfly_back", "Dragonfly is back; replicas share their answers again")
        else:
            log.info("Dragonfly answers")
        self.replicas.nudge()

    def build(self) -> None:
        """Everything that needs the framework, imported here so that /livez need not wait for it."""
        from chimney.origin import deployments, hearing, pipeline  # noqa: PLC0415
        from chimney.origin.cache_control import CacheControl  # noqa: PLC0415

        settings = self._settings
        watched = list(dict.fromkeys(([settings.repo] if settings.repo else []) + settings.repos))
        self._proxy = Proxy(
            self.cache, self.client, repo=settings.repo, repos=settings.repos, allow_contents=settings.allow_contents
        )
        self._deployments = deployments.Deployments(
            ReportLog(self._state), repo=settings.repo, environment=settings.environment, events=self.events
        )
        self.pipeline = pipeline.Pipeline(
            self.cache, self.client, repos=watched, workflow=settings.workflow, bug_label=settings.bug_label
        )
        self.control = CacheControl(self.cache, self.near, self.replicas, self._proxy, self.pipeline, self.events)
        self.hearing = hearing.Hearing(
            self.cache,
            self.near,
            self.client,
            self.pipeline,
            DeliveryLog(self._state),
            self.events,
            secret=settings.webhook_secret.get_secret_value() if settings.webhook_secret else None,
        )
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

    def _handlers(self) -> list[Any]:
        """Every route that the framework serves, with its scope."""
        from chimney.origin import cache_control, deployments, guards, health, logs, pipeline, webhooks  # noqa: PLC0415

        settings = self._settings
        tokens = Tokens(
            read=_plain(settings.read_token),
            deploy=_plain(settings.deploy_token),
            operate=_plain(settings.operate_token),
        )
        read, deploy, operate = (
            guards.guard(tokens, scope) for scope in (TokenScope.READ, TokenScope.DEPLOY, TokenScope.OPERATE)
        )
        return [
            *health.routes(health.Vitals(self._parts()), self.requests),
            *pipeline.routes(self.pipeline),
            *deployments.routes(self._deployments, deploy_scope=deploy),
            *cache_control.routes(self.control, read_scope=read, operate_scope=operate),
            *webhooks.routes(self.hearing.webhooks, read_scope=read),
            *logs.routes(self.ring, self.events, read_scope=read),
        ]

    def _parts(self) -> "Parts":
        """What /healthz and /api/metrics read."""
        from chimney.origin.health import Parts  # noqa: PLC0415

        return Parts(
            settings=self._settings,
            boot=self.boot,
            shell=self.shell,
            client=self.client,
            cache=self.cache,
            control=self.control,
            near=self.near,
            replicas=self.replicas,
            ring=self.ring,
            events=self.events,
            pipe=self._pipe,
            deployments=self._deployments,
            pipeline=self.pipeline,
            loops=self.loops,
            requests=self.requests,
            webhooks=self.hearing.webhooks,
        )

    async def _warm(self) -> float:
        """Keeps the summary's answers stored, so the first visitor of the day does not wait; costs 304s only."""
        summary = await self.pipeline.summary(self.pipeline.repos[0])
        if summary.partial:
            log.debug("the pipeline summary lacks %s", ", ".join(part.part for part in summary.partial))
        return WARM_SECONDS

    async def drain(self) -> None:
        self.shell.phase = Phase.DRAINING
        self.ring.hub.close()
        self.events.hub.close()

    async def stop(self) -> None:
        await self.loops.stop()
        await self.events.keep_said()
        await self.control.close()
        await self.hearing.close()
        await self.cache.close()
        if self.far:
            await self.far.close()
        await self.client.close()
        log.info("origin stopped", extra={"boot": self.boot})
        await self._pipe.stop()
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
