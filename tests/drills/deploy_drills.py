"""Deployments that go wrong, and what visitors meet after them."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.drills.drill import JUMPED, Drill
from tests.drills.parts import asking_anew
from tests.drills.stack import DrillStack
from tests.e2e.processes import eventually, fetch

STUCK_SECONDS = 1860
VERDICT_SECONDS = 330
BAD_ANSWERS = 30
OF_ISSUES = "/repos/acme/rocket/issues/"


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


@contextmanager
def erroring(stack: DrillStack) -> Iterator[None]:
    """Some of what visitors ask cannot be answered."""
    stack.break_github(status=500, path=OF_ISSUES)
    with asking_anew(stack.caddy.url):
        yield
    stack.mend_github()


@contextmanager
def slow(stack: DrillStack) -> Iterator[None]:
    stack.break_github(delay_seconds=1.5, path=OF_ISSUES)
    with asking_anew(stack.caddy.url, visitors=8):
        yield
    stack.mend_github()


@contextmanager
def harmful(stack: DrillStack) -> Iterator[None]:
    """After it visitors meet errors; when it is looked at, some minutes later, that is told."""
    stack.report("succeeded", "blue")
    with erroring(stack):
        eventually(lambda: _errors(stack) > BAD_ANSWERS, within=60)
        stack.pass_time(VERDICT_SECONDS)
        yield
    stack.settle()


def _errors(stack: DrillStack) -> int:
    return int(fetch(f"{stack.blue.url}/healthz")["errors"]["last_1m"]["errors"])


MET = frozenset(("error_rate_high", "latency_regressed"))
DRILLS = [
    Drill(name="deployment fails", finding="deploy_failed", fault=failing, quick=True),
    Drill(name="deployment stuck", finding="deploy_stuck", fault=stuck, beside=JUMPED),
    Drill(
        name="slot runs another revision", finding="slot_mismatch", fault=other_revision, critical=True
    ),
    Drill(
        name="deployment harmful", finding="deploy_harmful", fault=harmful, critical=True,
        beside=JUMPED | MET | {"github_erroring"},
    ),
    Drill(
        name="error rate jumps", finding="error_rate_high", fault=erroring, critical=True,
        beside=frozenset(("github_erroring", "latency_regressed")),
    ),
    Drill(
        name="latency jumps", finding="latency_regressed", fault=slow,
        beside=frozenset(("cache_cold",)),
    ),
]  # fmt: skip
