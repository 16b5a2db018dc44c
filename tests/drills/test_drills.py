"""What is broken is named, within a minute, and nothing else is; `make drills` runs all of it."""

from tests.drills.conftest import OUTCOMES
from tests.drills.drill import Drill, run
from tests.drills.stack import DrillStack


def test_a_fault_is_named_and_nothing_else_is(drill: Drill, stack: DrillStack) -> None:
    outcome = run(drill, stack)
    OUTCOMES.append(outcome)
    assert outcome.detected is not None, "it was not named in time"
    assert outcome.resolved is not None, "it was named after it had ended"
    assert outcome.wrong == set()
    assert outcome.status == (1 if drill.critical else 0), "how chimney status ended"
