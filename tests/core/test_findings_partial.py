"""Whatever is known and whatever is not: the rules draw, and never raise."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.edges import check, dead, edge, elsewhere, switched
from tests.core.origins import NOW, ago, deployment, deploys, failure, github, health, origin, pipeline, run, stream
from tests.core.test_more_findings import (
    FAILS,
    MIS_SIGNED,
    RECENTLY,
    asked,
    cached,
    collector,
    errors,
    happened,
    harm,
    hooks,
    probed,
    valid,
    window,
)

from chimney.core.facts import Facts, Fault, Latency, OwnFacts, ReceiverFacts, StorageFacts
from chimney.core.finding_causes import hides
from chimney.core.finding_life import Lives
from chimney.core.findings import PACES, evaluate
from chimney.wire.deployment import Phase
from chimney.wire.edge import Pointing, Trouble
from chimney.wire.health import DragonflyHealth
from chimney.wire.probe import Stage

FAR = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
VALUES: dict[str, list[Any]] = {
    "failure": [None, *(failure(fault) for fault in Fault), failure(Fault.DNS, count=1)],
    "probed_at": [None, NOW],
    "latencies_ms": [(), (5000.0,) * 9],
    "last_contact_at": [None, ago(days=9)],
    "health": [
        None,
        health(),
        health(repo=None, slot=None, uptime_seconds=0.0),
        health(github=github(problem="", rate_limit=None, last_success_at=None, seconds_since_success=None)),
        health(github=github(problem="rate_limited")),
        health(dragonfly=DragonflyHealth(status="nonsense")),
        hooks(**MIS_SIGNED),
        hooks(last_at=None, mis_signed_at=FAR[0]),
        errors(0, 0),
        errors(100, 100),
        cached(0),
    ],
    "deploy": [
        None,
        deploys(),
        deploys(deployment()),
        deploys(deployment(phase=Phase.STARTED, ended_at=None, run_url=None)),
        deploys(deployment(phase=Phase.FAILED, slot=None, message=None, ended_at=None, run_url="x")),
        deploys(deployment(revision="", slot="purple")),
    ],
    "pipeline": [
        None,
        pipeline(),
        pipeline(default_branch=None),
        pipeline(state="red"),
        pipeline(run(conclusion="failure", branch=None), state="red"),
        happened(minutes=5)["pipeline"],
    ],
    "stream": [stream(), stream(state="lost", since=FAR[0], last_record_at=None, last_id=None, error=None)],
    "panic": [None, RECENTLY],
    "dropped": [None, RECENTLY],
    "edge": [
        None,
        edge(),
        edge(id=None, checks=[], upstreams=[], proxies=[], checked_at=None),
        edge(reachable=False, trouble=None, detail=None, admin=None, active_slot=None, pointing=Pointing.UNKNOWN),
        edge(reachable=False, trouble=Trouble.TIMEOUT, checks=[dead("blue"), check("green")]),
        edge(active_slot="green", last_switch=switched("blue", minutes=9)),
        elsewhere(),
        elsewhere(True, False),
    ],
    "history": [(), probed(None), probed(Stage.TLS), probed(Stage.REDIRECT, at=FAR[0])],
    "harm": [None, harm(), harm(at=None, reasons=[], previous=None)],
    "clock_ahead_seconds": [None, -1e12, 1e12],
    "certificate": [None, valid(left=ago() - ago(days=1)), valid(left=ago() - ago(days=-1), life=ago() - ago())],
    "latency": [None, Latency(p95_ms=0.0, usual_ms=0.0, requests=0), Latency(p95_ms=1e9, usual_ms=1.0, requests=99)],
    "cache": [None, asked(0, of=0), asked(-5, of=-5), asked(1)],
    "edge_errors": [None, window(0, 0), window(99, 99)],
    "left_at": [None, NOW],
    "unready_since": [None, FAR[0]],
    "collectors": [(), collector("x", None), collector("x", FAR[0])],
}
KNOWN = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()})
ORIGINS = st.lists(KNOWN, max_size=4)
STORAGE = [StorageFacts(), StorageFacts(full_since=NOW), StorageFacts(used_pct=99.0, days_left=0.1, damage="x")]


@settings(max_examples=150, deadline=None)
@given(origins=ORIGINS, storage=st.sampled_from(STORAGE), own=st.sampled_from([OwnFacts(), FAILS]))
def test_partial_facts_make_findings_that_have_lives_and_no_errors(
    origins: list[dict[str, Any]], storage: StorageFacts, own: OwnFacts
) -> None:
    listed = tuple(origin(name=f"o{number}", **known) for number, known in enumerate(origins))
    facts = Facts(origins=listed, storage=storage, own=own, receiver=ReceiverFacts(denied=RECENTLY))
    drawn = evaluate(facts, now=NOW)
    assert len({one.id for one in drawn}) == len(drawn)
    assert all(one.title and one.detail and one.remedy and one.severity for one in drawn)
    lives = Lives(PACES)
    told = lives.take(drawn, now=NOW, hidden=hides(drawn))
    assert {alert.finding.id for alert in told} == {one.id for one in lives.current.items}
