"""One record per request."""

import re

import pytest
from tests.fakes.visitor import Heard, ask

from chimney.web.asgi import Receive, Scope, Send, respond
from chimney.web.record import Recorder, RequestRecord, current, record_of

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Kept:
    """A recorder over an application that says what it knows of the request."""

    def __init__(self) -> None:
        self.records: list[RequestRecord] = []
        self.seen: list[RequestRecord | None] = []
        self.app = Recorder(self._app, self.records.append)

    async def _app(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.seen.append(current.get())
        if scope["path"] == "/raises":
            raise ValueError("no")
        record_of(scope).route = "/x/{n}"
        await respond(send, 200, b"hello", [])

    async def ask(self, target: bytes = b"/", **said: str) -> Heard:
        headers = {name.replace("_", "-"): value for name, value in said.items()}
        return await ask(self.app, target, headers=headers)


@pytest.fixture
def kept() -> Kept:
    return Kept()


async def test_a_finished_record_knows_what_happened(kept: Kept) -> None:
    heard = await kept.ask(b"/x/1?secret=1", user_agent="tests")
    [record] = kept.records
    assert (record.method, record.path, record.route, record.status, record.bytes) == ("GET", "/x/1", "/x/{n}", 200, 5)
    assert record.client == "127.0.0.1"
    assert record.duration > 0
    assert kept.seen == [record]
    assert current.get() is None
    assert heard.header("x-request-id") == record.request_id
    assert heard.header("x-trace-id") == record.trace_id


@pytest.mark.parametrize("asked", ["a", "A-1._b", "x" * 128])
async def test_a_proper_request_id_is_kept(kept: Kept, asked: str) -> None:
    assert (await kept.ask(x_request_id=asked)).header("x-request-id") == asked


@pytest.mark.parametrize("asked", ["", "x" * 129, "a b", "a\tb", "<script>", "ü", "a/b", "a\x1b"])
async def test_any_other_request_id_is_replaced(kept: Kept, asked: str) -> None:
    heard = (await kept.ask(x_request_id=asked)).header("x-request-id") or ""
    assert re.fullmatch(r"[0-9a-f]{24}", heard)


async def test_ids_differ_from_request_to_request(kept: Kept) -> None:
    for _ in range(50):
        await kept.ask()
    assert len({record.request_id for record in kept.records}) == 50
    assert len({record.trace_id for record in kept.records}) == 50
    assert {(len(record.trace_id), len(record.span_id)) for record in kept.records} == {(32, 16)}


async def test_a_trace_that_comes_in_is_continued(kept: Kept) -> None:
    heard = await kept.ask(traceparent=TRACE)
    [record] = kept.records
    assert heard.header("x-trace-id") == record.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert (record.parent_span_id, record.sampled) == ("00f067aa0ba902b7", True)
    assert record.span_id != "00f067aa0ba902b7"


async def test_a_broken_trace_is_begun_anew(kept: Kept) -> None:
    heard = await kept.ask(traceparent="00-" + "0" * 32 + "-x")
    assert re.fullmatch(r"[0-9a-f]{32}", heard.header("x-trace-id") or "")


async def test_a_record_is_finished_once_also_when_the_handler_raises(kept: Kept) -> None:
    with pytest.raises(ValueError, match="no"):
        await kept.ask(b"/raises")
    assert len(kept.records) == 1
    assert kept.records[0].status == 0
    assert current.get() is None


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("::1", "2001:db8::1", "2001:db8::1"),
        ("198.51.100.1", "203.0.113.9", "198.51.100.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "<script>", "127.0.0.1"),
        ("127.0.0.1", "\x9b31m", "127.0.0.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "1" * 5000, "127.0.0.1"),
    ],
)
async def test_what_a_proxy_says_of_the_client_is_believed_on_this_machine_when_it_is_an_address(
    kept: Kept, peer: str, forwarded: str, client: str
) -> None:
    await ask(kept.app, b"/", headers={"x-forwarded-for": forwarded}, peer=(peer, 1))
    assert kept.records[0].client == client


async def test_what_is_no_http_is_left_alone(kept: Kept) -> None:
    async def unused() -> dict[str, object]:
        raise AssertionError

    async def send(_event: object) -> None:
        raise AssertionError

    await kept.app({"type": "websocket"}, unused, send)
    assert kept.records == []
