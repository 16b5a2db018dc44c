"""What a receiver is still to be told: the difference between what is so and what it was told."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.core.origins import NOW, ago

from chimney.core.notify import (
    MOST_OWED,
    Cause,
    Digest,
    Event,
    Memory,
    Wanted,
    after,
    cause_of,
    digest,
    undelivered,
)
from chimney.wire.finding import Evidence, Finding, Severity

ALL = Wanted(severities=frozenset(Severity), origins=frozenset(), events=frozenset(Event))
KNOWN = Memory(since=ago(hours=1))


def cause(name: str = "a", **more: Any) -> Cause:
    usual: dict[str, Any] = {
        "id": name,
        "event": Event.FINDINGS,
        "severity": Severity.WARNING,
        "origin": "hel1",
        "since": ago(minutes=5),
        "title": f"{name} is wrong",
        "detail": "",
        "state": "warning",
    }
    return Cause(**{**usual, **more})


def due(memory: Memory, *causes: Cause, **more: Any) -> Digest:
    usual: dict[str, Any] = {"wanted": ALL, "silent": frozenset(), "resolving": True}
    return digest(memory, causes, **{**usual, **more})


def told(*causes: Cause, memory: Memory = KNOWN) -> Memory:
    return after(memory, due(memory, *causes), now=NOW)


def ids(of: Any) -> list[str]:
    return [one.id for one in of]


def test_a_cause_is_told_once_and_once_when_it_is_gone() -> None:
    first = due(KNOWN, cause("a"))
    assert (ids(first.new), first.count) == (["a"], 1)
    known = after(KNOWN, first, now=NOW)
    assert due(known, cause("a")).count == 0
    gone = due(known)
    assert [one.title for one in gone.resolved] == ["a is wrong"]
    assert due(after(known, gone, now=NOW)).count == 0


def test_what_flapped_between_two_messages_is_not_told() -> None:
    known = told(cause("a"))
    assert due(known, cause("a", since=NOW)).count == 0  # gone and back
    assert due(KNOWN).count == 0  # come and gone


def test_a_change_of_severity_is_told() -> None:
    known = told(cause("a"))
    worse = cause("a", severity=Severity.CRITICAL, state="critical")
    assert ids(due(known, worse).changed) == ["a"]
    assert due(told(worse, memory=known), worse).count == 0


def test_just_after_a_start_nothing_counts_as_gone() -> None:
    known = told(cause("a"))
    assert due(known, resolving=False).count == 0
    assert due(known).count == 1


def test_what_is_silenced_is_not_told_and_what_goes_away_silenced_is_not_either() -> None:
    known = told(cause("a"))
    quiet = due(known, silent=frozenset("a"))
    assert (quiet.count, quiet.gone) == (0, ("a",))
    later = after(known, quiet, now=NOW)
    assert due(later).count == 0
    assert ids(due(later, cause("a")).new) == ["a"]  # the silence ended, and it is still so


@pytest.mark.parametrize(
    ("wanted", "takes"),
    [
        ({}, True),
        ({"severities": frozenset((Severity.CRITICAL,))}, False),
        ({"origins": frozenset(("hel1",))}, True),
        ({"origins": frozenset(("fsn1",))}, False),
        ({"events": frozenset((Event.DEPLOYMENTS,))}, False),
        ({"events": frozenset((Event.FINDINGS,))}, True),
    ],
)
def test_a_receiver_is_told_what_it_wants(wanted: dict[str, Any], takes: bool) -> None:
    narrowed = msgspec.structs.replace(ALL, **wanted)
    assert bool(due(KNOWN, cause("a"), wanted=narrowed).count) is takes


def test_what_is_hidden_by_its_cause_is_not_told_as_over() -> None:
    known = told(cause("slow"))
    assert due(known, cause("down"), hidden=frozenset(("slow",))).resolved == ()
    assert [one.title for one in due(known).resolved] == ["slow is wrong"]


def test_what_was_told_and_is_less_grave_than_wanted_is_told_as_that_and_not_as_over() -> None:
    grave = msgspec.structs.replace(ALL, severities=frozenset((Severity.CRITICAL,)))
    known = told(cause("a", severity=Severity.CRITICAL, state="critical"))
    eased = due(known, cause("a"), wanted=grave)
    assert (ids(eased.changed), eased.resolved) == (["a"], ())


def test_a_harmful_deployment_is_told_by_its_verdict_or_else_by_its_finding() -> None:
    finding = cause("deploy_harmful:hel1", code="deploy_harmful")
    assert due(KNOWN, finding).count == 0
    assert due(KNOWN, finding, wanted=msgspec.structs.replace(ALL, events=frozenset((Event.FINDINGS,)))).count == 1


def test_a_verdict_is_told_when_it_is_new_and_again_when_it_is_another_and_is_never_resolved() -> None:
    verdict = cause("v", event=Event.DEPLOYMENTS, state="harmful", lasts=False, since=NOW)
    old = cause("w", event=Event.DEPLOYMENTS, state="harmless", lasts=False, since=ago(hours=2))
    assert ids(due(KNOWN, verdict, old).new) == ["v"]  # the other was before the receiver was known
    known = told(verdict)
    assert ids(due(known, msgspec.structs.replace(verdict, state="harmless")).changed) == ["v"]
    assert (due(known).count, due(known).gone) == (0, ("v",))


def test_what_could_not_be_told_and_is_over_is_told_all_the_same() -> None:
    first = due(KNOWN, cause("a"), cause("b"))
    owed = undelivered(KNOWN, first)
    assert ids(due(owed, cause("a"), cause("b")).new) == ["a", "b"]
    again = due(owed, cause("b"))
    assert (ids(again.new), ids(again.missed)) == (["b"], ["a"])
    assert due(after(owed, again, now=NOW), cause("b")).count == 0


def test_what_is_owed_is_bounded_and_the_rest_is_counted() -> None:
    many = [cause(f"c{number}") for number in range(MOST_OWED + 7)]
    owed = undelivered(KNOWN, due(KNOWN, *many))
    assert (len(owed.owed), owed.dropped) == (MOST_OWED, 7)


def test_a_finding_is_a_cause_and_a_red_branch_is_an_event_of_its_own() -> None:
    finding = Finding(
        id="x:1",
        code="pipeline_red",
        severity=Severity.WARNING,
        component="pipeline",
        origin="hel1",
        since=NOW - timedelta(minutes=1),
        title="main of o/r is red",
        detail="",
        evidence=[Evidence(what="CI", value="run 7")],
        remedy="fix",
    )
    found = cause_of(finding)
    assert (found.id, found.event, found.evidence, found.code) == ("x:1", Event.MAIN, ("CI: run 7",), "pipeline_red")
    assert cause_of(msgspec.structs.replace(finding, code="panic")).event is Event.FINDINGS
