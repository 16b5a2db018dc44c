"""Visitors: the demonstration's users, who ask an origin what real dashboards, bots and command lines ask.

About two requests a second, seeded, from a handful of clients; now and then one asks for what is not there. Whatever
the origin answers, they go on.
"""

import asyncio
import contextlib
import random

import httpx2

PAUSE_SECONDS = 0.5
CLIENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) dashboard",
    "Mozilla/5.0 (iPhone) dashboard",
    "GitHub CLI 2.62.0",
    "octokit-rest.js/21.0.2",
    "release-bot/1.4",
)
USUAL = (
    ("/api/pipeline/summary", 8),
    ("/api/github/pulls?state=open", 6),
    ("/api/github/issues?labels=type:bug&state=open", 4),
    ("/api/github/actions/runs?per_page=20", 6),
    ("/api/github/releases?per_page=5", 3),
    ("/api/github/deployments?per_page=10", 3),
    ("/api/github/branches", 2),
    ("/api/github/labels", 1),
    ("/api/deploy/status", 4),
    ("/api/github/releases/tags/v0.0.0", 1),
    ("/api/github/hooks", 1),
)


class Visitors:
    """`url` is the origin's address; None: nobody visits."""

    def __init__(self, *, url: str | None, seed: int) -> None:
        self._url = url
        self._random = random.Random(f"visitors {seed}")

    @property
    def any(self) -> bool:
        return self._url is not None

    async def visit(self, client: httpx2.AsyncClient) -> None:
        """Visits until cancelled."""
        paths, weights = zip(*USUAL, strict=True)
        while True:
            path = self._random.choices(paths, weights)[0]
            headers = {"user-agent": self._random.choice(CLIENTS)}
            with contextlib.suppress(httpx2.HTTPError):
                await client.get(f"{self._url}{path}", headers=headers, timeout=10.0)
            await asyncio.sleep(self._random.expovariate(1 / PAUSE_SECONDS))
