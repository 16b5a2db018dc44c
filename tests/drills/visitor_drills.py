"""What visitors meet: errors, slowness, a deployment that brings them. Last of all: deployments are judged by it."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.drills.drill import JUMPED, Drill
from tests.drills.parts import asking_anew
from tests.drills.stack import DrillStack
from tests.e2e.processes import eventually, fetch
from tests.fakes.caddy import GLOBAL, SITE

VERDICT_SECONDS = 330
BAD_ANSWERS = 30
OF_ISSUES = "/repos/acme/rocket/issues/"


@contextmanager
def erroring(stack: DrillStack) -> Iterator[None]:
    """Some of what visitors ask is answered with an error, at the edge."""
    stack.caddy.write(GLOBAL + SITE.replace("reverse_proxy", "respond /api/github/issues/* 500\n\treverse_proxy"))
    assert not stack.caddy.reload().returncode
    with asking_anew(stack.caddy.url):
        yield
    stack.point_to(stack.addresses["blue"])


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
    stack.break_github(status=500, path=OF_ISSUES)
    with asking_anew(stack.caddy.url):
        eventually(lambda: _errors(stack) > BAD_ANSWERS, within=60)
        stack.pass_time(VERDICT_SECONDS)
        yield
    stack.mend_github()
    stack.settle()


def _errors(stack: DrillStack) -> int:
    return int(fetch(f"{stack.blue.url}/healthz")["errors"]["last_1m"]["errors"])


MET = frozenset(("error_rate_high", "latency_regressed", "github_erroring", "cache_cold"))
DRILLS = [
    Drill(name="error rate jumps", finding="error_rate_high", fault=erroring, critical=True),
    Drill(name="latency jumps", finding="latency_regressed", fault=slow, beside=frozenset(("cache_cold",))),
    Drill(name="deployment harmful", finding="deploy_harmful", fault=harmful, critical=True, beside=JUMPED | MET),
]
