"""Findings about the edge and its slots."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.core.edges import check, dead, edge, elsewhere, switched
from tests.core.origins import NOW, REVISION, ago, deployment, deploys, facts, failure, health, origin

from chimney.core.facts import Fault
from chimney.core.findings import evaluate
from chimney.wire.act import Act
from chimney.wire.deployment import DeployStatus, Phase, SlotState
from chimney.wire.edge import Edge, Pointing, ReloadFailure, Reloads, Trouble
from chimney.wire.finding import Finding
from chimney.wire.health import ErrorWindow

OTHER = "b" * 40


def found(seen: Edge, **more: Any) -> dict[str, Finding]:
    return {one.code: one for one in evaluate(facts(origin(edge=seen, **more)), now=NOW)}


def told(slot: str, *, runs: str | None, seen: float = 5, **more: Any) -> DeployStatus:
    """Both slots have REVISION deployed; in `slot` something else may run."""
    states = {
        one: SlotState(
            revision=REVISION if one != slot else runs,
            healthy=True,
            since=ago(hours=1),
            deployed=REVISION,
            observed_at=ago(seconds=seen),
        )
        for one in ("blue", "green")
    }
    return msgspec.structs.replace(deploys(deployment(**more)), slots=states)


def lost(trouble: Trouble) -> Edge:
    return edge(reachable=False, trouble=trouble, detail="why", pointing=Pointing.UNKNOWN, active_slot=None)


REFUSED = ReloadFailure(at=ago(minutes=2), source="file", message="Caddyfile:9: global options block must be first")
WRONG = check("blue", ready=False, fault="it was started without its configuration: it names no repository")


@pytest.mark.parametrize(
    ("seen", "code", "severity", "to"),
    [
        (lost(Trouble.REFUSED), "edge_unreachable", "critical", None),
        (lost(Trouble.TIMEOUT), "edge_unreachable", "critical", None),
        (edge(checks=[dead("blue"), check("green")]), "edge_no_healthy_upstream", "critical", "green"),
        (edge(checks=[dead("blue"), dead("green")]), "edge_no_healthy_upstream", "critical", None),
        (elsewhere(False, False), "edge_no_healthy_upstream", "critical", None),
        (elsewhere(), "edge_no_healthy_upstream", "critical", None),
        (elsewhere(True, False), "edge_wrong_upstream", "critical", None),
        (edge(pointing=Pointing.SPLIT, active_slot=None), "edge_wrong_upstream", "critical", "blue"),
        (edge(pointing=Pointing.BOTH, active_slot=None), "edge_wrong_upstream", "critical", "blue"),
        (edge(pointing=Pointing.NO_PROXY, active_slot=None), "edge_wrong_upstream", "critical", None),
        (edge(active_slot="green"), "edge_wrong_upstream", "critical", "blue"),
        (edge(last_switch=switched("green", minutes=2)), "edge_wrong_upstream", "critical", "green"),
        (edge(reloads=Reloads(watched=["x"], failures=1, last=REFUSED)), "edge_reload_refused", "warning", None),
        (edge(checks=[WRONG, check("green")]), "slot_mismatch", "critical", "green"),
    ],
)
def test_what_is_wrong_with_the_edge_is_named_with_the_act_that_mends_it(
    seen: Edge, code: str, severity: str, to: str | None
) -> None:
    findings = found(seen)
    assert list(findings) == [code]
    finding = findings[code]
    assert (finding.severity, finding.component, finding.origin) == (severity, "edge", "hel1")
    assert finding.evidence
    assert finding.detail.endswith(".")
    assert (finding.act.act, finding.act.slot) == (Act.SWITCH, to) if to and finding.act else finding.act is None


@pytest.mark.parametrize(
    ("seen", "more"),
    [
        (edge(), {}),
        (lost(Trouble.NOT_CONFIGURED), {}),
        (lost(Trouble.UNKNOWN), {}),
        (edge(pointing=Pointing.NO_SLOTS, active_slot=None, slots={}, checks=[]), {}),
        (edge(checks=[check("blue"), dead("green")]), {}),  # the idle slot may be stopped
        (edge(active_slot="green"), {"deploy": deploys()}),  # nobody said where visitors should be
        (edge(active_slot="green"), {"deploy": deploys(deployment(slot=None))}),
        (edge(active_slot="green", last_switch=switched("green", minutes=5)), {}),  # somebody wants it so
        (edge(active_slot="green"), {"deploy": deploys(deployment(ended_at=ago(seconds=29)))}),  # it may still follow
        (edge(active_slot="green"), {"deploy": deploys(deployment(phase=Phase.STARTED, ended_at=None))}),
        (edge(active_slot="green", checked_at=ago(seconds=61)), {}),  # nobody knows how it is now
        (edge(), {"deploy": told("blue", runs=REVISION[:7])}),
        (edge(), {"deploy": told("green", runs=None)}),
        (edge(), {"deploy": told("blue", runs=OTHER, seen=61)}),
        (edge(), {"deploy": told("blue", runs=OTHER, phase=Phase.STARTED, ended_at=None)}),
        (edge(), {"deploy": told("blue", runs=OTHER, ended_at=ago(seconds=20))}),
        (edge(checks=[dead("blue")]), {"failure": failure(Fault.CONNECT, count=1)}),
    ],
)
def test_what_is_not_wrong_with_the_edge_is_not_said_to_be(seen: Edge, more: dict[str, Any]) -> None:
    assert found(seen, **more) == {}


@pytest.mark.parametrize(("slot", "severity"), [("blue", "critical"), ("green", "warning")])
def test_a_slot_that_runs_something_else_than_was_deployed_is_worse_where_visitors_are(
    slot: str, severity: str
) -> None:
    findings = found(edge(), deploy=told(slot, runs=OTHER))
    assert [(code, one.severity) for code, one in findings.items()] == [("slot_mismatch", severity)]
    assert OTHER[:12] in findings["slot_mismatch"].detail


def test_a_slot_whose_deployment_failed_is_told_as_that() -> None:
    assert list(found(edge(), deploy=told("blue", runs=OTHER, phase=Phase.FAILED))) == ["deploy_failed"]


def pair(blue: dict[str, Any], green: dict[str, Any], *, now: float = 0) -> list[tuple[str, str | None]]:
    slots = (
        origin(name=f"hel1-{slot}", health=health(slot=slot), **more)
        for slot, more in (("blue", blue), ("green", green))
    )
    return [(one.code, one.origin) for one in evaluate(facts(*slots), now=NOW + timedelta(seconds=now))]


def test_an_edge_that_two_slots_watch_is_one_finding() -> None:
    seen = lost(Trouble.REFUSED)
    assert pair({"edge": seen}, {"edge": seen}) == [("edge_unreachable", "hel1-blue")]
    named = [one.id for one in evaluate(facts(origin(name="a", edge=seen), origin(name="b", edge=seen)), now=NOW)]
    alone = [one.id for one in evaluate(facts(origin(name="a"), origin(name="b", edge=seen)), now=NOW)]
    assert named == alone == ["edge_unreachable:edge:a:e1"]


def test_what_follows_from_a_shared_cause_is_hidden_at_each_that_shares_it() -> None:
    seen = {"edge": elsewhere(False), "edge_errors": ErrorWindow(requests=90, errors=90, error_rate_pct=100.0)}
    assert pair(seen, seen) == [("edge_no_healthy_upstream", "hel1-blue")]


def test_edges_of_two_machines_are_two_findings() -> None:
    both = facts(origin(name="a", edge=lost(Trouble.REFUSED)), origin(name="b", edge=edge(id="e2")))
    assert [one.id for one in evaluate(both, now=NOW)] == ["edge_unreachable:edge:a:e1"]


def test_a_dead_slot_is_its_origins_finding_and_not_the_edges_too() -> None:
    seen = edge(checks=[dead("blue"), check("green")])
    gone = {"failure": failure(Fault.CONNECT), "edge": edge()}
    assert pair(gone, {"edge": seen}) == [("origin_unreachable", "hel1-blue")]
    just_now = {"failure": failure(Fault.CONNECT, count=1), "edge": edge()}
    assert pair(just_now, {"edge": seen}) == []


def test_a_slot_may_be_away_while_it_is_deployed_to() -> None:
    running = {
        "deploy": deploys(deployment(slot="green", phase=Phase.STARTED, ended_at=None, started_at=ago(seconds=50)))
    }
    away = {"failure": msgspec.structs.replace(failure(Fault.CONNECT), since=ago(seconds=44))}
    assert pair(running, away) == []
    assert pair(running, away, now=1) == [("origin_unreachable", "hel1-green")]
    assert pair(away, running) == [("origin_unreachable", "hel1-blue")]
