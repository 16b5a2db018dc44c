"""A drill: a fault, the finding that names it, and what may be seen beside it. How it is run and what came of it."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import msgspec
from tests.drills.stack import DrillStack
from tests.e2e.processes import eventually

WITHIN_SECONDS = 60.0
RESOLVED_SECONDS = 180.0  # an origin whose token was refused asks GitHub again after a minute
EVERY_SECONDS = 0.25
# when the clock jumps, the last answer of GitHub is as old as that, and deployments are judged by the faults before
JUMPED = frozenset(("github_unreachable", "deploy_harmful"))
Fault = Callable[[DrillStack], AbstractContextManager[None]]


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """`evidence` is in the words of the finding; `beside` are codes that are true too. For `held` seconds it is looked
    on, for wrong findings. What is news for a while goes away when the clock is moved on by `passes` seconds.

    `quick`: also in `make test`.
    """

    name: str
    finding: str
    fault: Fault
    origin: str | None = None
    evidence: str = ""
    critical: bool = False
    beside: frozenset[str] = frozenset()
    held: float = 5.0
    passes: int = 0
    quick: bool = False

    def is_right(self, finding: dict[str, Any]) -> bool:
        said = " ".join(f"{one['what']} {one['value']}" for one in finding["evidence"])
        return (
            finding["code"] == self.finding
            and self.origin in {None, finding["origin"]}
            and self.evidence.lower() in f"{finding['title']} {finding['detail']} {said}".lower()
        )

    def is_wrong(self, finding: dict[str, Any]) -> bool:
        true = {self.finding, *self.beside, *(JUMPED if self.passes else ())}
        return finding["code"] not in true


class Outcome(msgspec.Struct, kw_only=True):
    drill: str
    finding: str
    detected: float | None = None
    resolved: float | None = None
    wrong: set[str] = set()
    status: int | None = None

    @property
    def well(self) -> bool:
        return self.detected is not None and self.resolved is not None and not self.wrong


class Watching:
    """Asks for the findings all the time; what is wrong is noted in `outcome`."""

    def __init__(self, drill: Drill, stack: DrillStack, outcome: Outcome) -> None:
        self._drill = drill
        self._stack = stack
        self._outcome = outcome

    def _current(self) -> bool:
        found = self._stack.findings()
        self._outcome.wrong |= {
            f"{one['code']}:{one['origin'] or 'table'}"
            for one in found
            if self._drill.is_wrong(one) and one["code"] not in self._stack.tolerated
        }
        return any(self._drill.is_right(one) for one in found)

    def seconds_until(self, current: bool, *, within: float) -> float | None:
        """None when it does not become so in time."""
        began = time.monotonic()
        try:
            eventually(lambda: self._current() is current, within=within, every=EVERY_SECONDS)
        except AssertionError:
            return None
        return time.monotonic() - began

    def on(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        eventually(
            lambda: not self._current() or time.monotonic() > until,
            within=seconds + WITHIN_SECONDS,
            every=EVERY_SECONDS,
        )


def run(drill: Drill, stack: DrillStack) -> Outcome:
    """Leaves the stack calm; AssertionError when it does not become so."""
    stack.calm()
    outcome = Outcome(drill=drill.name, finding=drill.finding)
    watching = Watching(drill, stack, outcome)
    with drill.fault(stack):
        outcome.detected = watching.seconds_until(True, within=WITHIN_SECONDS)
        outcome.status = stack.status()
        watching.on(drill.held)
    if drill.passes:
        stack.pass_time(drill.passes)
    outcome.resolved = watching.seconds_until(False, within=RESOLVED_SECONDS)
    stack.calm()
    return outcome
