"""Faults of GitHub, and of the way there."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from tests.drills.drill import Drill
from tests.drills.stack import DrillStack

SILENT_SECONDS = 660


def answering(**fault: Any) -> Callable[[DrillStack], AbstractContextManager[None]]:
    @contextmanager
    def answers(stack: DrillStack) -> Iterator[None]:
        stack.break_github(**fault)
        yield
        stack.mend_github()

    return answers


@contextmanager
def unreachable(stack: DrillStack) -> Iterator[None]:
    """For eleven minutes, which pass at once."""
    stack.github.process.send_signal(signal.SIGSTOP)
    stack.clock.move(SILENT_SECONDS)
    yield
    stack.github.process.send_signal(signal.SIGCONT)


DRILLS = [
    Drill(
        name="GitHub answers 401", finding="github_unauthorized", fault=answering(unauthorized=True), critical=True,
    ),
    Drill(
        name="GitHub's secondary limit", finding="github_rate_limited",
        fault=answering(rate_limited="secondary", retry_after_seconds=20),
    ),
    Drill(
        name="GitHub unreachable for 10 min", finding="github_unreachable", fault=unreachable, critical=True
    ),
]  # fmt: skip
