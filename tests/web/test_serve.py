"""One role under the real server, in this process."""

import asyncio
import io
import json
import logging
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Iterator

import httpx2
import pytest
from tests.conftest import Serving, until

from chimney.instrumentation import LogPipe
from chimney.web.app import Phase, Shell
from chimney.web.asgi import Receive, Scope, Send, raw_path, respond
from chimney.web.hub import Entry, Hub
from chimney.web.serve import CannotListenError, claim, serve, split_address
from chimney.web.sse import EventStream, Opening
from chimney.wire.event import Hello

HELLO = Hello(version="1", boot="b", oldest_id=None, newest_id=None)


class Echo:
    """A role that says what it was asked for, and streams at /hot/stream."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.calls: list[str] = []
        self.shell = Shell(lambda _record: None)
        self.shell.hot = {"/hot/": self._hot}

    async def _hot(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/hot/stream":
            stream = EventStream(self.hub, self.hub.subscribe("a", lambda _e: True), Opening(HELLO, None, []))
            await stream(scope, receive, send)
            return
        if scope["path"] == "/hot/raise":
            raise KeyError("boom")
        if scope["path"] == "/hot/cut":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})
            raise KeyError("boom")
        await respond(send, 200, raw_path(scope), [])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.shell(scope, receive, send)

    async def start(self) -> None:
        self.calls.append("start")
        self.shell.phase = Phase.READY

    async def drain(self) -> None:
        self.calls.append("drain")
        self.hub.close()

    async def stop(self) -> None:
        self.calls.append("stop")


async def spoken(address: str, request: bytes) -> bytes:
    """What the server answers to these bytes, to the end of the connection."""
    host, _, port = address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()


def read_to_the_end(connection: socket.socket) -> None:
    while connection.recv(65_536):
        pass


async def test_a_role_is_started_served_drained_and_stopped(serving: Serving) -> None:
    role = Echo()
    async with serving(role) as address, httpx2.AsyncClient() as client:
        assert (await client.get(f"{address}/livez")).json() == {"status": "ok"}
        assert (await client.get(f"{address}/readyz")).status_code == 200
        assert role.calls == ["start"]
    assert role.calls == ["start", "drain", "stop"]


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        (b"/hot/a%2fb", b"/hot/a%2fb"),
        (b"/hot/a%252e?x=/hot/", b"/hot/a%252e"),
        (b"/hot/..%2f..%2fx", b"/hot/..%2f..%2fx"),
        (b"http://evil.test/hot/x", b"/hot/x"),
        (b"/hot/%ff%fe", b"/hot/%ff%fe"),
        (b"/hot/%00", b"/hot/%00"),
    ],
)
async def test_the_raw_path_is_what_came_over_the_wire(serving: Serving, target: bytes, seen: bytes) -> None:
    async with serving(Echo()) as address:
        heard = await spoken(address, b"GET %s HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n" % target)
    head, _, body = heard.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert body == seen


async def test_errors_and_heads_keep_the_connection_in_step(serving: Serving) -> None:
    requests = b"".join(
        b"%s %s HTTP/1.1\r\nhost: x\r\n\r\n" % asked
        for asked in ((b"HEAD", b"/nothing"), (b"HEAD", b"/hot/raise"), (b"POST", b"/livez"), (b"HEAD", b"/readyz"))
    )
    last = b"GET /hot/last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    async with serving(Echo()) as address:
        heard = await spoken(address, requests + last)
    assert re.findall(rb"HTTP/1.1 (\d+)", heard) == [b"503", b"500", b"405", b"200", b"200"]
    assert heard.endswith(b"/hot/last")
    assert heard.lower().count(b"x-request-id: ") == 5


async def test_a_signal_ends_ten_open_streams_and_the_server_in_time(serving: Serving) -> None:
    role = Echo()
    async with httpx2.AsyncClient(timeout=10) as client:

        async def read() -> str:
            return (await client.get(f"{address}/hot/stream")).text

        async with serving(role) as address:
            reading = [asyncio.create_task(read()) for _ in range(10)]
            await until(lambda: len(role.hub) == 10)
            began = time.monotonic()
        assert time.monotonic() - began < 5
        texts = await asyncio.wait_for(asyncio.gather(*reading), 1)
    assert all("event: hello" in text and text.rstrip().rpartition("\n\n")[2].startswith("retry: ") for text in texts)
    assert len(role.hub) == 0


async def test_a_stalled_reader_costs_others_nothing(serving: Serving) -> None:
    role = Echo()
    async with serving(role) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        with socket.socket() as stalled:
            stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stalled.connect((host, int(port)))
            stalled.sendall(b"GET /hot/stream HTTP/1.1\r\nhost: x\r\n\r\n")
            await until(lambda: len(role.hub) == 1)
            async with httpx2.AsyncClient() as client:
                assert (await client.get(f"{address}/livez")).status_code == 200
        await until(lambda: len(role.hub) == 0)


async def test_a_connection_that_takes_nothing_is_ended(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chimney.web.serve.TAKES_NOTHING_SECONDS", 0.5)
    role = Echo()
    async with serving(role) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        with socket.socket() as stalled:
            stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stalled.connect((host, int(port)))
            stalled.sendall(b"GET /hot/stream HTTP/1.1\r\nhost: x\r\n\r\n")
            await until(lambda: len(role.hub) == 1)
            role.hub.publish([Entry(number, "log", b'"%s"' % (b"x" * 60_000)) for number in range(1, 100)])
            await until(lambda: len(role.hub) == 0)
            stalled.settimeout(5)
            with pytest.raises(ConnectionResetError):
                read_to_the_end(stalled)


async def test_a_start_that_fails_ends_the_serving_with_its_error() -> None:
    class Failing(Echo):
        async def start(self) -> None:
            raise ValueError("no room")

    role = Failing()
    with pytest.raises(ValueError, match="no room"):
        await serve(role, "127.0.0.1:0", ready=lambda _address: None)
    assert role.calls == ["drain", "stop"]


async def test_a_signal_during_the_start_ends_it() -> None:
    class Slow(Echo):
        async def start(self) -> None:
            signal.raise_signal(signal.SIGTERM)
            await asyncio.Event().wait()

    role = Slow()
    said: list[str] = []
    await asyncio.wait_for(serve(role, "127.0.0.1:0", ready=said.append), 5)
    assert (role.calls, said) == (["drain", "stop"], [])


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_a_taken_port_names_who_has_it(taken: int) -> None:
    with pytest.raises(CannotListenError) as refused:
        claim(f"127.0.0.1:{taken}")
    said = str(refused.value)
    assert said.startswith(f"cannot listen on 127.0.0.1:{taken}: address already in use by process {os.getpid()}")
    assert sys.executable.rpartition("/")[2] in said or "pytest" in said


def test_an_address_that_is_not_ours_is_refused_without_a_word_of_ports() -> None:
    with pytest.raises(CannotListenError) as refused:
        claim("203.0.113.1:18299")
    assert str(refused.value) == "cannot listen on 203.0.113.1:18299: cannot assign requested address"


def test_a_free_port_is_found_when_none_is_said() -> None:
    host, port = claim("127.0.0.1:0")
    assert (host, port > 0) == ("127.0.0.1", True)


@pytest.mark.parametrize(
    ("listen", "split"), [("127.0.0.1:80", ("127.0.0.1", 80)), ("[::1]:80", ("::1", 80)), ("box:0", ("box", 0))]
)
def test_an_address_is_host_and_port(listen: str, split: tuple[str, int]) -> None:
    assert split_address(listen) == split


@pytest.mark.parametrize("listen", ["", "80", ":80", "box:", "box:x", "box:70000", "box:-1", "box:²"])
def test_what_is_no_address_is_refused(listen: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        split_address(listen)


async def test_what_the_server_itself_logs_goes_where_every_other_record_does(
    serving: Serving, installed: LogPipe, written: io.BytesIO, capfd: pytest.CaptureFixture[str]
) -> None:
    async with serving(Echo()) as address, httpx2.AsyncClient() as client:
        logging.getLogger("_granian").warning("a worker fell")
        logging.getLogger("granian.access").warning("GET /")
        with pytest.raises(httpx2.HTTPError):
            await client.get(f"{address}/hot/cut")
    installed.start(None)
    await installed.stop()
    told = [json.loads(line) for line in written.getvalue().splitlines()]
    assert {"_granian", "granian.access"} <= {one["logger"] for one in told}
    assert [one["logger"] for one in told if "boom" in str(one)] == ["chimney.web.recover"]
    assert not any("experimental" in one["message"] for one in told)
    assert capfd.readouterr().out == ""
