"""Consequences are not shown beside their cause, nor what is left of them after it."""

from datetime import timedelta

import pytest
from tests.core.origins import NOW

from chimney.core.finding_causes import ALSO_SEEN, ECHO, Echoes, hides
from chimney.wire.finding import Evidence, Finding, Severity


def finding(code: str, origin: str = "blue", *, also: str = "") -> Finding:
    evidence = [Evidence(what=ALSO_SEEN, value=also)] if also else []
    return Finding(
        id=f"{code}:x:{origin}",
        code=code,
        severity=Severity.CRITICAL,
        component="x",
        origin=origin,
        since=NOW,
        title="",
        detail="",
        evidence=evidence,
        remedy="",
    )


@pytest.mark.parametrize(("origin", "hidden"), [("blue", True), ("green", True), ("far", False)])
def test_what_follows_from_a_shared_cause_follows_for_all_who_share_it(origin: str, hidden: bool) -> None:
    cause = finding("edge_no_healthy_upstream", also="green")
    assert hides([cause])(finding("error_rate_high", origin)) is hidden


@pytest.mark.parametrize(
    ("after", "code", "hidden"),
    [
        (timedelta(seconds=1), "error_rate_high", True),
        (ECHO - timedelta(seconds=1), "error_rate_high", True),
        (ECHO, "error_rate_high", False),
        (timedelta(seconds=1), "slot_mismatch", False),
    ],
)
def test_what_visitors_met_is_the_doing_of_a_cause_that_was_over_lately(
    after: timedelta, code: str, hidden: bool
) -> None:
    echoes, cause = Echoes(), finding("edge_no_healthy_upstream", also="green")
    assert echoes.lately([cause], now=NOW) == []
    lately = echoes.lately([], now=NOW + after)
    assert hides([], lately)(finding(code, "green")) is hidden
