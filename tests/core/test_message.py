"""Notifications in words."""

from typing import Any

import msgspec
import pytest
from tests.core.origins import NOW, ago, deployment
from tests.core.test_notify import KNOWN, cause, due, told

from chimney.core.message import LONGEST_BODY, Kind, Message, message_of, unknown_fields, verdict_cause
from chimney.core.notify import Cause, Event
from chimney.wire.deployment import PullRequestRef
from chimney.wire.finding import Severity
from chimney.wire.origin import PlacedDeployment
from chimney.wire.verdict import Verdict, VerdictFigures, VerdictState

URL = "https://t.example"


def said(*causes: Cause, **more: Any) -> Message:
    return message_of(due(KNOWN, *causes), **{"url": URL, "now": NOW, **more})


def test_one_finding_says_what_is_wrong_why_and_what_to_do() -> None:
    message = said(cause(detail="It is down.", evidence=("DNS: NXDOMAIN",), remedy="Mend the name."))
    assert message == Message(
        "[warning] a is wrong",
        "It is down.\nDNS: NXDOMAIN\nWhat to do: Mend the name.\nhttps://t.example/",
        Kind.WARNING,
    )


def test_several_say_how_many_and_name_each_and_the_worst_gives_the_colour() -> None:
    message = said(cause("a"), cause("b", severity=Severity.CRITICAL), url=None)
    assert (message.title, message.kind) == ("chimney: 1 critical, 1 warning", Kind.FAILURE)
    assert message.body == "[warning] a is wrong\n\n[critical] b is wrong"


def test_what_is_over_says_how_long_it_was() -> None:
    message = message_of(due(told(cause())), url=URL, now=NOW)
    assert (message.title, message.kind) == ("[resolved] a is wrong", Kind.SUCCESS)
    assert message.body == "[resolved] a is wrong (after 5 min)"


def test_a_red_branch_has_recovered() -> None:
    red = cause(event=Event.MAIN, title="main of o/r is red")
    assert said(red).title == "[warning] main of o/r is red"
    assert message_of(due(told(red)), url=None, now=NOW).title == "[resolved] main of o/r has recovered"


def test_a_message_is_short_enough_for_a_chat() -> None:
    message = said(*(cause(str(number), title="t" * 300) for number in range(100)))
    assert len(message.body) <= LONGEST_BODY + 1
    assert "… and 85 more: https://t.example" in said(*(cause(str(number)) for number in range(100))).body


@pytest.mark.parametrize(
    ("text", "shown"),
    [("@everyone look", "@\u2009everyone look"), ("<!channel> hi", "‹!channel> hi"), ("<@U123>", "‹@U123>")],
)
def test_a_commit_message_cannot_call_everybody(text: str, shown: str) -> None:
    assert shown in said(cause(detail=text)).body


def test_a_template_says_it_in_other_words() -> None:
    message = said(cause(), cause("b"), template="{severity}/{origin}: {title} {unheard} {url}")
    assert message.body.splitlines()[0] == "warning/hel1: a is wrong {unheard} https://t.example/"
    assert unknown_fields("{title} {unheard}") == ["unheard"]


def verdict(state: VerdictState, **more: Any) -> Verdict:
    before = VerdictFigures(over_seconds=300, requests=900, error_rate_pct=0.1, p95_ms=84)
    after = VerdictFigures(over_seconds=300, requests=800, error_rate_pct=6.5, p95_ms=140, new_error_groups=2)
    usual = {"at": NOW, "after_seconds": 300, "before": before, "after": after, "previous": "d 0"}
    return Verdict(**{**usual, "state": state, **more})


def test_a_verdict_has_its_figures_a_link_and_the_way_back() -> None:
    pr = PullRequestRef(number=321, title="Fix retry", url=None)
    one = PlacedDeployment(origin="hel1", **msgspec.structs.asdict(deployment(id="d/1", pr=pr)))
    message = said(verdict_cause(one, verdict(VerdictState.HARMFUL, reasons=["a new kind of error, 9 times"])))
    assert (message.title, message.kind) == ("Deployment aaaaaaa of hel1 is harmful", Kind.WARNING)
    assert message.body.splitlines() == [
        "aaaaaaa (#321 Fix retry) to production by ann, 5 min after it.",
        "- a new kind of error, 9 times",
        "errors: 0.1 → 6.5 %",
        "95 % within: 84 → 140 ms",
        "new kinds of errors: 0 → 2",
        "restarts: 0 → 0",
        "requests: 900 → 800",
        "What to do: If it goes on, go back to the deployment before it.",
        "https://t.example/deployments/hel1/d%2F1",
        "Go back: https://t.example/deployments/hel1/d%200",
    ]
    harmless = said(verdict_cause(one, verdict(VerdictState.HARMLESS)))
    assert (harmless.title, harmless.kind) == ("Deployment aaaaaaa of hel1 is harmless", Kind.INFO)
    assert "Go back" not in harmless.body


def test_what_was_over_before_it_could_be_told_says_so() -> None:
    owed = msgspec.structs.replace(KNOWN, owed={"a": cause(since=ago(hours=2))})
    message = message_of(due(owed), url=None, now=NOW)
    assert message.body == "[over] a is wrong (began 2 h 0 min ago; it could not be told in time)"
