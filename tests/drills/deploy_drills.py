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
    stack.settle()


@contextmanager
def stuck(stack: DrillStack) -> Iterator[None]:
    revision = stack.do("push")["commit"]["sha"]
    stack.report("started", "green", revision)
    stack.pass_time(STUCK_SECONDS)
    yield
    stack.report("failed", "green", revision)
    stack.settle()


@contextmanager
def other_revision(stack: DrillStack) -> Iterator[None]:
    """It was reported as deployed, and blue runs what it ran before: half of the files were copied."""
    stack.report("succeeded", "blue", stack.do("push")["commit"]["sha"])
    yield
    stack.settle()


DRILLS = [
    Drill(name="deployment fails", finding="deploy_failed", fault=failing, quick=True),
    Drill(name="deployment stuck", finding="deploy_stuck", fault=stuck, beside=JUMPED),
    Drill(name="slot runs another revision", finding="slot_mismatch", fault=other_revision, critical=True),
]
