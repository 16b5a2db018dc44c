"""A cache with webhooks laid over it, and a scripted GitHub behind."""

import asyncio
import json
from contextlib import suppress
from typing import Any

from tests.fakes.github import HOST, GitHub, validated

from chimney.core.delivery import Delivery
from chimney.core.grammar import Kind
from chimney.github.client import GitHubClient
from chimney.origin.answer import Key, key_of
from chimney.origin.cache import GitHubCache
from chimney.origin.patches import Applied, Patches
from chimney.store.memory import MemoryStore
from chimney.store.ports import StoredResponse

REPO = "acme/rocket"
PULLS = key_of(Kind.PULLS, f"/repos/{REPO}/pulls", "state=open")
COMMITS = key_of(Kind.COMMITS, f"/repos/{REPO}/commits", "")
COMPARE = key_of(Kind.COMMIT, f"/repos/{REPO}/compare/v1...main", "")


def pull(number: int, minute: int, state: str = "open") -> dict[str, Any]:
    at = f"2026-11-15T09:{minute:02}:00Z"
    return {"number": number, "state": state, "created_at": f"2026-11-15T08:{number:02}:00Z", "updated_at": at}


def told(number: int, minute: int, state: str = "open", action: str = "opened", repo: str = REPO) -> Delivery:
    return Delivery(
        event="pull_request", action=action, repo=repo, payload={"pull_request": pull(number, minute, state)}
    )


def pushed(after: str) -> Delivery:
    payload = {"ref": "refs/heads/main", "before": "a", "after": after, "repository": {"default_branch": "main"}}
    return Delivery(event="push", repo=REPO, payload=payload)


class Bench:
    def __init__(self) -> None:
        self.github = GitHub(validated([pull(1, 10)], "one"))
        self.store = MemoryStore()
        self.client = GitHubClient(HOST, "t", transport=self.github, deadline_seconds=0.5)
        self.cache = GitHubCache(self.client, self.store)
        self.forgotten: list[str] = []
        self.patches = Patches(
            self.cache,
            self.store,
            repos={REPO: REPO},
            forget=self.forgotten.append,
            recent_seconds=5.0,
            delays=(0.01, 0.02, 0.03),
        )
        self.cache.overlay = self.patches.overlay
        self.cache.unchanged = self.patches.looks.again
        self._looking: asyncio.Task[None] | None = None
        self._nudged = asyncio.Event()
        self.patches.looks.nudge = self._nudged.set

    def looking(self) -> None:
        self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while True:
            wait = await self.patches.looks.run()
            self._nudged.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._nudged.wait(), min(wait, 0.02))

    async def tell(self, *deliveries: Delivery) -> list[Applied]:
        return await self.patches.apply(list(deliveries))

    async def see(self, key: Key = PULLS) -> Any:
        return json.loads((await self.cache.get(key)).response.body)

    async def numbers(self) -> list[int]:
        return [one["number"] for one in await self.see()]

    def held(self, key: Key = PULLS) -> StoredResponse:
        stored = self.store.get(key.text)
        assert stored
        return stored

    async def close(self) -> None:
        if self._looking:
            self._looking.cancel()
        await self.cache.close()
        await self.client.close()
