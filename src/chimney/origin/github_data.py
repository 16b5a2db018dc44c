"""GitHub's data at the origin, wired together: client, both tiers, proxy, pipeline, cache control, webhooks.

`GitHubData` answers nothing by itself until `build`; what the far tier tells and what GitHub tells comes in by loops.
"""

import logging
from typing import TYPE_CHECKING, Any

from chimney.config import OriginSettings
from chimney.core.freshness import Lifetimes
from chimney.github.app import Installation
from chimney.github.client import GitHubClient
from chimney.github.job_log import JobLogs
from chimney.instrumentation import LogPipe
from chimney.origin.afar import Afar
from chimney.origin.audience import Audience
from chimney.origin.cache import GitHubCache
from chimney.origin.discovery import PATH as ORGANISATION
from chimney.origin.discovery import Discovery
from chimney.origin.events import EventLog
from chimney.origin.lane import Lane
from chimney.origin.proxy import BELOW, DROP_IN, Proxy
from chimney.origin.replicas import Replicas
from chimney.origin.watched import Watched
from chimney.store.deliveries import DeliveryLog
from chimney.store.far import FarTier
from chimney.store.memory import MemoryStore
from chimney.web.app import Shell
from chimney.web.auth import Tokens
from chimney.web.loops import Supervisor

if TYPE_CHECKING:
    from chimney.web.asgi import App

WARM_SECONDS = 20.0
log = logging.getLogger(__name__)


def installation(settings: OriginSettings) -> Installation | None:
    """The GitHub App to sign in as; None when there is none. It goes before a token."""
    app_id, key, number = settings.github_app_id, settings.github_app_key, settings.github_app_installation
    if app_id is None or key is None or number is None:
        return None
    return Installation(settings.github_api_url, app_id=app_id, key=key.get_secret_value(), installation=number)


class GitHubData:
    """`far` None: no Dragonfly is configured, and this process's own memory is all there is."""

    def __init__(
        self,
        settings: OriginSettings,
        *,
        client: GitHubClient,
        far: FarTier | None,
        deliveries: DeliveryLog,
        events: EventLog,
    ) -> None:
        self._settings = settings
        self._deliveries = deliveries
        self._events = events
        self.client = client
        self.job_logs = JobLogs(client)
        self.watched = Watched(main=settings.repo, named=settings.repos)
        self.near = MemoryStore()
        self.far = far
        self.replicas = Replicas(self.near, far)
        self.cache = GitHubCache(client, self.near, lifetimes=Lifetimes(settings.lifetimes), replicas=self.replicas)
        self._built = False

    def build(self, tokens: Tokens) -> None:
        """What needs the framework, and what needs that."""
        from chimney.origin.cache_control import CacheControl  # noqa: PLC0415
        from chimney.origin.hearing import Hearing  # noqa: PLC0415
        from chimney.origin.pipeline import Pipeline  # noqa: PLC0415
        from chimney.origin.run_acts import RunActs  # noqa: PLC0415

        settings = self._settings
        watched = self.watched
        self.audience = Audience(self.cache, self.client, watched, tokens)
        self.discovery = Discovery(self.cache, watched, self.audience, org=settings.org, exclude=settings.repos_exclude)
        self.proxy = Proxy(
            self.cache, self.client, watched, audience=self.audience, allow_contents=settings.allow_contents
        )
        watched.on_change = self.proxy.forget
        self.pipeline = Pipeline(
            self.cache, self.client, repos=watched.names, workflow=settings.workflow, bug_label=settings.bug_label
        )
        self.run_acts = RunActs(self.client, self._events, repos=watched.names, forget=self.cache.invalidate)
        self.control = CacheControl(self.cache, self.near, self.replicas, self.proxy, self.pipeline, self._events)
        self.hearing = Hearing(
            self.cache,
            self.near,
            self.client,
            self.pipeline,
            watched,
            self._deliveries,
            self._events,
            secret=settings.webhook_secret.get_secret_value() if settings.webhook_secret else None,
        )
        self._built = True

    def routes(self, *, read_scope: Any, operate_scope: Any) -> list[Any]:
        from chimney.origin import cache_control, job_logs, pipeline, run_acts, webhooks  # noqa: PLC0415

        return [
            *job_logs.routes(self.job_logs, self.pipeline.repos, read_scope=read_scope),
            *pipeline.routes(self.pipeline, self.audience),
            *run_acts.routes(self.run_acts, operate_scope=operate_scope),
            *cache_control.routes(self.control, read_scope=read_scope, operate_scope=operate_scope),
            *webhooks.routes(self.hearing.webhooks, read_scope=read_scope),
        ]

    def serve(self, shell: Shell, pipe: LogPipe) -> None:
        """Puts what is hot before the framework."""
        webhooks = self.hearing.webhooks
        hot: dict[str, App] = {
            ORGANISATION: self.discovery,
            BELOW: self.proxy,
            DROP_IN: self.proxy,
            webhooks.path: webhooks,
        }
        shell.lane = Lane(self.proxy, self.cache, near=self.near, client=self.client, sink=pipe.request)
        shell.hot = {**shell.hot, **hot}

    async def start(self, loops: Supervisor) -> None:
        """Adds the loops and waits for none of them. Raises StoreError when kept deliveries cannot be read."""
        if self.pipeline.repos and self.client.authenticated:
            loops.add("warm", self._warm)
        if self._settings.org:
            self.hearing.on_repository = loops.add("discovery", self.discovery.run).nudge
        if self.pipeline.repos and self.client.authenticated:
            loops.add("audience", self.audience.look)
        loops.add("evictions", self.control.tell_evictions)
        self._share(loops)
        await self.hearing.start(loops)

    def _share(self, loops: Supervisor) -> None:
        far, replicas = self.far, self.replicas
        if far is None:
            return
        far.on_lost(loops.add("dragonfly", far.probe).nudge)
        loops.add("dragonfly_news", lambda: far.listen(replicas.hear))
        afar = Afar(self.near, far, self.hearing.patches.judged)
        self.hearing.patches.on_applied = afar.owe
        afar.nudge = loops.add("dragonfly_patches", afar.run).nudge
        replicas.nudge = loops.add("dragonfly_outbox", replicas.deliver).nudge

    def dragonfly_changed(self, up: bool, why: str) -> None:
        """The far tier was lost or came back; the first connection is no news."""
        if not up:
            text = f"Dragonfly is lost ({why}); answers come from this process's own memory"
            self._events.say("dragonfly_lost", text, level=logging.WARNING, reason=why)
        elif self._events.counts["dragonfly_lost"]:
            self._events.say("dragonfly_back", "Dragonfly is back; replicas share their answers again")
        else:
            log.info("Dragonfly answers")
        self.replicas.nudge()

    async def _warm(self) -> float:
        """Keeps the summary's answers stored, so the first visitor of the day does not wait; costs 304s only."""
        summary = await self.pipeline.summary(self.pipeline.repos[0])
        if summary.partial:
            log.debug("the pipeline summary lacks %s", ", ".join(part.part for part in summary.partial))
        return WARM_SECONDS

    async def close(self) -> None:
        """After the loops have ended."""
        if self._built:
            await self.control.close()
            await self.hearing.close()
        await self.cache.close()
        if self.far:
            await self.far.close()
        await self.job_logs.close()
        await self.client.close()
