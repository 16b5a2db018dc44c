"""What a deploy report must be, and how reports fold into deployments."""

import contextlib
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimney.core.deploy_report import BadReportError, parse_report
from chimney.core.deployment import fold, same_revision, status, with_stuck
from chimney.wire.deployment import DeployReport, Phase, Source

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
A, B = "a" * 40, "b" * 40


def parse(raw: dict[str, Any]) -> DeployReport:
    return parse_report(raw, now=NOW, environment="production", new_id="new")


def report(phase: str, minutes: float, revision: str = A, **said: Any) -> DeployReport:
    raw = {"phase": phase, "revision": revision, "at": NOW + timedelta(minutes=minutes), **said}
    return parse({"id": f"{phase}-{minutes}-{revision[:4]}", **raw})


@pytest.mark.parametrize(
    ("raw", "field", "value"),
    [
        ({"phase": "started", "revision": A}, "phase", Phase.STARTED),
        ({"phase": "rolled_back", "revision": A}, "phase", Phase.ROLLED_BACK),
        ({"outcome": "success", "revision": A}, "phase", Phase.SUCCEEDED),
        ({"outcome": "failure", "revision": A}, "phase", Phase.FAILED),
        ({"phase": "failed", "outcome": "success", "revision": A}, "phase", Phase.FAILED),
        ({"phase": "started", "sha": A.upper()}, "revision", A),
        ({"phase": "started", "sha": "abc1234"}, "revision", "abc1234"),
        ({"phase": "succeeded", "sha": A, "duration_s": 12.5}, "duration_seconds", 12.5),
        ({"phase": "started", "sha": A, "deployed_at": "2026-11-23T11:00:00+01:00"}, "at", NOW - timedelta(hours=2)),
        ({"phase": "started", "revision": A}, "at", NOW),
        ({"phase": "started", "revision": A}, "environment", "production"),
        ({"phase": "started", "revision": A, "environment": "staging"}, "environment", "staging"),
        ({"phase": "started", "revision": A}, "id", "new"),
        ({"phase": "started", "revision": A, "slot": "", "id": "mine"}, "slot", None),
        ({"phase": "started", "revision": A, "what": "ever"}, "revision", A),
    ],
)
def test_a_report_is_kept_under_one_set_of_names(raw: dict[str, Any], field: str, value: object) -> None:
    assert getattr(parse(raw), field) == value


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"revision": None}, "$.revision"),
        ({"phase": None}, "$.phase"),
        ({"phase": "done"}, "$.phase"),
        ({"phase": None, "outcome": "maybe"}, "$.phase"),
        ({"revision": "main"}, "$.revision"),
        ({"revision": "abc12"}, "$.revision"),
        ({"revision": "a" * 65}, "$.revision"),
        ({"revision": "../../etc"}, "$.revision"),
        ({"slot": "red"}, "$.slot"),
        ({"at": "2026-11-23T12:06:00Z"}, "$.at"),
        ({"at": "yesterday"}, "$.at"),
        ({"at": datetime(2026, 1, 1)}, "$.at"),  # noqa: DTZ001 — no offset is the fault
        ({"duration_seconds": -1}, "$.duration_seconds"),
        ({"duration_seconds": float("inf")}, "$.duration_seconds"),
        ({"run_url": "javascript:alert(1)"}, "$.run_url"),
        ({"run_url": "https://" + "x" * 2000}, "$.run_url"),
        ({"pr_number": 0}, "$.pr_number"),
        ({"message": "x" * 10_001}, "$.message"),
        ({"pr_title": "x" * 1_001}, "$.pr_title"),
        ({"actor": "x" * 201}, "$.actor"),
        ({"origin_ips": ["1.2.3.4"] * 101}, "$.origin_ips"),
        ({"origin_ips": ["x" * 101]}, "$.origin_ips"),
        ({"id": "with space"}, "$.id"),
        ({"id": "x" * 201}, "$.id"),
        ({"environment": "x" * 65}, "$.environment"),
    ],
)
def test_a_bad_report_is_refused_with_the_path_of_its_fault(wrong: dict[str, Any], path: str) -> None:
    with pytest.raises(BadReportError) as refused:
        parse({"phase": "started", "revision": A, **wrong})
    assert [fault.path for fault in refused.value.faults] == [path]


def test_every_fault_of_a_report_is_told_at_once() -> None:
    with pytest.raises(BadReportError) as refused:
        parse({"slot": "red", "pr_number": -1})
    assert {fault.path for fault in refused.value.faults} == {"$.phase", "$.revision", "$.slot", "$.pr_number"}


