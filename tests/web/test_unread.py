"""A request whose body nobody reads, under the real server."""

import asyncio

import httpx2
import pytest
from tests.conftest import Serving

from chimney.web import unread
from chimney.web.app import Phase, Shell
from chimney.web.asgi import Receive, Scope, Send, respond
from chimney.web.problem import ProblemError


class Refusing:
    """A role that reads no body: it refuses what has one."""

    def __init__(self) -> None:
        self.shell = Shell(lambda _record: None)
        self.shell.hot = {"/hot/": self._hot}

    async def _hot(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            raise ProblemError(413, "too-large", "That is too much.")
        await respond(send, 200, b"well", [])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.shell(scope, receive, send)

    async def start(self) -> None:
        self.shell.phase = Phase.READY

    async def drain(self) -> None: ...

    async def stop(self) -> None: ...


async def test_who_is_refused_reads_why_and_its_connection_lives_on(serving: Serving) -> None:
    async with serving(Refusing()) as address, httpx2.AsyncClient(base_url=address) as client:
        for _ in range(20):
            refused = await client.post("/hot/x", content=b"x" * 2_000_000)
            assert (refused.status_code, "connection" in refused.headers) == (413, False)
            assert (await client.get("/hot/x")).content == b"well"


async def test_who_sends_without_end_is_told_that_the_connection_ends(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unread, "DISCARDED", 1000)
    async with serving(Refusing()) as address, httpx2.AsyncClient(base_url=address) as client:
        refused = await client.post("/hot/x", content=b"x" * 100_000)
        assert (refused.status_code, refused.headers["connection"]) == (413, "close")
        assert (await client.get("/hot/x")).content == b"well"


async def test_who_waits_to_be_asked_for_its_body_is_refused_at_once(serving: Serving) -> None:
    async with serving(Refusing()) as address:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
        writer.write(b"POST /hot/x HTTP/1.1\r\nhost: a\r\ncontent-length: 9000\r\nexpect: 100-continue\r\n\r\n")
        async with asyncio.timeout(unread.DISCARD_SECONDS - 1):
            answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer
