"""An origin and the stand-in GitHub that tells it of changes, in one process, over no network."""

import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from chimney.config import OriginSettings
from chimney.instrumentation import LogPipe
from chimney.origin.app import Origin
from chimney.standin.app import Standin, StandinSettings
from chimney.web.asgi import Receive, Scope, Send

REPO = "acme/rocket"
SECRET = "It's a Secret to Everybody"
HOOK = "http://origin.localhost/api/webhooks/github"


class Pair:
    """`page` is a visitor of the origin, `github` somebody at GitHub. The stand-in's clock moves by hand, a little."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self._folder, self._settings = folder, settings
        self.ahead = 0.0
        self.outbound = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self._to_origin))
        self.standin = Standin(
            StandinSettings(repo=REPO, speed=0, webhook=HOOK, secret=SECRET, history_days=8),
            real=lambda: time.time() + self.ahead,
            client=self.outbound,
        )
        self.page = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self._to_origin), base_url="http://origin.localhost", timeout=10
        )
        headers = {"authorization": "Bearer t", "user-agent": "tests"}
        self.github = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.standin.asgi), base_url="http://github.test", headers=headers
        )
        self.origin: Origin | None = None

    async def _to_origin(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.origin is None:
            raise httpx2.ConnectError("nobody is there")
        await self.origin(scope, receive, send)

    async def start(self, **settings: Any) -> Origin:
        said = {
            "repo": REPO,
            "github_token": "ghp_tests",
            "github_api_url": "http://github.test",
            "webhook_secret": SECRET,
            "data_dir": self._folder / "data",
            **self._settings,
            **settings,
        }
        transport = httpx2.ASGITransport(app=self.standin.asgi)
        self.origin = Origin(OriginSettings(**said), LogPipe(io.TextIOWrapper(io.BytesIO())), transport=transport)
        await self.origin.start()
        return self.origin

    async def stop(self) -> None:
        origin, self.origin = self.origin, None
        if origin:
            await origin.drain()
            await origin.stop()

    async def do(self, act: str, **more: Any) -> dict[str, Any]:
        self.ahead += 1  # GitHub's times are whole seconds
        answer = await self.github.post("/_standin/do", json={"do": act, **more})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def charged(self) -> int:
        return int((await self.github.get("/_standin/stats")).json()["charged"])

    async def see(self, path: str) -> Any:
        """What the page gets: below the repository, or a whole path that begins with `/`."""
        answer = await self.page.get(path if path.startswith("/") else f"/api/github/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()


@asynccontextmanager
async def pair_of(folder: Path, **settings: Any) -> AsyncIterator[Pair]:
    """Both running, and the stand-in's ping has been worked off."""
    pair = Pair(folder, **settings)
    await pair.start()
    await pair.standin.start()
    try:
        yield pair
    finally:
        await pair.standin.stop()
        await pair.stop()
        for client in (pair.outbound, pair.page, pair.github):
            await client.aclose()