@given(st.dictionaries(st.sampled_from([*DeployReport.__struct_fields__, "sha", "outcome"]), st.none() | st.text()))
def test_whatever_is_reported_is_kept_or_refused_and_never_fails(raw: dict[str, Any]) -> None:
    with contextlib.suppress(BadReportError):
        assert parse(raw).revision


STARTED, SUCCEEDED = report("started", -10), report("succeeded", -5)


@pytest.mark.parametrize("reports", [[STARTED, SUCCEEDED], [SUCCEEDED, STARTED]])
def test_a_start_and_an_end_are_one_deployment_in_whatever_order_they_come(reports: list[DeployReport]) -> None:
    [one] = fold(reports, None)
    assert (one.phase, one.started_at, one.ended_at) == (Phase.SUCCEEDED, STARTED.at, SUCCEEDED.at)
    assert (one.duration_seconds, one.reports) == (300, 2)


def test_an_end_with_its_duration_that_comes_before_the_start_leaves_nothing_in_progress() -> None:
    [one] = fold([report("succeeded", -5, duration_seconds=280), STARTED], None)
    assert (one.phase, one.started_at, one.duration_seconds) == (Phase.SUCCEEDED, STARTED.at, 280)
    assert status([one], repo=None, now=NOW).in_progress is None


def test_an_end_alone_began_its_duration_earlier() -> None:
    [one] = fold([report("failed", -5, duration_seconds=60)], None)
    assert (one.phase, one.started_at) == (Phase.FAILED, NOW - timedelta(minutes=6))


def test_the_same_revision_deployed_again_is_another_deployment() -> None:
    again = [STARTED, SUCCEEDED, report("started", -2), report("succeeded", -1)]
    assert len(fold(again, None)) == 2


def test_two_slots_are_two_deployments_also_when_they_overlap() -> None:
    reports = [
        report("started", -10, slot="blue"),
        report("started", -9, slot="green"),
        report("succeeded", -8, slot="green"),
        report("failed", -7, slot="blue"),
    ]
    assert [(one.slot, one.phase) for one in fold(reports, None)] == [
        ("blue", Phase.FAILED),
        ("green", Phase.SUCCEEDED),
    ]


def test_another_environment_or_revision_is_another_deployment() -> None:
    reports = [STARTED, report("succeeded", -5, B), report("succeeded", -4, environment="staging")]
    assert len(fold(reports, None)) == 3


def test_an_end_long_after_a_start_does_not_belong_to_it() -> None:
    assert len(fold([report("started", -600), report("succeeded", -5)], None)) == 2


def test_what_a_later_report_leaves_out_stays_known() -> None:
    first = report("started", -10, actor="ada", pr_number=7, pr_title="Fix", message="m", run_url="https://ci/1")
    [one] = fold([first, SUCCEEDED], "acme/rocket")
    assert (one.actor, one.message, one.run_url) == ("ada", "m", "https://ci/1")
    assert one.pr is not None
    assert (one.pr.number, one.pr.url) == (7, "https://github.com/acme/rocket/pull/7")


def test_a_rollback_ends_the_deployment_it_undoes_and_the_slot_holds_the_one_before() -> None:
    reports = [
        report("succeeded", -20, B, slot="blue"),
        report("succeeded", -10, slot="blue"),
        report("rolled_back", -5, slot="blue"),
    ]
    told = status(fold(reports, None), repo=None, now=NOW)
    assert [one.phase for one in told.recent_deploys] == [Phase.ROLLED_BACK, Phase.SUCCEEDED]
    assert told.slots["blue"].revision == B
    assert told.success_rate_pct == 50.0


def test_nothing_reported_is_told_as_nothing() -> None:
    told = status([], repo="acme/rocket", now=NOW)
    assert (told.last_deploy, told.in_progress, told.active_slot, told.total_deploys) == (None, None, None, 0)
    assert told.success_rate_pct is None
    assert told.slots.keys() == {"blue", "green"}
    assert not told.recent_deploys
    assert not told.origins


def test_the_status_tells_the_last_deployment_its_slot_and_what_it_changed() -> None:
    reports = [
        report("succeeded", -60, B, slot="blue"),
        report("started", -10, slot="green"),
        report("succeeded", -5, slot="green", origin_ips=["10.0.0.2", "10.0.0.1"]),
    ]
    told = status(fold(reports, "acme/rocket"), repo="acme/rocket", now=NOW)
    assert told.last_deploy is not None
    assert (told.last_deploy.revision, told.last_deploy.age_seconds) == (A, 300)
    assert told.last_deploy.compare_url == f"https://github.com/acme/rocket/compare/{B}...{A}"
    assert (told.active_slot, told.slots["blue"].revision, told.slots["green"].revision) == ("green", B, A)
    assert told.origins == ["10.0.0.1", "10.0.0.2"]


