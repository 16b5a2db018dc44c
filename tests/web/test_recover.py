"""What a handler raises becomes a problem, a stack in the log, and a count."""

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator

import pytest
from tests.conftest import until
from tests.fakes.visitor import ask

from chimney.web.asgi import Receive, Scope, Send, respond
from chimney.web.loops import Supervisor
from chimney.web.problem import ProblemError
from chimney.web.record import Recorder, RequestRecord
from chimney.web.recover import STACK_BYTES, Panics, Recover, short_stack


class Failing:
    """An application that raises `error`, `early` before its answer or else in the middle of it."""

    def __init__(self, error: Exception, *, early: bool = True) -> None:
        self._error = error
        self._early = early
        self.records: list[RequestRecord] = []
        self.recover = Recover(self._fail)
        self.app = Recorder(self.recover, self.records.append)

    async def _fail(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        if not self._early:
            await respond(send, 200, b"half", [])
        raise self._error


async def test_a_panic_is_a_500_problem_with_the_request_id(caplog: pytest.LogCaptureFixture) -> None:
    failing = Failing(KeyError("secret detail"))
    with caplog.at_level(logging.ERROR):
        heard = await ask(failing.app, b"/x", headers={"x-request-id": "req-1"})
    assert heard.status == 500
    assert heard.header("content-type") == "application/problem+json"
    assert heard.json()["instance"] == heard.header("x-request-id") == "req-1"
    assert b"secret detail" not in heard.body
    assert failing.recover.panics == 1
    assert failing.records[0].status == 500
    assert failing.records[0].error == "KeyError: 'secret detail'"


async def test_a_panic_is_one_error_record_with_the_stack(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        await ask(Failing(KeyError("x")).app, b"/x")
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert "in _fail" in vars(record)["stack"]


async def test_a_problem_is_answered_as_it_says_and_is_no_panic(caplog: pytest.LogCaptureFixture) -> None:
    failing = Failing(ProblemError(429, "too-many", "slow down", headers=[(b"retry-after", b"3")]))
    heard = await ask(failing.app, b"/x")
    assert (heard.status, heard.header("retry-after")) == (429, "3")
    assert failing.recover.panics == 0
    assert caplog.records == []


async def test_an_answer_that_began_is_cut_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    failing = Failing(ValueError("late"), early=False)
    with pytest.raises(ConnectionAbortedError):
        await ask(failing.app, b"/x")
    assert failing.recover.panics == 1
    assert failing.records[0].error == "ValueError: late"
    assert len(caplog.records) == 1


class Heard:
    """What is told of panics."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str | None]] = []
        self.panics = Panics()
        self.panics.told = lambda where, error, request_id: self.told.append((where, error, request_id))


@pytest.fixture
async def heard() -> AsyncIterator[Heard]:
    heard = Heard()
    heard.panics.watch()
    yield heard
    heard.panics.unwatch()


async def test_what_a_task_raises_and_nobody_asks_for_is_a_panic(
    heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails() -> None:
        raise KeyError("lost")

    task = asyncio.create_task(fails(), name="errand")
    await asyncio.wait([task])
    del task
    gc.collect()
    await until(lambda: heard.told)
    assert heard.told == [("errand", "KeyError: 'lost'", None)]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "in fails" in vars(caplog.records[0])["stack"]


async def test_what_a_callback_raises_is_a_panic(heard: Heard) -> None:
    def fails() -> None:
        raise ValueError("late")

    asyncio.get_running_loop().call_soon(fails)
    await until(lambda: heard.told)
    assert heard.told == [("a callback of the event loop", "ValueError: late", None)]


async def test_what_a_thread_raises_is_a_panic(heard: Heard, caplog: pytest.LogCaptureFixture) -> None:
    def fails() -> None:
        raise ValueError("elsewhere")

    threading.Thread(target=fails, name="aside").start()
    await until(lambda: heard.told)
    assert heard.told == [("thread aside", "ValueError: elsewhere", None)]
    assert heard.panics.count == 1
    assert "in fails" in vars(caplog.records[0])["stack"]


async def test_a_loop_that_fails_is_a_panic_every_time(heard: Heard) -> None:
    async def fails() -> float:
        raise ValueError("again")

    supervisor = Supervisor(heard.panics)
    loop = supervisor.add("bad", fails)
    supervisor.start()
    await until(lambda: heard.told)
    loop.nudge()
    await until(lambda: len(heard.told) == 2)
    await supervisor.stop()
    assert heard.told[0] == ("loop bad", "ValueError: again", None)


def deep(levels: int) -> None:
    if not levels:
        raise ValueError("ü" * 10_000)
    deep(levels - 1)


def test_a_stack_is_short_and_keeps_its_end() -> None:
    try:
        deep(50)
    except ValueError as error:
        stack = short_stack(error)
        assert len(stack.encode()) <= STACK_BYTES
        assert stack.endswith("ü\n")


async def test_an_error_has_a_fingerprint_by_type_route_and_place(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        for error in (KeyError("a"), KeyError("b"), ValueError("a")):
            await ask(Failing(error).app, b"/x")
    first, second, third = [vars(record)["fingerprint"] for record in caplog.records]
    assert first == second != third


async def test_a_problem_of_ours_is_told_on_the_request_with_its_fingerprint() -> None:
    ours, again = Failing(ProblemError(502, "bad-day", "at noon")), Failing(ProblemError(502, "bad-day", "at one"))
    for failing in (ours, again):
        await ask(failing.app, b"/x")
    assert ours.records[0].error == "bad-day: at noon"
    assert ours.records[0].fingerprint == again.records[0].fingerprint
    assert ours.records[0].fingerprint is not None


@pytest.mark.parametrize(("status", "error"), [(404, None), (503, "starting: wait")])
async def test_what_is_said_on_purpose_is_no_fault(status: int, error: str | None) -> None:
    failing = Failing(ProblemError(status, "starting", "wait"))
    await ask(failing.app, b"/x")
    assert (failing.records[0].error, failing.records[0].fingerprint) == (error, None)
