"""Deployments that go wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.drills.drill import JUMPED, Drill
from tests.drills.stack import DrillStack

STUCK_SECONDS = 1860


@contextmanager
def failing(stack: DrillStack) -> Iterator[None]:
    revision = stack.do("push")["commit"]["sha"]
    stack.report("started", "green", revision)
    stack.report("failed", "green", revision, message="3 of 7 files were copied")
    yield
    stack.report("succeeded", "green")


@contextmanager
def stuck(stack: DrillStack) -> Iterator[None]:
    revision = stack.do("push")["commit"]["sha"]
    stack.report("started", "green", revision)
    stack.clock.move(STUCK_SECONDS)
    yield
    stack.report("failed", "green", revision)
    stack.report("succeeded", "green")


DRILLS = [
    Drill(name="deployment fails", finding="deploy_failed", fault=failing, origin="blue", quick=True),
    Drill(name="deployment stuck", finding="deploy_stuck", fault=stuck, origin="blue", beside=JUMPED),
]
