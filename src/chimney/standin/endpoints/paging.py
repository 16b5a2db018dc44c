"""One page of a list, with the `Link` to the others."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from chimney.standin.answers import Answer, Ask, found, page_link, page_of
from chimney.standin.bodies.base import Body

T = TypeVar("T")


def paged(ask: Ask, things: Sequence[T], body: Callable[[T], Body], *, under: str | None = None) -> Answer:
    """Only what is on the page is written down. `under`: the list is inside an object, beside its `total_count`."""
    page, per_page = page_of(ask)
    bodies = [body(thing) for thing in things[(page - 1) * per_page : page * per_page]]
    link = page_link(ask, len(things))
    if under is None:
        return found(bodies, link=link)
    return found({"total_count": len(things), under: bodies}, link=link)
