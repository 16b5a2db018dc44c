"""Laying deliveries over a stored response, in the order in which they are given."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from chimney.core.delivery import Delivery
from chimney.core.patch.held import UNSURE, Held, Say, Verdict, latest_change
from chimney.core.patch.rules import ORGANISATION, Rule, rules_beside, rules_for


class Laid(NamedTuple):
    """`body` is the new one, None when it stays as it was. `old` and `unsure` as the rules said of what is left.

    `touched` are the places of the deliveries that changed it or put it in doubt.
    """

    body: Any = None
    old: bool = False
    unsure: bool = False
    look: bool = False
    as_of: str = ""
    touched: tuple[int, ...] = ()


def rules_of(delivery: Delivery, path: str) -> tuple[Rule, ...]:
    """The rules that judge what is stored under `path`; empty when the delivery does not touch it.

    Paths name the repository in any case.
    """
    repo = f"/repos/{delivery.repo}".lower()
    if path.lower() == repo or path.lower().startswith(repo + "/"):
        return rules_for(delivery.event, path[len(repo) + 1 :])
    owner = (delivery.repo or "").partition("/")[0]
    return rules_beside(path) if path.lower() == f"{ORGANISATION}{owner}/repos".lower() else ()


def lay(deliveries: Sequence[Delivery], key: str, body: Any, *, more: bool, as_of: str | None) -> Laid:
    """Everything that `deliveries` say of the decoded response stored under `key` (path and query).

    `as_of` None means that nothing was laid over it before: then it is found out.
    """
    path, _, query = key.partition("?")
    repo = f"/repos/{deliveries[0].repo}" if deliveries else ""
    below = path[len(repo) + 1 :] if path.lower().startswith(repo.lower()) else ""
    known = latest_change(body) if as_of is None else as_of
    held = Held(below, dict(parse_qsl(query)), body, more, known)
    laid = Laid(as_of=known)
    for place, delivery in enumerate(deliveries):
        for rule in rules_of(delivery, path):
            verdict = _judged(rule, delivery, held)
            if verdict.say is Say.PATCH:
                held = held._replace(body=verdict.body)
            laid = _with(laid, verdict, place)
    return laid


def _with(laid: Laid, verdict: Verdict, place: int) -> Laid:
    if verdict.say is Say.KEEP:
        return laid
    return Laid(
        body=verdict.body if verdict.say is Say.PATCH else laid.body,
        old=laid.old or verdict.say is Say.OLD,
        unsure=laid.unsure or verdict.say is Say.UNSURE,
        look=laid.look or verdict.look,
        as_of=laid.as_of,
        touched=laid.touched if place in laid.touched else (*laid.touched, place),
    )


def _judged(rule: Rule, delivery: Delivery, held: Held) -> Verdict:
    """A response or a payload of another shape than GitHub documents is one that cannot be judged."""
    try:
        return rule(delivery, held)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return UNSURE
