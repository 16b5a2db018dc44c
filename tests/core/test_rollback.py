"""Ways back, and what brings back what was rolled back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chimney.core.deploy_report import parse_report
from chimney.core.deployment import fold, slots_as_reported
from chimney.core.rollback import Means, contained, live_deployment, live_revision, questions, way_back
from chimney.wire.deployment import Deployment, SlotState, Way

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
A, B, C, D = ("a" * 40, "b" * 40, "c" * 40, "d" * 40)


def deployments(*told: tuple[str, str, dict[str, Any]]) -> list[Deployment]:
    """(phase, revision, more) one minute after the other; the ids count from 0."""
    return fold(
        [
            parse_report(
                {"phase": phase, "revision": revision, "at": NOW + timedelta(minutes=number), "id": str(number)} | more,
                now=NOW + timedelta(hours=1), environment="production", new_id="",
            )
            for number, (phase, revision, more) in enumerate(told)
        ],
        None,
    )  # fmt: skip


BLUE, GREEN = {"slot": "blue"}, {"slot": "green"}
TWO = deployments(("succeeded", A, BLUE), ("succeeded", B, GREEN))


def slot(revision: str | None, *, healthy: bool | None = True, problem: str | None = None) -> SlotState:
    return SlotState(revision=revision, healthy=healthy, since=None, problem=problem)


def means(**said: Any) -> Means:
    usual: dict[str, Any] = {
        "active_slot": "green",
        "slots": {"blue": slot(A), "green": slot(B)},
        "can_switch": True,
        "workflow": None,
        "can_dispatch": True,
    }
    return Means(**{**usual, **said})


def test_the_slot_that_still_runs_it_is_the_way_back() -> None:
    way = way_back(TWO[0], live=B, means=means())
    assert (way.possible, way.how, way.slot, way.why) == (True, Way.SWITCH, "blue", None)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"slots": {"blue": slot(C), "green": slot(B)}}, "no slot runs it any more, and no workflow is known"),
        ({"slots": {}}, "no slot runs it any more"),
        (
            {"slots": {"blue": slot(A, healthy=False, problem="not ready: connect: refused"), "green": slot(B)}},
            "slot blue has it, but not ready: connect: refused",
        ),
        ({"slots": slots_as_reported(TWO)}, "slot blue has it, but nobody has asked it"),
        ({"can_switch": False}, "slot blue still runs it, but no edge is known"),
        ({"slots": {}, "workflow": "deploy.yml", "can_dispatch": False}, "there is no GitHub token"),
        ({"active_slot": "blue"}, "no slot runs it any more"),
    ],
)
def test_without_a_way_back_it_says_why(said: dict[str, Any], why: str) -> None:
    way = way_back(TWO[0], live=B, means=means(**said))
    assert not way.possible
    assert why in (way.why or "")


def test_a_workflow_is_the_way_back_when_no_slot_has_it() -> None:
    way = way_back(TWO[0], live=B, means=means(slots={}, workflow="deploy.yml"))
    assert (way.possible, way.how) == (True, Way.WORKFLOW)


def test_where_one_cannot_go_back_to_whatever_the_means() -> None:
    told = deployments(
        ("failed", A, BLUE), ("succeeded", B, GREEN), ("rolled_back", B, {**GREEN, "actor": "ada", "reason": "slow"}),
        ("started", C, BLUE), ("succeeded", D, BLUE),
    )  # fmt: skip
    ways = [way_back(one, live=D, means=means(workflow="deploy.yml")) for one in told]
    assert [way.why for way in ways] == [
        "it did not succeed", "it was rolled back itself by ada: slow", "it has not ended", "it is what runs now",
    ]  # fmt: skip


def test_what_runs_now_is_what_the_active_slot_answers() -> None:
    assert live_revision(TWO, means()) == B
    assert live_revision(TWO, means(active_slot="blue")) == A
    assert live_revision(TWO, means(active_slot=None)) == B
    assert live_revision([], means(active_slot=None)) is None
    assert live_deployment(TWO, means(active_slot="blue")) is TWO[0]
    assert live_deployment(TWO, means(slots={"green": slot(D)})) is None


def test_what_brings_back_a_rolled_back_revision_is_told_until_somebody_decided() -> None:
    told = deployments(
        ("succeeded", A, {}), ("succeeded", B, {}), ("rolled_back", B, {"actor": "ada", "reason": "slow"}),
        ("failed", C, {}), ("succeeded", D, {}), ("succeeded", C, {}),
    )  # fmt: skip
    found = contained(told, lambda _bad, head: head in (C, D))
    assert list(found) == ["3", "4"]
    assert (found["3"].revision, found["3"].by, found["3"].reason, found["3"].deployment) == (B, "ada", "slow", "1")
    assert questions(told) == [(B, C), (B, D)]


def test_the_same_revision_again_needs_no_question() -> None:
    told = deployments(("succeeded", B, {}), ("rolled_back", B, {}), ("started", B, {}))
    assert list(contained(told, lambda bad, head: bad == head)) == ["2"]
    assert questions(told) == []


def test_what_is_not_known_or_older_or_elsewhere_is_not_told() -> None:
    told = deployments(
        ("succeeded", A, {}), ("succeeded", B, {}), ("rolled_back", B, {}),
        ("succeeded", C, {"environment": "staging"}), ("succeeded", D, {}),
    )  # fmt: skip
    assert contained(told, lambda _bad, _head: None) == {}
    assert questions(told) == [(B, D)]