def test_what_has_started_is_in_progress_until_it_ends() -> None:
    running = status(fold([report("succeeded", -60, B), STARTED], None), repo=None, now=NOW)
    assert running.in_progress is not None
    assert running.in_progress.revision == A
    assert running.success_rate_pct == 100.0
    assert status(fold([STARTED, SUCCEEDED], None), repo=None, now=NOW).in_progress is None


def test_ten_recent_deployments_are_told_newest_first() -> None:
    reports = [report("succeeded", minutes, f"{900 + minutes:040x}") for minutes in range(-120, 0, 10)]
    told = status(fold(reports, None), repo=None, now=NOW)
    assert len(told.recent_deploys) == 10
    assert told.recent_deploys[0].ended_at == NOW - timedelta(minutes=10)
    assert told.total_deploys == 12


def by_github(phase: str, minutes: float, revision: str = A, **said: Any) -> DeployReport:
    one = report(phase, minutes, revision, **{"id": f"github-{phase}-{minutes}", **said})
    return msgspec.structs.replace(one, source=Source.GITHUB)


@pytest.mark.parametrize(
    "reports",
    [
        [STARTED, by_github("started", -10.5), SUCCEEDED, by_github("succeeded", -4)],
        [by_github("started", -14), STARTED, by_github("succeeded", -4.9), SUCCEEDED],
        [STARTED, SUCCEEDED, by_github("started", -10.5), by_github("succeeded", -4)],
        [by_github("started", -14), by_github("succeeded", -4), STARTED, SUCCEEDED],
        [SUCCEEDED, by_github("succeeded", -4), by_github("started", -10.5), STARTED],
        [by_github("started", -14), report("succeeded", -5, duration_seconds=300), by_github("succeeded", -4)],
    ],
    ids=range(6),
)
def test_what_github_tells_too_is_the_same_deployment_and_the_report_is_believed(reports: list[DeployReport]) -> None:
    [one] = fold(reports, None)
    assert (one.phase, one.ended_at, one.duration_seconds) == (Phase.SUCCEEDED, SUCCEEDED.at, 300)
    assert (one.reports, one.sources) == (len(reports), [Source.GITHUB, Source.REPORT])


def test_what_only_github_tells_is_a_deployment_too() -> None:
    [one] = fold([by_github("started", -10), by_github("failed", -5, actor="bot")], None)
    assert (one.phase, one.duration_seconds, one.actor, one.sources) == (Phase.FAILED, 300, "bot", [Source.GITHUB])


def test_the_same_revision_deployed_again_is_another_one_also_when_both_tell() -> None:
    again = [
        STARTED, by_github("started", -10), SUCCEEDED, by_github("succeeded", -4.9),
        report("started", -3), by_github("started", -3), report("failed", -1), by_github("failed", -1),
    ]  # fmt: skip
    assert [one.phase for one in fold(again, None)] == [Phase.SUCCEEDED, Phase.FAILED]


def test_github_ends_what_the_reporter_left_open() -> None:
    [one] = fold([STARTED, by_github("failed", -5)], None)
    assert (one.phase, one.duration_seconds) == (Phase.FAILED, 300)


def test_a_short_revision_means_the_same_commit() -> None:
    [one] = fold([report("started", -10, A[:7]), by_github("succeeded", -5)], None)
    assert (one.revision, one.phase) == (A, Phase.SUCCEEDED)
    assert not same_revision(A, B)


def test_a_rollback_says_who_and_why_and_leaves_who_deployed() -> None:
    undone = report("rolled_back", -1, actor="grace", reason="errors doubled")
    [one] = fold([report("succeeded", -5, actor="ada", message="Faster"), undone], None)
    assert one.rolled_back is not None
    assert (one.rolled_back.by, one.rolled_back.reason, one.rolled_back.at) == ("grace", "errors doubled", undone.at)
    assert (one.actor, one.message) == ("ada", "Faster")


@pytest.mark.parametrize(("minutes", "stuck"), [(-30, True), (-29, False)])
def test_what_started_and_never_ended_is_stuck_after_a_while(minutes: float, stuck: bool) -> None:
    after = timedelta(minutes=30)
    [one] = with_stuck(fold([report("started", minutes)], None), after=after, now=NOW)
    assert one.stuck is stuck
    [ended] = with_stuck(fold([report("started", -90), report("failed", -80)], None), after=after, now=NOW)
    assert not ended.stuck


def test_two_thousand_reports_fold_in_no_time() -> None:
    reports = [
        report(phase, number * -10 + offset, f"{number:040x}")
        for number in range(1000, 0, -1)
        for phase, offset in (("started", 0), ("succeeded", 5))
    ]
    began = time.perf_counter()
    assert len(fold(reports, None)) == 1000
    assert time.perf_counter() - began < 10
