from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
from tests.standin.receiver import SECRET, Body, Receiver, Wall

from chimney.standin.app import Standin, StandinSettings

Ask = Callable[[Standin], httpx2.AsyncClient]


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def outbound(receiver: Receiver) -> AsyncIterator[httpx2.AsyncClient]:
    """The way out for webhooks and reports: into the receiver."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=receiver)) as client:
        yield client


@pytest.fixture
def make(wall: Wall, outbound: httpx2.AsyncClient) -> Callable[..., Standin]:
    def make(**settings: Any) -> Standin:
        return Standin(StandinSettings(**{"speed": 0, "history_days": 8, **settings}), real=wall, client=outbound)

    return make


@pytest.fixture
def standin(make: Callable[..., Standin]) -> Standin:
    """Speed 0, with a webhook that is not sent before `start()`."""
    return make(webhook="http://origin/hook", secret=SECRET)


@pytest.fixture
async def asking() -> AsyncIterator[Callable[..., httpx2.AsyncClient]]:
    """Makes clients of a stand-in; `token` None asks without authorization."""
    clients: list[httpx2.AsyncClient] = []

    def asking(standin: Standin, *, token: str | None = "secret-token", **headers: str) -> httpx2.AsyncClient:
        sent = {"user-agent": "tests", "accept": "application/vnd.github+json", **headers}
        if token:
            sent["authorization"] = f"Bearer {token}"
        transport = httpx2.ASGITransport(app=standin.asgi)
        clients.append(httpx2.AsyncClient(transport=transport, base_url="http://github.test", headers=sent))
        return clients[-1]

    yield asking
    for client in clients:
        await client.aclose()


@pytest.fixture
def github(standin: Standin, asking: Ask) -> httpx2.AsyncClient:
    return asking(standin)


@pytest.fixture
def do(github: httpx2.AsyncClient) -> Callable[..., Any]:
    """Asks the stand-in for an act; answers with what it did."""

    async def do(act: str, **arguments: object) -> Body:
        answer = await github.post("/_standin/do", json={"do": act, **arguments})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    return do


@pytest.fixture
async def started(standin: Standin, receiver: Receiver) -> AsyncIterator[Standin]:
    """Running, and the ping has arrived."""
    await standin.start()
    await receiver.until(lambda: receiver.posted)
    receiver.posted.clear()
    yield standin
    await standin.stop()
