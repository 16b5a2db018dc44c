from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.core.origins import NOW, ago

from chimney.core.finding_life import Lives, Pace
from chimney.wire.finding import Change, Finding, Severity, Silence

PENDING, CLEAR = 10, 2
PACES = {"slow": Pace(timedelta(seconds=PENDING), timedelta(seconds=CLEAR))}


def finding(**more: Any) -> Finding:
    return Finding(
        **{
            "id": "slow:origin:hel1",
            "code": "slow",
            "severity": Severity.WARNING,
            "component": "origin",
            "origin": "hel1",
            "since": NOW,
            "title": "Slow",
            "detail": "It is slow.",
            "evidence": [],
            "remedy": "Look.",
            **more,
        }
    )


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def lived(lives: Lives, *moments: tuple[float, bool]) -> list[tuple[float, str]]:
    """What was told when the finding was, or was not, drawn at these seconds."""
    told = []
    for second, drawn in moments:
        one = finding(since=at(second))
        told += [(second, alert.change.value) for alert in lives.take([one] if drawn else [], now=at(second))]
    return told


def test_a_finding_is_pending_until_it_has_lasted() -> None:
    lives = Lives(PACES)
    assert lived(lives, (0, True), (PENDING - 0.1, True)) == []
    assert lives.current.items == []
    assert lived(lives, (PENDING, True)) == [(PENDING, "firing")]
    assert [one.since for one in lives.current.items] == [NOW]


def test_a_rule_that_knows_since_when_is_believed() -> None:
    lives = Lives(PACES)
    alerts = lives.take([finding(since=ago(seconds=PENDING))], now=NOW)
    assert [alert.change for alert in alerts] == [Change.FIRING]


def test_what_goes_away_while_it_is_pending_was_never_there() -> None:
    lives = Lives(PACES)
    assert lived(lives, (0, True), (5, False), (6, True), (15, True), (16, True)) == [(16, "firing")]


def test_a_finding_is_resolved_when_it_was_gone_for_long_enough() -> None:
    lives = Lives(PACES)
    assert lived(lives, (0, True), (10, True), (11, False), (12, False)) == [(10, "firing")]
    assert len(lives.current.items) == 1
    assert lived(lives, (13, False)) == [(13, "resolved")]
    assert lives.current.items == []


def test_a_short_absence_is_none() -> None:
    lives = Lives(PACES)
    lived(lives, (0, True), (10, True), (11, False))
    assert lived(lives, (12, True), (13, False), (14, False)) == []
    assert lives.current.items[0].since == NOW


def test_what_flaps_soon_stays() -> None:
    """Drawn for twelve seconds of each sixteen, for five minutes."""
    lives = Lives(PACES)
    flapping = [(float(second), second % 16 < 12) for second in range(300)]
    told = lived(lives, *flapping)
    assert [change for _, change in told] == ["firing", "resolved", "firing"]
    assert len(lives.current.items) == 1


def test_one_that_comes_back_after_long_is_as_quickly_resolved_as_the_first_time() -> None:
    lives = Lives(PACES)
    lived(lives, (0, True), (10, True), (11, False), (13, False))
    assert lived(lives, (700, True), (710, True), (711, False), (713, False)) == [(710, "firing"), (713, "resolved")]


@pytest.mark.parametrize(("severity", "changes"), [(Severity.CRITICAL, [Change.UPDATED]), (Severity.WARNING, [])])
def test_another_severity_is_told_and_another_figure_is_only_shown(severity: Severity, changes: list[Change]) -> None:
    lives = Lives()
    lives.take([finding()], now=NOW)
    again = lives.take([finding(severity=severity, detail="It is slower.")], now=at(1))
    assert [alert.change for alert in again] == changes
    assert lives.current.items[0].detail == "It is slower."


def test_a_finding_keeps_its_beginning_while_it_is_current() -> None:
    lives = Lives()
    lives.take([finding()], now=NOW)
    lives.take([finding(since=at(60))], now=at(60))
    assert lives.current.items[0].since == NOW


def test_a_beginning_in_the_future_is_now() -> None:
    lives = Lives()
    lives.take([finding(since=at(60))], now=NOW)
    assert lives.current.items[0].since == NOW


def test_the_good_time_begins_when_the_last_finding_goes_away() -> None:
    lives = Lives(good_since=ago(days=3))
    lives.take([finding()], now=NOW)
    assert lives.current.good_since is None
    lives.take([], now=at(1))
    lives.take([], now=at(5))
    assert lives.current.good_since == at(5)
    lives.take([], now=at(60))
    assert lives.current.good_since == at(5)


def test_the_worst_comes_first_and_then_the_oldest() -> None:
    lives = Lives()
    one = finding(id="a")
    old = msgspec.structs.replace(one, id="b", since=ago(minutes=1))
    worst = msgspec.structs.replace(one, id="c", severity=Severity.CRITICAL)
    lives.take([one, old, worst], now=NOW)
    assert [each.id for each in lives.current.items] == ["c", "b", "a"]


def test_what_is_remembered_of_the_past_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chimney.core.finding_life.MOST_PAST", 3)
    lives = Lives()
    for number in range(9):
        lives.take([finding(id=f"f{number}")], now=NOW)
    lives.take([], now=NOW)
    lives.take([], now=at(60))
    assert len(lives._past) == 3


def test_what_is_hidden_is_not_told_and_begins_anew_when_its_cause_is_over() -> None:
    lives = Lives(PACES)
    assert lives.take([finding()], now=at(20), hidden=lambda _one: True) == []
    assert lives.current.items == []
    assert lived(lives, (21, True), (31, True)) == [(31, "firing")]


def test_what_was_told_before_its_cause_is_hidden_and_not_resolved_by_it() -> None:
    lives = Lives(PACES)
    lived(lives, (0, True), (10, True))
    for second in (11, 60):
        assert lives.take([], now=at(second), hidden=lambda _one: True) == []
        assert lives.current.items == []
    assert lives.current.good_since == at(11)
    assert lived(lives, (61, True)) == []
    assert [one.since for one in lives.current.items] == [NOW]
    lives.take([], now=at(62), hidden=lambda _one: True)
    assert lived(lives, (63, False), (65, False)) == [(65, "resolved")]


def test_after_a_restart_a_finding_waits_until_it_is_seen_again_or_is_over() -> None:
    lives = Lives(PACES)
    lives.recall([finding(since=ago(hours=1)), finding(id="over")], until=at(20))
    assert lived(lives, (1, False), (19, False)) == []
    assert lives.current.items == []
    assert lives.alive() == []
    told = lives.take([finding(since=at(20))], now=at(20))
    assert [(one.change, one.finding.id) for one in told] == [(Change.RESOLVED, "over")]
    assert [one.since for one in lives.current.items] == [ago(hours=1)]


def test_a_silence_is_shown_and_told_and_ends_by_itself() -> None:
    lives = Lives()
    lives.take([finding()], now=NOW)
    lives.silences["slow:origin:hel1"] = Silence(until=at(60), by="ann", reason=None, at=NOW)
    told = [lives.take([finding()], now=at(second)) for second in (1, 2, 60, 61)]
    assert [[(one.change, one.finding.silenced is None) for one in alerts] for alerts in told] == [
        [(Change.UPDATED, False)],
        [],
        [(Change.UPDATED, True)],
        [],
    ]
