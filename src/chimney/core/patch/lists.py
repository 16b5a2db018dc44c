"""One item in a page of a listing: changed in place, put in, taken out, moved."""

from collections.abc import Callable
from typing import Any, NamedTuple

from chimney.core.delivery import Body
from chimney.core.patch.held import KEEP, UNSURE, Held, Verdict, patch

Key = Callable[[Body], Any]


class Change(NamedTuple):
    """What is now true of one `thing`. `body` is how the listing has it; None when that cannot be written down.

    `at` is when it became true (RFC 3339), `key` what the listing is sorted by (None: by nothing that we know).
    `merge` makes the new item of the old one; None means that the old one is already as new.
    """

    is_it: Callable[[Body], bool]
    thing: Body
    body: Body | None
    belongs: bool
    at: str
    key: Key | None
    merge: Callable[[Body], Body | None]
    descending: bool = True


def settle(items: list[Body], change: Change, held: Held) -> Verdict:
    """The page with the change in it. Its verdict's body is the list of items."""
    place = next((place for place, item in enumerate(items) if change.is_it(item)), None)
    if place is not None:
        return _known(items, place, change, held)
    if held.page > 1 or "before" in held.query or "after" in held.query:
        return UNSURE  # something may have moved over from the page before
    if not change.belongs or change.at < held.as_of:  # GitHub's answer is from after the change: it knew
        return KEEP
    return _put_in(items, change, held)


def _known(items: list[Body], place: int, change: Change, held: Held) -> Verdict:
    merged = change.merge(items[place])
    if merged is None:
        return KEEP
    others = items[:place] + items[place + 1 :]
    if not change.belongs:
        return UNSURE if held.page > 1 else patch(others, look=held.more)
    if change.key is None or change.key(merged) == change.key(items[place]):
        return KEEP if merged == items[place] else patch([*items[:place], merged, *items[place + 1 :]])
    new = _place_of(others, merged, change)
    at_the_edge = (new == 0 and held.page > 1) or (new == len(others) and held.more)
    return UNSURE if at_the_edge else patch([*others[:new], merged, *others[new:]])


def _put_in(items: list[Body], change: Change, held: Held) -> Verdict:
    if change.key is None:
        return UNSURE
    place = _place_of(items, change.thing, change)
    full = len(items) >= held.per_page
    if place == len(items) and (full or held.more):
        return KEEP if held.more else UNSURE  # it is on a later page; there has to be one now
    if change.body is None:
        return UNSURE
    longer = [*items[:place], change.body, *items[place:]]
    return patch(longer[: held.per_page], look=full and not held.more)


def _place_of(items: list[Body], item: Body, change: Change) -> int:
    key = change.key or (lambda _: 0)
    mine = key(item)
    for place, other in enumerate(items):
        if (key(other) < mine) if change.descending else (key(other) > mine):
            return place
    return len(items)


def settle_within(name: str, change: Change, held: Held) -> Verdict:
    """The same for a listing that is inside an object, beside its `total_count`."""
    body = held.body
    if not isinstance(body, dict) or not isinstance(items := body.get(name), list):
        return UNSURE
    verdict = settle(items, change, held)
    if verdict.body is None:
        return verdict
    was = any(change.is_it(item) for item in items)
    step = int(change.belongs) - int(was)
    total = body.get("total_count")
    counted = {"total_count": max(0, total + step)} if isinstance(total, int) else {}
    return verdict._replace(body={**body, **counted, name: verdict.body})


def settle_list(change: Change, held: Held) -> Verdict:
    return settle(held.body, change, held) if isinstance(held.body, list) else UNSURE
