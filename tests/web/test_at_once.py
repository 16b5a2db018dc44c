"""Answers on the spot, under the real server."""

import asyncio
import sys
import threading

import httpx2
import pytest
from tests.conftest import Serving

from chimney.web.asgi import Receive, Scope, Send, Tell, read_body, respond
from chimney.web.at_once import TURN_SECONDS


class Ready:
    """A role that has `/now` ready, and says in which thread it was asked."""

    def __init__(self) -> None:
        self.asked: dict[str, int] = {}

    def at_once(self, scope: Scope, tell: Tell) -> bool:
        self.asked[scope["path"]] = threading.get_ident()
        if scope["path"] == "/broken":
            raise KeyError("boom")
        if scope["path"] != "/now":
            return False
        tell({"type": "http.response.start", "status": 200, "headers": [(b"x-way", b"spot")]})
        tell({"type": "http.response.body", "body": b"at once"})
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, 200, await read_body(receive, limit=1_000_000) or b"later", [(b"x-way", b"loop")])

    async def start(self) -> None: ...

    async def drain(self) -> None: ...

    async def stop(self) -> None: ...


async def test_what_is_ready_is_answered_by_the_servers_thread_and_all_else_by_the_loop(serving: Serving) -> None:
    role = Ready()
    async with serving(role) as address, httpx2.AsyncClient(base_url=address) as client:
        heard = [await client.get(path) for path in ("/now", "/later", "/now")]
        echoed = await client.post("/later", content=b"x" * 100_000)
    assert [(answer.headers["x-way"], answer.text) for answer in heard] == [
        ("spot", "at once"),
        ("loop", "later"),
        ("spot", "at once"),
    ]
    assert len(echoed.content) == 100_000
    assert set(role.asked) == {"/now", "/later"}
    assert threading.get_ident() not in role.asked.values()


async def test_what_fails_on_the_spot_is_told_and_answered_by_the_loop(
    serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(Ready()) as address, httpx2.AsyncClient(base_url=address) as client:
        answer = await client.get("/broken")
    assert (answer.status_code, answer.text) == (200, "later")
    assert [record.getMessage() for record in caplog.records if record.exc_info] == ["an answer on the spot failed"]


async def test_many_visitors_of_both_ways_get_their_own_answers(serving: Serving) -> None:
    async with serving(Ready()) as address, httpx2.AsyncClient(base_url=address) as client:
        asked = [client.get(path) for path in ("/now", "/later") * 50]
        answers = await asyncio.gather(*asked)
    assert [answer.text for answer in answers] == ["at once", "later"] * 50


async def test_the_loop_gets_its_turn_while_there_are_answers_to_give(serving: Serving) -> None:
    usual = sys.getswitchinterval()
    async with serving(Ready()):
        assert sys.getswitchinterval() == pytest.approx(TURN_SECONDS)
    assert sys.getswitchinterval() == pytest.approx(usual)
