"""A stored response as the rules see it, and what they may say of it."""

from enum import StrEnum
from typing import Any, NamedTuple

from chimney.core.delivery import Body

DEFAULT_PER_PAGE = 30


class Say(StrEnum):
    KEEP = "keep"  # not touched by the delivery, or already as new
    PATCH = "patch"  # here is the body as it is now
    OLD = "old"  # surely older than the delivery, and what is new cannot be told from it
    UNSURE = "unsure"  # may be touched; cannot be told


class Verdict(NamedTuple):
    """`look`: the patch is right as far as it goes, but GitHub should be asked for the rest."""

    say: Say
    body: Any = None
    look: bool = False


KEEP, OLD, UNSURE = Verdict(Say.KEEP), Verdict(Say.OLD), Verdict(Say.UNSURE)


def patch(body: Any, *, look: bool = False) -> Verdict:
    return Verdict(Say.PATCH, body, look)


class Held(NamedTuple):
    """`below` is the path below the repository, `more` whether there are pages after this one.

    `as_of` is the latest change that GitHub's own answer knew of, before anything was patched into it.
    """

    below: str
    query: dict[str, str]
    body: Any
    more: bool = False
    as_of: str = ""

    @property
    def page(self) -> int:
        return int(self.query.get("page", 1))

    @property
    def per_page(self) -> int:
        return int(self.query.get("per_page", DEFAULT_PER_PAGE))

    @property
    def segments(self) -> list[str]:
        return self.below.split("/")


def latest_change(body: Any) -> str:
    """The latest `updated_at` in a response: what it knew of. Empty when it has none."""
    if isinstance(body, dict):
        lists = [value for name in ("workflow_runs", "jobs") if isinstance(value := body.get(name), list)]
        items: list[Body] = lists[0] if lists else [body]
    else:
        items = body if isinstance(body, list) else []
    stamps = [item.get("updated_at") for item in items if isinstance(item, dict)]
    return max((stamp for stamp in stamps if isinstance(stamp, str)), default="")
