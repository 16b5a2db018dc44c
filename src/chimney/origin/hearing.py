"""How the origin hears of changes: webhooks, what was missed of them, the watch over GitHub; wired together."""

import logging
from collections.abc import Callable

from chimney.core.delivery import Delivery
from chimney.github.client import GitHubClient
from chimney.github.hooks import Hooks
from chimney.origin.cache import GitHubCache
from chimney.origin.catchup import CatchUp
from chimney.origin.events import Says
from chimney.origin.patches import Patches
from chimney.origin.pipeline import Pipeline
from chimney.origin.watch import GitHubWatch
from chimney.origin.watched import Watched
from chimney.origin.webhooks import Webhooks
from chimney.store.deliveries import DeliveryLog
from chimney.store.ports import ResponseStore
from chimney.web.loops import Supervisor

log = logging.getLogger(__name__)


class Hearing:
    """`secret` None: no delivery is taken, and what is stored grows old by its lifetime alone."""

    def __init__(
        self,
        cache: GitHubCache,
        store: ResponseStore,
        client: GitHubClient,
        pipeline: Pipeline,
        watched: Watched,
        kept: DeliveryLog,
        events: Says,
        *,
        secret: str | None,
    ) -> None:
        self._cache = cache
        self._kept = kept
        self._repositories = watched
        self.on_repository: Callable[[], None] = lambda: None
        self._watched = bool(watched.names)
        self.patches = Patches(cache, store, repos=watched.spelled, forget=pipeline.forget)
        self.patches.on_delivery = self._learn
        self.webhooks = Webhooks(kept, self.patches, events, secret=secret)
        hooks = [Hooks(client, repo) for repo in watched.named]
        self.catch_up = CatchUp(hooks, kept, events, doubt=self.patches.doubt_all)
        self.watch = GitHubWatch(client, events)

    async def start(self, loops: Supervisor) -> None:
        """Adds the loops. Raises StoreError when what was delivered before cannot be read."""
        if self._watched:
            loops.add("watch", self.watch.look)
        if not self.webhooks.configured:
            if self._watched:
                log.warning("CHIMNEY_WEBHOOK_SECRET is not set: changes at GitHub show when what is stored is old")
            return
        self.patches.remember(await self._kept.versions())
        self._cache.overlay = self.patches.overlay
        self._cache.unchanged = self.patches.looks.again
        self.patches.looks.nudge = loops.add("looks", self.patches.looks.run).nudge
        self.webhooks.nudge = loops.add("webhooks", self.webhooks.work).nudge
        self.catch_up.nudge = loops.add("catch_up", self.catch_up.run).nudge
        self.webhooks.on_taken = self.catch_up.taken
        self.webhooks.on_gap = self.catch_up.gap
        self.watch.on_back = self.catch_up.gap
        await self.catch_up.begin()

    def _learn(self, delivery: Delivery) -> None:
        """Every delivery says of its repository whether it is private."""
        private = delivery.about("repository").get("private")
        if delivery.repo and isinstance(private, bool):
            self._repositories.learn(delivery.repo, private=private)
        if delivery.event == "repository":
            self.on_repository()

    async def close(self) -> None:
        """After the loops have ended."""
        await self._kept.flush()
