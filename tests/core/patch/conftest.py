"""A repository that lives by hand, what it tells of itself, and what it answers before and after."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from chimney.core.delivery import Delivery
from chimney.core.patch.laying import Laid, lay
from chimney.github.webhook import Head, read_delivery
from chimney.standin.app import Standin, StandinSettings

REPO = "acme/rocket"


class Lived:
    """`told` are the deliveries since the last call, oldest first."""

    def __init__(self) -> None:
        self.now = 1_794_736_000.0
        settings = StandinSettings(repo=REPO, speed=0, webhook="http://nobody.test/hook", history_days=8)
        self.standin = Standin(settings, real=lambda: self.now)
        transport = httpx2.ASGITransport(app=self.standin.asgi)
        headers = {"authorization": "Bearer t", "user-agent": "tests"}
        self.github = httpx2.AsyncClient(transport=transport, base_url="http://github.test", headers=headers)

    async def get(self, below: str) -> tuple[Any, bool]:
        """The decoded answer, and whether there are more pages."""
        answer = await self.github.get(f"/repos/{REPO}{'/' if below and below[0] != '?' else ''}{below}")
        assert answer.status_code == 200, answer.text
        return answer.json(), 'rel="next"' in answer.headers.get("link", "")

    async def do(self, act: str, **more: Any) -> dict[str, Any]:
        answer = await self.github.post("/_standin/do", json={"do": act, **more})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def told(self) -> list[Delivery]:
        hook = self.standin.hook
        deliveries = [read_delivery(Head(one.event, one.guid, form=False), one.payload) for one in hook.deliveries]
        hook.deliveries.clear()
        return deliveries


def laid(told: list[Delivery], below: str, answer: tuple[Any, bool]) -> Laid:
    body, more = answer
    return lay(told, f"/repos/{REPO}/{below}".rstrip("/"), json.loads(json.dumps(body)), more=more, as_of=None)


@pytest.fixture
async def lived() -> AsyncIterator[Lived]:
    lived = Lived()
    yield lived
    await lived.github.aclose()
