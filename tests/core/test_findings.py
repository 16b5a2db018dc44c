from typing import Any

import pytest
from tests.core.origins import (
    NOW,
    ago,
    deployment,
    deploys,
    facts,
    failure,
    github,
    health,
    origin,
    pipeline,
    run,
    stream,
)

from chimney.core.facts import Fault, Sighting
from chimney.core.findings import evaluate
from chimney.wire.deployment import Phase
from chimney.wire.finding import Finding, Severity
from chimney.wire.health import RateLimit


def found(**spoilt: Any) -> dict[str, Finding]:
    return {finding.code: finding for finding in evaluate(facts(origin(**spoilt)), now=NOW)}


def limit(remaining: int) -> RateLimit:
    return RateLimit(limit=5000, remaining=remaining, reset_at=ago(minutes=-20), resource="core")


def test_an_origin_that_is_well_has_no_findings() -> None:
    assert found() == {}


@pytest.mark.parametrize(
    ("spoilt", "code", "severity"),
    [
        ({"failure": failure(Fault.DNS)}, "origin_unreachable", "critical"),
        ({"failure": failure(Fault.CONNECT)}, "origin_unreachable", "critical"),
        ({"failure": failure(Fault.TLS)}, "origin_unreachable", "critical"),
        ({"failure": failure(Fault.TIMEOUT)}, "origin_unreachable", "critical"),
        ({"failure": failure(Fault.PROTOCOL)}, "origin_unreachable", "critical"),
        ({"failure": failure(Fault.REDIRECT)}, "origin_redirects", "critical"),
        ({"failure": failure(Fault.STATUS)}, "origin_erroring", "critical"),
        ({"failure": failure(Fault.UNREADABLE)}, "origin_erroring", "critical"),
        ({"latencies_ms": (1500.0,) * 5}, "origin_slow", "warning"),
        ({"stream": stream(state="lost", since=ago(seconds=16))}, "origin_stream_lost", "warning"),
        ({"stream": stream(state="connecting", since=ago(seconds=16))}, "origin_stream_lost", "warning"),
        ({"health": health(github=github(problem="unauthorized: 401"))}, "github_unauthorized", "critical"),
        ({"health": health(github=github(problem="rate_limited: wait"))}, "github_rate_limited", "warning"),
        ({"health": health(github=github(seconds_since_success=601.0))}, "github_unreachable", "critical"),
        ({"health": health(github=github(rate_limit=limit(499)))}, "github_quota_low", "warning"),
        (
            {"health": health(uptime_seconds=601.0, github=github(seconds_since_success=None, last_success_at=None))},
            "github_unreachable",
            "critical",
        ),
        ({"health": health(github=github(problem="unexpected: GitHub answered 500"))}, "github_erroring", "warning"),
        ({"health": health(github=github(problem="unreachable: no answer"))}, "github_erroring", "warning"),
        ({"unready_since": ago(seconds=20)}, "origin_erroring", "critical"),
        ({"deploy": deploys(deployment(phase=Phase.FAILED))}, "deploy_failed", "warning"),
        (
            {"deploy": deploys(deployment(phase=Phase.STARTED, started_at=ago(minutes=31), ended_at=None))},
            "deploy_stuck",
            "warning",
        ),
        ({"pipeline": pipeline(run(conclusion="failure"), state="red")}, "pipeline_red", "warning"),
        ({"panic": Sighting(at=ago(minutes=4), text="panic in GET /")}, "panic", "warning"),
        ({"dropped": Sighting(at=ago(minutes=1), text="Gone.", count=1204)}, "log_dropped", "warning"),
    ],
)
def test_what_is_wrong_has_a_name_evidence_and_a_remedy(spoilt: dict[str, Any], code: str, severity: str) -> None:
    findings = found(**spoilt)
    assert list(findings) == [code]
    finding = findings[code]
    assert finding.severity == severity
    assert finding.origin == "hel1"
    assert finding.id == f"{code}:{finding.component}:hel1"
    assert finding.evidence
    assert finding.since <= NOW
    for text in (finding.title, finding.detail, finding.remedy):
        assert not text[0].islower() or text.startswith(("main of acme/rocket", "https://"))
    assert finding.detail.endswith(".")
    assert finding.remedy.endswith((".", ")"))


