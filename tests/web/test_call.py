"""Calls to other servers, on the record of the request that runs."""

import asyncio
from typing import Any

import pytest
from tests.conftest import until
from tests.tracing.conftest import finished

from chimney.core.call import Attribute, Call
from chimney.web.call import MOST, RequestCalls
from chimney.web.record import RequestRecord, current


class Watch:
    def __init__(self) -> None:
        self.heard: list[Call] = []

    def goes_on(self, record: RequestRecord) -> bool:
        return record.sampled

    def late(self, _record: RequestRecord, call: Call) -> None:
        self.heard.append(call)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def calls(watch: Watch) -> RequestCalls:
    return RequestCalls(watch)


@pytest.fixture
def running() -> Any:
    """A request that has not ended yet."""
    record = finished()
    record.ended = 0.0
    token = current.set(record)
    yield record
    current.reset(token)


def about() -> dict[str, Attribute]:
    return {"server.address": "api.github.test"}


async def test_a_call_is_told_on_the_record_and_carries_its_trace_on(calls: RequestCalls, running: Any) -> None:
    running.sampled = True
    with calls.open("GET", about()) as call:
        call.attributes["http.response.status_code"] = 200
        assert call.traceparent == f"00-{running.trace_id}-{call.span_id}-01"
        assert running.calls == []
    [told] = running.calls
    assert (told.name, told.error, told.attributes["http.response.status_code"]) == ("GET", None, 200)
    assert told.seconds > 0
    assert told.started > 0


async def test_who_does_not_export_tells_those_who_are_asked(calls: RequestCalls, running: Any) -> None:
    with calls.open("GET", about()) as call:
        assert (call.traceparent or "").endswith("-00")


async def test_outside_of_a_request_nothing_is_told(calls: RequestCalls) -> None:
    with calls.open("GET", about()) as call:
        assert call.traceparent is None


async def test_a_call_begun_after_the_answer_belongs_to_no_trace(calls: RequestCalls, running: Any) -> None:
    running.ended = 1.0
    with calls.open("GET", about()) as call:
        assert call.traceparent is None
    assert running.calls is None


async def hang(calls: RequestCalls) -> None:
    with calls.open("GET", about()):
        await asyncio.Event().wait()


async def test_what_fails_says_how(calls: RequestCalls, running: Any) -> None:
    with pytest.raises(KeyError), calls.open("GET", about()):
        raise KeyError("x")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(hang(calls), 0.001)
    with calls.open("GET", about()) as call:
        call.error = "503"
    assert [call.error for call in running.calls] == ["KeyError", "timeout", "503"]


async def test_a_quick_call_may_be_none_of_interest(calls: RequestCalls, running: Any) -> None:
    with calls.open("GET", about(), least_seconds=10):
        pass
    assert not running.calls
    with pytest.raises(KeyError), calls.open("GET", about(), least_seconds=10):
        raise KeyError("x")
    assert len(running.calls) == 1


async def test_a_call_that_outlives_its_request_is_handed_on(calls: RequestCalls, watch: Watch, running: Any) -> None:
    go = asyncio.Event()

    async def refresh() -> None:
        with calls.open("GET", about()):
            await go.wait()

    task = asyncio.create_task(refresh())
    await until(lambda: running.calls is not None)
    running.ended = 1.0
    go.set()
    await task
    assert [call.name for call in watch.heard] == ["GET"]
    assert running.calls == []


async def test_a_request_keeps_so_many_calls_and_no_more(calls: RequestCalls, running: Any) -> None:
    for _ in range(MOST + 5):
        with calls.open("GET", about()):
            pass
    assert len(running.calls) == MOST
