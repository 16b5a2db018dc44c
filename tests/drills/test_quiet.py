"""Nothing is wrong, and nothing is said to be: the demonstration's traffic and deployments, for QUIET_SECONDS.

`make quiet` runs it; half an hour, unless told otherwise. The repository lives faster than life, so more happens.
"""

import os
import time
from collections.abc import Iterator

import pytest
from tests.drills.stack import DrillStack
from tests.e2e.processes import eventually

SECONDS = float(os.environ.get("QUIET_SECONDS") or 1800)
SPEED = 2.0
DEPLOYS_SECONDS = 120.0
TRUE = frozenset(("pipeline_red",))  # runs do fail in a repository that lives


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DrillStack]:
    running = DrillStack(tmp_path_factory.mktemp("quiet"), speed=SPEED, tolerated=TRUE)
    yield running
    running.close()


class Quiet:
    """Deploys now and then, to the idle slot and over to it; notes everything that is said."""

    def __init__(self, stack: DrillStack) -> None:
        self._stack = stack
        self._deployed = time.monotonic()
        self.deployments = 0
        self.said: dict[str, str] = {}

    def look(self) -> None:
        for one in self._stack.findings():
            if one["code"] not in TRUE:
                self.said[one["id"]] = f"{one['since']} {one['title']}: {one['detail']} {one['evidence']}"
        if time.monotonic() - self._deployed > DEPLOYS_SECONDS:
            self._deployed = time.monotonic()
            self._deploy()

    def _deploy(self) -> None:
        """As CI does it: report, start the slot anew, switch, report."""
        self.deployments += 1
        slot = "green" if self.deployments % 2 else "blue"
        running = self._stack.green if slot == "green" else self._stack.blue
        reporter = self._stack.blue if slot == "green" else self._stack.green
        self._stack.report("started", slot, by=reporter)
        running.terminate()
        running.again()
        assert running.url
        self._stack.switch(slot, by=reporter)
        self._stack.report("succeeded", slot, by=reporter)


@pytest.mark.timeout(SECONDS + 600)
def test_while_nothing_is_wrong_nothing_is_said_to_be(living: DrillStack) -> None:
    living.calm()
    quiet, until = Quiet(living), time.monotonic() + SECONDS

    def over() -> bool:
        quiet.look()
        return time.monotonic() > until

    eventually(over, within=SECONDS + 300, every=0.5)
    assert quiet.said == {}, f"after {quiet.deployments} deployments"
