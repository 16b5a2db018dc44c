"""Background loops under one supervisor."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator

import pytest
from tests.conftest import until

from chimney.web.loops import Supervisor


class Work:
    """A verb that fails as often as it is told, then succeeds."""

    def __init__(self, *, failures: int = 0, wait: float = 0.001) -> None:
        self.rounds = 0
        self._failures = failures
        self._wait = wait

    async def __call__(self) -> float:
        self.rounds += 1
        if self.rounds <= self._failures:
            raise RuntimeError(f"round {self.rounds}")
        return self._wait


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    supervisor = Supervisor()
    yield supervisor
    await supervisor.stop()


async def test_a_loop_goes_round_and_its_success_is_recorded(supervisor: Supervisor) -> None:
    work = Work()
    supervisor.add("work", work)
    assert supervisor.health()["work"].last_success_at is None
    supervisor.start()
    await until(lambda: work.rounds > 3)
    health = supervisor.health()["work"]
    assert (health.failures, health.restarts, health.error) == (0, 0, None)
    assert health.last_success_at is not None


async def test_a_loop_that_fails_is_told_logged_and_tried_again(
    supervisor: Supervisor, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work(failures=1, wait=60)
    loop = supervisor.add("work", work)
    with caplog.at_level(logging.ERROR):
        supervisor.start()
        await until(lambda: loop.error)
    assert supervisor.health()["work"].error == "RuntimeError: round 1"
    assert "RuntimeError: round 1" in vars(caplog.records[0])["stack"]
    assert (supervisor.health()["work"].failures, supervisor.health()["work"].last_error) == (
        1,
        "RuntimeError: round 1",
    )
    loop.nudge()
    await until(lambda: work.rounds == 2 and loop.error is None)
    health = supervisor.health()["work"]
    assert (health.failures, health.restarts, health.last_error) == (0, 1, "RuntimeError: round 1")


async def test_a_failing_loop_leaves_the_others_alone(supervisor: Supervisor) -> None:
    bad, good = Work(failures=10**6), Work()
    supervisor.add("bad", bad)
    supervisor.add("good", good)
    supervisor.start()
    await until(lambda: good.rounds > 10)
    assert bad.rounds == 1, "it waits a second before it tries again"


async def test_a_nudged_loop_does_not_wait(supervisor: Supervisor) -> None:
    work = Work(wait=60)
    loop = supervisor.add("work", work)
    supervisor.start()
    for rounds in (1, 2, 3):
        await until(lambda rounds=rounds: work.rounds == rounds)  # type: ignore[misc]
        loop.nudge()


async def test_stopping_ends_a_loop_in_the_middle_of_its_round(supervisor: Supervisor) -> None:
    began = asyncio.Event()

    async def hangs() -> float:
        began.set()
        await asyncio.Event().wait()
        return 0

    supervisor.add("hangs", hangs)
    supervisor.start()
    await began.wait()
    await asyncio.wait_for(supervisor.stop(), 1)


async def test_a_loop_that_takes_a_cancellation_for_something_else_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chimney.web.loops.CANCEL_SECONDS", 0.01)
    swallowed = 0

    async def stubborn() -> float:
        nonlocal swallowed
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed += 1
            if swallowed > 1:
                raise
        return 60.0

    supervisor = Supervisor()
    supervisor.add("stubborn", stubborn)
    supervisor.start()
    await asyncio.sleep(0)
    await supervisor.stop()
    assert swallowed == 1


async def test_loops_that_fail_and_loops_that_ended_are_named_since_when() -> None:
    supervisor = Supervisor()

    async def fails() -> float:
        raise ValueError("no")

    async def ends() -> float:
        raise asyncio.CancelledError

    async def works() -> float:
        return 60.0

    for name, verb in (("fails", fails), ("ends", ends), ("works", works)):
        supervisor.add(name, verb)
    supervisor.start()
    await until(lambda: set(supervisor.failing()) == {"fails", "ends"})
    error, since = supervisor.failing()["fails"]
    assert "no" in error
    assert since <= time.time()
    await supervisor.stop()
