"""Faults of Caddy, and of where it points."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.drills.drill import Drill
from tests.drills.stack import DrillStack
from tests.fakes.caddy import GLOBAL, SITE

NOWHERE = "127.0.0.1:9"


@contextmanager
def stopped(stack: DrillStack) -> Iterator[None]:
    stack.caddy.stop()
    yield
    stack.caddy.start()


@contextmanager
def at_the_idle_slot(stack: DrillStack) -> Iterator[None]:
    stack.point_to(stack.addresses["green"])
    yield
    stack.point_to(stack.addresses["blue"])


@contextmanager
def at_nothing(stack: DrillStack) -> Iterator[None]:
    stack.point_to(NOWHERE)
    yield
    stack.point_to(stack.addresses["blue"])


@contextmanager
def misplaced_block(stack: DrillStack) -> Iterator[None]:
    stack.caddy.write(SITE + GLOBAL)
    assert stack.caddy.reload().returncode == 1
    yield
    stack.point_to(stack.addresses["blue"])


DRILLS = [
    Drill(name="Caddy stopped", finding="edge_unreachable", fault=stopped, critical=True),
    Drill(
        name="Caddy points at the idle slot", finding="edge_wrong_upstream", fault=at_the_idle_slot,
        evidence="green", critical=True,
    ),
    Drill(
        name="Caddy points nowhere", finding="edge_no_healthy_upstream", fault=at_nothing,
        evidence=NOWHERE, critical=True,
    ),
    Drill(
        name="Caddy refuses a misplaced global block", finding="edge_reload_refused", fault=misplaced_block,
        evidence="must be first",
    ),
]  # fmt: skip