@pytest.mark.parametrize(
    "spoilt",
    [
        {"failure": failure(Fault.TIMEOUT, count=1)},  # one lost packet
        {"latencies_ms": (1500.0,) * 4},
        {"latencies_ms": (3.0, 3.0, 3.0, 5000.0, 5000.0)},
        {"stream": stream(state="lost", since=ago(seconds=14))},
        {"health": health(uptime_seconds=599.0, github=github(seconds_since_success=None, last_success_at=None))},
        {"health": health(github=github(seconds_since_success=599.0))},
        {"health": health(github=github(rate_limit=limit(500)))},
        {"health": None, "probed_at": None, "deploy": None, "pipeline": None},
        {"deploy": deploys()},
        {"deploy": deploys(deployment(phase=Phase.STARTED, started_at=ago(minutes=29), ended_at=None))},
        {"deploy": deploys(deployment(phase=Phase.ROLLED_BACK))},
        {"pipeline": pipeline(state="running")},
        {"pipeline": pipeline(default_branch=None)},
        {"unready_since": ago(seconds=19)},
        {"panic": Sighting(at=ago(minutes=6), text="old")},
    ],
)
def test_what_is_not_wrong_is_not_said_to_be(spoilt: dict[str, Any]) -> None:
    assert found(**spoilt) == {}


@pytest.mark.parametrize(
    ("fault", "title"),
    [(Fault.DNS, "does not resolve"), (Fault.CONNECT, "accepts the connection"), (Fault.TLS, "TLS handshake")],
)
def test_an_unreachable_origin_says_which_step_failed(fault: Fault, title: str) -> None:
    finding = found(failure=failure(fault, detail="why"))["origin_unreachable"]
    assert title in finding.title
    assert (finding.evidence[0].what, finding.evidence[0].value) == (fault, "why")
    assert finding.since == ago(minutes=2)


def test_an_origin_that_cannot_be_reached_is_not_blamed_for_what_follows_from_it() -> None:
    spoilt = {
        "failure": failure(Fault.CONNECT),
        "stream": stream(state="lost", since=ago(hours=1)),
        "health": health(github=github(seconds_since_success=9999.0)),
        "latencies_ms": (5000.0,) * 9,
    }
    assert list(found(**spoilt)) == ["origin_unreachable"]


@pytest.mark.parametrize(
    ("error", "word"), [("401 application/problem+json: no", "READ_TOKEN"), ("closed", "buffering")]
)
def test_a_lost_stream_says_what_to_do_about_its_cause(error: str, word: str) -> None:
    finding = found(stream=stream(state="lost", since=ago(minutes=1), error=error))["origin_stream_lost"]
    assert word in finding.remedy


@pytest.mark.parametrize(("seconds", "codes"), [(3, set()), (16, {"origin_stream_lost"})])
def test_the_stream_of_an_origin_that_was_away_may_take_as_long_to_come_back_as_any(
    seconds: int, codes: set[str]
) -> None:
    away = stream(state="lost", since=ago(minutes=2))
    assert set(found(stream=away, well_since=ago(seconds=seconds))) == codes


def test_the_token_to_set_is_named_as_the_settings_name_it() -> None:
    spoilt = origin(name="nbg-1", stream=stream(state="lost", since=ago(minutes=1), error="401"))
    assert "CHIMNEY_TABLE_ORIGIN_NBG_1_READ_TOKEN" in evaluate(facts(spoilt), now=NOW)[0].remedy


@pytest.mark.parametrize(
    ("storage", "code", "severity"),
    [
        ({"full_since": ago(minutes=3), "full_detail": "disk is full", "rows": 5}, "storage_full", "critical"),
        ({"used_pct": 85.0, "free_bytes": 10**9, "days_left": 2.5}, "storage_full", "warning"),
        ({"damage": "journal.sqlite was damaged", "damaged_at": ago(hours=1)}, "storage_damaged", "warning"),
        ({"dropped": Sighting(at=NOW, text="Behind.", count=3)}, "log_dropped", "warning"),
    ],
)
def test_the_table_finds_fault_with_itself(storage: dict[str, Any], code: str, severity: str) -> None:
    findings = evaluate(facts(origin(), **storage), now=NOW)
    assert [(one.code, one.severity, one.origin) for one in findings] == [(code, severity, None)]


def test_a_damaged_file_is_spoken_of_for_a_day() -> None:
    assert evaluate(facts(origin(), damage="x", damaged_at=ago(hours=25)), now=NOW) == []


def test_without_origins_it_says_that_there_is_nothing_to_see() -> None:
    findings = evaluate(facts(), now=NOW)
    assert [(one.code, one.severity) for one in findings] == [("no_data", Severity.INFO)]
