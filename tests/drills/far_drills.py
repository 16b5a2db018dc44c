"""Faults of the shared cache."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.drills.drill import Drill
from tests.drills.stack import DrillStack


@contextmanager
def killed(stack: DrillStack) -> Iterator[None]:
    stack.dragonfly.kill()
    yield
    stack.dragonfly.start()


@contextmanager
def paused(stack: DrillStack) -> Iterator[None]:
    stack.dragonfly.send(signal.SIGSTOP)
    yield
    stack.dragonfly.send(signal.SIGCONT)


@contextmanager
def full(stack: DrillStack) -> Iterator[None]:
    stack.dragonfly.says("CONFIG", "SET", "maxmemory", "1")
    yield
    stack.dragonfly.says("CONFIG", "SET", "maxmemory", "0")


DRILLS = [
    Drill(name="Dragonfly killed", finding="dragonfly_unreachable", fault=killed),
    Drill(name="Dragonfly paused", finding="dragonfly_unreachable", fault=paused),
    Drill(name="Dragonfly full", finding="dragonfly_full", fault=full),
]
