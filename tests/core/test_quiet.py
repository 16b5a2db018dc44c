"""Quiet windows of deployments."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from tests.core.origins import NOW, deployment

from chimney.core.quiet import WELL_FOR, Quiet
from chimney.wire.deployment import Phase
from chimney.wire.finding import Finding, Severity
from chimney.wire.origin import PlacedDeployment

MOST = timedelta(minutes=10)


def placed(origin: str = "hel1", **more: Any) -> PlacedDeployment:
    usual = {"started_at": NOW, "ended_at": None, "phase": Phase.STARTED}
    return PlacedDeployment(origin=origin, **msgspec.structs.asdict(deployment(**{**usual, **more})))


def finding(code: str = "origin_unreachable", origin: str | None = "hel1", *, after: float = 5) -> Finding:
    return Finding(
        id=f"{code}:{origin}",
        code=code,
        severity=Severity.CRITICAL,
        component="origin",
        origin=origin,
        since=at(after),
        title="",
        detail="",
        evidence=[],
        remedy="",
    )


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_deployment_holds_what_a_restart_brings_of_its_own_origin_only() -> None:
    quiet = Quiet(MOST)
    quiet.take([placed()], [], now=at(1))
    assert quiet.holds(finding())
    assert not quiet.holds(finding(origin="fsn1"))
    assert not quiet.holds(finding("storage_full", origin=None))
    assert not quiet.holds(finding("deploy_failed"))
    assert not quiet.holds(finding("panic"))
    assert not quiet.holds(finding(after=-60))  # it was so before


def test_the_window_closes_when_the_deployment_ended_and_the_origin_is_well() -> None:
    quiet, done = Quiet(MOST), placed(ended_at=at(30), phase=Phase.SUCCEEDED)
    quiet.take([placed()], [], now=at(1))
    quiet.take([done], [finding()], now=at(60))
    assert quiet.holds(finding())  # it ended, and the origin is not well
    quiet.take([done], [], now=at(30) + WELL_FOR)
    later = finding(after=80)
    quiet.take([done], [later], now=at(81))
    assert not quiet.holds(later)
    assert quiet.overdue(later) is None


def test_a_window_that_does_not_close_ends_and_what_it_held_is_overdue() -> None:
    quiet = Quiet(MOST)
    quiet.take([placed()], [], now=at(1))
    quiet.take([placed(ended_at=at(30), phase=Phase.FAILED)], [finding()], now=NOW + MOST)
    assert not quiet.holds(finding())
    window = quiet.overdue(finding())
    assert window is not None
    assert (window.deployment, window.began) == ("d1", NOW)


def test_the_next_deployment_opens_a_window_of_its_own_and_an_old_one_opens_none() -> None:
    quiet = Quiet(MOST)
    quiet.take([placed(started_at=at(-3600))], [], now=NOW)
    assert quiet.windows == {}
    quiet.take([placed(), placed(id="d2", started_at=at(60))], [], now=at(61))
    assert quiet.windows["hel1"].deployment == "d2"


def test_without_time_there_is_no_window() -> None:
    quiet = Quiet(timedelta(0))
    quiet.take([placed()], [finding()], now=at(1))
    assert not quiet.holds(finding())
