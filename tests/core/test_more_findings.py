"""Findings about webhooks, the cache, visitors, connections, probed addresses, verdicts and the table's own process."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.core.origins import NOW, ago, deployment, deploys, failure, github, health, origin, pipeline, run

from chimney.core.facts import (
    Asked,
    Certificate,
    Facts,
    Fault,
    Harm,
    Latency,
    OriginFacts,
    OwnFacts,
    ReceiverFacts,
    Sighting,
    StorageFacts,
)
from chimney.core.findings import evaluate
from chimney.wire.act import Act
from chimney.wire.deployment import Phase
from chimney.wire.finding import Finding
from chimney.wire.health import CacheHealth, DragonflyHealth, ErrorsHealth, ErrorWindow, Health, WebhooksHealth
from chimney.wire.origin import CollectorState, PlacedDeployment
from chimney.wire.probe import ProbedOrigin, ProbeResult, Stage, Streak
from chimney.wire.verdict import Verdict, VerdictState


def whole(*origins: OriginFacts, storage: StorageFacts | None = None, **more: Any) -> dict[str, Finding]:
    facts = Facts(origins=origins, storage=storage or StorageFacts(), **more)
    return {one.code: one for one in evaluate(facts, now=NOW)}


def found(**spoilt: Any) -> dict[str, Finding]:
    return whole(origin(**spoilt))


def hooks(**more: Any) -> Health:
    usual = {"configured": True, "last_at": ago(minutes=10), "rejected": 0}
    return health(webhooks=WebhooksHealth(**{**usual, **more}))


def window(requests: int, errors: int) -> ErrorWindow:
    return ErrorWindow(requests=requests, errors=errors, error_rate_pct=100 * errors / requests if requests else None)


def errors(requests: int, failed: int) -> Health:
    one = window(requests, failed)
    return health(errors=ErrorsHealth(last_1m=one, last_5m=one, last_60m=one))


def cached(entries: int, **more: Any) -> Health:
    return health(cache=CacheHealth(entries=entries, bytes=1, hits=1, misses=1, hit_rate_pct=50.0), **more)


def asked(hits: int, of: int = 100) -> Asked:
    return Asked(requests=of, hits=hits, since=ago(minutes=5))


def happened(**since: float) -> dict[str, Any]:
    return {"pipeline": pipeline(run(started_at=ago(**since)))}


def valid(*, left: timedelta, life: timedelta = timedelta(days=90)) -> Certificate:
    return Certificate(not_before=NOW + left - life, not_after=NOW + left)


def collector(error: str | None, last: datetime | None) -> tuple[CollectorState, ...]:
    return (CollectorState(name="metrics", last_success_at=last, lag_seconds=None, error=error),)


def probed(stage: Stage | None, *, count: int = 2, at: datetime = NOW) -> tuple[ProbedOrigin, ...]:
    ok = stage is None
    last = ProbeResult(at=at, ok=ok, status=308 if stage else 200, latency_ms=None, error="why", stage=stage)
    return (
        ProbedOrigin(
            origin="https://nbg1.example.org",
            url="https://nbg1.example.org/healthz",
            results=[last],
            uptime_pct={},
            streak=Streak(ok=ok, count=count, since=ago(minutes=1)),
        ),
    )


def harm(**more: Any) -> Harm:
    placed = PlacedDeployment(origin="hel1", **msgspec.structs.asdict(deployment()))
    usual = {"state": VerdictState.HARMFUL, "at": ago(minutes=1), "reasons": ["9 of 90 failed"], "previous": "d0"}
    return Harm(deployment=placed, verdict=Verdict(**{**usual, **more}))


MIS_SIGNED = {"mis_signed": 3, "mis_signed_at": ago(minutes=1)}
SHARED = DragonflyHealth(status="connected", keys=1, memory_bytes=1, latency_ms=0.1)


@pytest.mark.parametrize(
    ("spoilt", "code", "severity", "act"),
    [
        ({"health": hooks(**MIS_SIGNED)}, "webhook_rejected", "warning", None),
        ({"health": hooks(), **happened(minutes=5)}, "webhook_silent", "warning", None),
        ({"health": hooks(last_at=None), **happened(minutes=5)}, "webhook_silent", "warning", None),
        ({"health": health(dragonfly=DragonflyHealth(status="unavailable"))}, "dragonfly_unreachable", "warning", None),
        ({"health": health(dragonfly=DragonflyHealth(status="connecting"))}, "dragonfly_unreachable", "warning", None),
        (
            {"health": health(dragonfly=msgspec.structs.replace(SHARED, full=True))},
            "dragonfly_full",
            "warning",
            None,
        ),
        ({"health": cached(0)}, "cache_cold", "info", Act.WARM),
        ({"cache": asked(49)}, "cache_cold", "info", Act.WARM),
        ({"health": errors(100, 5)}, "error_rate_high", "warning", None),
        ({"health": errors(20, 5)}, "error_rate_high", "critical", None),
        ({"edge_errors": window(100, 50)}, "error_rate_high", "critical", None),
        ({"latency": Latency(p95_ms=250, usual_ms=125, requests=20)}, "latency_regressed", "warning", None),
        ({"clock_ahead_seconds": 3600.0}, "clock_skew", "warning", None),
        ({"clock_ahead_seconds": -5.0}, "clock_skew", "warning", None),
        ({"certificate": valid(left=timedelta(days=13))}, "certificate_expiring", "warning", None),
        ({"certificate": valid(left=timedelta(days=3))}, "certificate_expiring", "critical", None),
        ({"certificate": valid(left=-timedelta(seconds=1))}, "certificate_expiring", "critical", None),
        (
            {"certificate": valid(left=timedelta(hours=20), life=timedelta(days=6))},
            "certificate_expiring",
            "warning",
            None,
        ),
        ({"collectors": collector("401", ago(seconds=120))}, "no_data", "warning", None),
        ({"history": probed(Stage.DNS)}, "origin_unreachable", "critical", None),
        ({"history": probed(Stage.CONNECT)}, "origin_unreachable", "critical", None),
        ({"history": probed(Stage.REDIRECT)}, "origin_redirects", "critical", None),
        ({"history": probed(Stage.STATUS)}, "origin_erroring", "critical", None),
        ({"harm": harm()}, "deploy_harmful", "critical", Act.ROLLBACK),
        ({"harm": harm(previous=None)}, "deploy_harmful", "critical", None),
        (
            {"pipeline": pipeline(run(conclusion="failure", id=7), state="red")},
            "pipeline_red",
            "warning",
            Act.RERUN_FAILED,
        ),
    ],
)
def test_what_is_wrong_has_a_name_and_the_act_that_mends_it(
    spoilt: dict[str, Any], code: str, severity: str, act: Act | None
) -> None:
    findings = found(**spoilt)
    assert list(findings) == [code]
    finding = findings[code]
    assert (finding.severity, finding.origin, finding.act and finding.act.act) == (severity, "hel1", act)
    assert finding.evidence
    assert all(one.value for one in finding.evidence)
    assert finding.since <= NOW
    assert "/" not in finding.id
    assert finding.detail.endswith(".")
    assert finding.remedy.endswith((".", ")"))


@pytest.mark.parametrize(
    "spoilt",
    [
        {"health": hooks(mis_signed=3, mis_signed_at=ago(minutes=16))},
        {"health": hooks(mis_signed=3, mis_signed_at=ago(minutes=11))},  # one was taken after it
        {"health": hooks(), **happened(minutes=10)},
        {"health": hooks(), **happened(seconds=44)},  # it may be on its way
        {"health": hooks(configured=False, last_at=None), **happened(minutes=5)},
        {"health": hooks(last_at=None), **happened(hours=2)},  # before the start
        {"health": health(dragonfly=DragonflyHealth(status="connecting"), uptime_seconds=29.0)},
        {"health": health(dragonfly=DragonflyHealth(status="unavailable"), uptime_seconds=29.0)},
        {"health": health(dragonfly=SHARED)},
        {"health": cached(0, uptime_seconds=119.0)},
        {"health": cached(0, repo=None)},
        {"cache": asked(50)},
        {"cache": asked(0, of=99)},
        {"health": errors(100, 4)},
        {"health": errors(19, 19)},
        {"health": errors(40, 4)},  # one visitor who tries again and again
        {"edge_errors": window(19, 19)},
        {"latency": Latency(p95_ms=249, usual_ms=125, requests=20)},
        {"latency": Latency(p95_ms=99, usual_ms=1, requests=20)},
        {"latency": Latency(p95_ms=9999, usual_ms=None, requests=20)},
        {"latency": Latency(p95_ms=9999, usual_ms=1, requests=19)},
        {"clock_ahead_seconds": 4.9},
        {"certificate": valid(left=timedelta(days=15))},
        {"certificate": valid(left=timedelta(days=2), life=timedelta(days=6))},
        {"collectors": collector("401", ago(seconds=119))},
        {"collectors": collector("404", None)},  # an origin that never had it
        {"history": probed(None)},
        {"history": probed(Stage.DNS, count=1)},
        {"history": probed(Stage.DNS, at=ago(minutes=5))},
    ],
)
def test_what_is_just_not_wrong_is_not_said_to_be(spoilt: dict[str, Any]) -> None:
    assert found(**spoilt) == {}


BAD_GITHUB = github(problem="unexpected: GitHub answered 500")


@pytest.mark.parametrize(
    ("spoilt", "codes"),
    [
        ({"health": msgspec.structs.replace(hooks(), github=BAD_GITHUB), **happened(minutes=5)}, ["github_erroring"]),
        ({"health": cached(0, github=BAD_GITHUB)}, ["github_erroring"]),
        ({"health": msgspec.structs.replace(errors(100, 50), github=BAD_GITHUB)}, ["github_erroring"]),
        ({"health": hooks(**MIS_SIGNED), **happened(minutes=5)}, ["webhook_rejected"]),
        ({"health": cached(0, dragonfly=DragonflyHealth(status="unavailable"))}, ["dragonfly_unreachable"]),
        ({"health": errors(100, 50), "harm": harm()}, ["deploy_harmful"]),
        ({"latency": Latency(p95_ms=2500, usual_ms=1, requests=90), "harm": harm()}, ["deploy_harmful"]),
        ({"health": hooks(), "clock_ahead_seconds": 3600.0, **happened(minutes=5)}, ["clock_skew"]),
        (
            {
                "failure": failure(Fault.TLS),
                "certificate": valid(left=timedelta(0)),
                "clock_ahead_seconds": 60.0,
                "history": probed(Stage.DNS),
                "health": errors(100, 50),
                "latency": Latency(p95_ms=2500, usual_ms=1, requests=90),
                "collectors": collector("timeout", ago(hours=1)),
            },
            ["origin_unreachable"],
        ),
    ],
)
def test_beside_a_cause_its_consequences_are_not_shown(spoilt: dict[str, Any], codes: list[str]) -> None:
    assert list(found(**spoilt)) == codes


@pytest.mark.parametrize(("seconds", "codes"), [(19, []), (20, ["origin_erroring"])])
def test_an_origin_that_is_starting_may_take_its_time(seconds: int, codes: list[str]) -> None:
    starting = msgspec.structs.replace(failure(Fault.STARTING), since=ago(seconds=seconds))
    assert list(found(failure=starting)) == codes


def test_what_is_known_for_good_stays_beside_a_dead_origin() -> None:
    assert set(found(failure=failure(Fault.CONNECT), harm=harm())) == {"origin_unreachable", "deploy_harmful"}


def test_a_webhook_that_another_slot_took_is_no_missing_one() -> None:
    idle = origin(name="green", health=hooks(last_at=None), **happened(minutes=5))
    active = origin(name="blue", health=hooks(last_at=ago(minutes=5)), **happened(minutes=5))
    assert whole(idle, active) == {}


def test_slots_that_see_the_same_trouble_tell_it_once_and_name_each_other() -> None:
    bad = health(github=github(problem="unauthorized: 401"))
    finding = whole(origin(name="blue", health=bad), origin(name="green", health=bad))["github_unauthorized"]
    assert (finding.id, finding.origin) == ("github_unauthorized:github:blue", "blue")
    assert (finding.evidence[-1].what, finding.evidence[-1].value) == ("also seen by", "green")


def test_a_clock_that_differs_from_all_is_the_tables_own() -> None:
    both = [origin(name=name, clock_ahead_seconds=ahead) for name, ahead in (("a", 60.0), ("b", 61.0))]
    finding = whole(*both)["clock_skew"]
    assert finding.origin is None
    assert "behind" in finding.title
    one_is_right = whole(both[0], origin(name="c", clock_ahead_seconds=0.0))
    assert one_is_right["clock_skew"].origin == "a"


@pytest.mark.parametrize(("dead", "lost"), [(5, None), (4, "o0")])
def test_when_no_origin_can_be_reached_it_is_the_table_that_is_cut_off(dead: int, lost: str | None) -> None:
    gone = failure(Fault.TIMEOUT)
    origins = [origin(name=f"o{number}", failure=gone if number < dead else None) for number in range(5)]
    findings = evaluate(Facts(origins=tuple(origins), storage=StorageFacts()), now=NOW)
    assert (findings[0].code, findings[0].origin) == ("origin_unreachable", lost)
    assert len(findings) == (1 if lost is None else dead)


RECENTLY = Sighting(at=ago(seconds=60), text="401: no.", count=3)
FAILS = OwnFacts(loops=(("seal", Sighting(at=ago(minutes=1), text="ValueError")),))


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"own": FAILS}, "loop_failing"),
        ({"own": OwnFacts(panic=RECENTLY)}, "panic"),
        ({"own": msgspec.structs.replace(FAILS, panic=RECENTLY)}, "loop_failing"),
        ({"own": OwnFacts(lag_seconds=2.0, lag_at=ago(seconds=5))}, "table_behind"),
        ({"own": OwnFacts(waiting_rows=40_000)}, "table_behind"),
        ({"receiver": ReceiverFacts(denied=RECENTLY)}, "telemetry_refused"),
        ({"receiver": ReceiverFacts(refused=RECENTLY, requests=1)}, "telemetry_refused"),
    ],
)
def test_the_table_finds_fault_with_itself(facts: dict[str, Any], code: str) -> None:
    findings = whole(origin(), **facts)
    assert [(one.code, one.origin, one.severity) for one in findings.values()] == [(code, None, "warning")]
    assert whole(origin(), storage=StorageFacts(full_since=ago(minutes=2)), **facts).keys() == {"storage_full"}


def test_a_receiver_that_is_not_reached_is_told_of_after_three_attempts() -> None:
    def undelivered(attempts: int) -> OwnFacts:
        return OwnFacts(undelivered=(("a1b2", "slack", Sighting(at=ago(minutes=1), text="404", count=attempts)),))

    assert whole(origin(), own=undelivered(2)) == {}
    (found,) = whole(origin(), own=undelivered(3)).values()
    assert (found.id, found.title) == ("notification_failing:notifications:a1b2", "Nobody is told through slack")


@pytest.mark.parametrize(
    "facts",
    [
        {"own": OwnFacts(lag_seconds=1.9, lag_at=NOW)},
        {"own": OwnFacts(lag_seconds=9.0, lag_at=ago(seconds=30))},
        {"own": OwnFacts(waiting_rows=39_999)},
        {"own": OwnFacts(panic=Sighting(at=ago(minutes=6), text="old"))},
        {"receiver": ReceiverFacts(denied=Sighting(at=ago(seconds=91), text="old"))},
        {
            "receiver": ReceiverFacts(refused=RECENTLY, requests=1),
            "storage": StorageFacts(recovered_at=ago(seconds=59)),  # for want of room, which there is again
        },
    ],
)
def test_what_is_over_or_little_is_no_fault_of_the_table(facts: dict[str, Any]) -> None:
    assert whole(origin(), **facts) == {}


def test_a_disk_that_is_nearly_full_hides_nothing() -> None:
    seen = whole(origin(), storage=StorageFacts(used_pct=90.0), own=FAILS)
    assert seen.keys() == {"storage_full", "loop_failing"}


def test_a_failed_deployment_names_the_run_to_repeat() -> None:
    act = found(deploy=deploys(deployment(phase=Phase.FAILED)))["deploy_failed"].act
    assert act
    assert (act.act, act.repo, act.run_id, act.origin) == (Act.RERUN_FAILED, "acme/rocket", 1, "hel1")
    elsewhere = deployment(phase=Phase.FAILED, run_url="https://ci.example.org/7")
    assert found(deploy=deploys(elsewhere))["deploy_failed"].act is None
