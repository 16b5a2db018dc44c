"""Faults of an origin itself, and of what stands between it and the table."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.drills.drill import Drill
from tests.drills.stack import DrillStack
from tests.fakes.health import certificate


@contextmanager
def killed(stack: DrillStack) -> Iterator[None]:
    stack.green.kill()
    yield
    stack.green.again()


@contextmanager
def stopped(stack: DrillStack) -> Iterator[None]:
    stack.green.process.send_signal(signal.SIGSTOP)
    yield
    stack.green.process.send_signal(signal.SIGCONT)


@contextmanager
def erroring(stack: DrillStack) -> Iterator[None]:
    stack.front.says("500 Internal Server Error")
    yield
    stack.front.well()


@contextmanager
def redirecting(stack: DrillStack) -> Iterator[None]:
    stack.front.says("308 Permanent Redirect", location="https://elsewhere.test/healthz")
    yield
    stack.front.well()


@contextmanager
def wrong_name(stack: DrillStack) -> Iterator[None]:
    folder = stack.folder / "other-tls"
    folder.mkdir(exist_ok=True)
    tls, _ = certificate(folder, "other.test")
    stack.front.certified(tls)
    yield
    stack.front.well()


@contextmanager
def not_resolving(stack: DrillStack) -> Iterator[None]:
    """The record goes away, and so does what was connected."""
    stack.hosts.forget("far.test")
    stack.front.well()
    yield
    stack.hosts.remember()


DRILLS = [
    Drill(
        name="origin killed", finding="origin_unreachable", fault=killed, origin="green", evidence="connect",
        critical=True, held=20,
    ),
    Drill(
        name="origin hanging", finding="origin_unreachable", fault=stopped, origin="green", evidence="timeout",
        critical=True,
    ),
    Drill(
        name="origin answers 500", finding="origin_erroring", fault=erroring, origin="far", evidence="500",
        critical=True,
    ),
    Drill(
        name="origin answers 308", finding="origin_redirects", fault=redirecting, origin="far", evidence="308",
        critical=True, quick=True,
    ),
    Drill(
        name="origin under a wrong TLS name", finding="origin_unreachable", fault=wrong_name, origin="far",
        evidence="TLS", critical=True,
    ),
    Drill(
        name="origin's name does not resolve", finding="origin_unreachable", fault=not_resolving, origin="far",
        evidence="DNS", critical=True, quick=True,
    ),
]  # fmt: skip
