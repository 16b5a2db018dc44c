"""Faults on purpose: GitHub as it is on a bad day."""

import asyncio
from typing import Annotated, Literal

import msgspec

from chimney.standin.answers import Answer, problem

# GitHub's own answer when it is overloaded is a page, not JSON
UNICORN = b"<!DOCTYPE html><title>Unicorn! &middot; GitHub</title><p>This page is taking too long to load.</p>"
Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]


class Order(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What `POST /_standin/faults` takes. `path` is a prefix of the paths hit; all, when absent.

    Without `for_requests` and `for_seconds` the fault stays until it is deleted. `rate_limited` true is the primary
    limit; "secondary" is answered with `retry-after: retry_after_seconds`, and without the header when that is null.
    `opaque_etags`: entity tags that cannot be computed, as they would be if GitHub changed its way of making them.
    """

    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    delay_seconds: Seconds = 0
    hang: bool = False
    truncate: bool = False
    rate_limited: bool | Literal["primary", "secondary"] = False
    retry_after_seconds: Seconds | None = 60
    unauthorized: bool = False
    opaque_etags: bool = False
    path: str | None = None
    for_requests: Annotated[int, msgspec.Meta(ge=1)] | None = None
    for_seconds: Seconds | None = None

    def __post_init__(self) -> None:
        does = (self.status, self.delay_seconds, self.hang, self.truncate, self.rate_limited, self.unauthorized)
        if not any((*does, self.opaque_etags)):
            known = "status, delay_seconds, hang, truncate, rate_limited, unauthorized or opaque_etags"
            raise ValueError(f"no fault: say {known}")
        if self.for_requests and self.for_seconds:
            raise ValueError("for_requests and for_seconds exclude each other")

    @property
    def uses_up_the_quota(self) -> bool:
        return self.rate_limited in {True, "primary"}


def refusal_of(fault: Order) -> Answer | None:
    """The answer instead of the real one; None when the real one is only late, cut, or never comes."""
    if fault.unauthorized:
        return problem(401, "Bad credentials")
    if fault.rate_limited == "secondary":
        message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        wait = fault.retry_after_seconds
        return problem(fault.status or 403, message, headers=() if wait is None else ((b"retry-after", b"%d" % wait),))
    if fault.rate_limited:
        return problem(fault.status or 403, "API rate limit exceeded for user ID 1842117.")
    if fault.status is None:
        return None
    if fault.status in {502, 503, 504}:
        return Answer(status=fault.status, body=UNICORN, content_type=b"text/html; charset=utf-8")
    return problem(fault.status, "Server Error" if fault.status >= 500 else "Fault on purpose")


class Faults:
    """The newest order that matches a request is the one that hits it."""

    def __init__(self) -> None:
        self._orders: list[tuple[Order, float | None]] = []
        self._left: dict[int, int] = {}
        self._changed = asyncio.Event()

    def add(self, order: Order, *, now: float) -> None:
        until = None if order.for_seconds is None else now + order.for_seconds
        self._orders.append((order, until))
        if order.for_requests is not None:
            self._left[id(order)] = order.for_requests

    def take(self, path: str, *, now: float) -> Order | None:
        """The fault for this request, counted off; None on a good day."""
        if not self._orders:
            return None
        self._orders = [(order, until) for order, until in self._orders if until is None or now < until]
        for index in range(len(self._orders) - 1, -1, -1):
            order = self._orders[index][0]
            if order.path is None or path.startswith(order.path):
                self._count(index)
                return order
        return None

    def _count(self, index: int) -> None:
        order = self._orders[index][0]
        if order.for_requests is None:
            return
        self._left[id(order)] -= 1
        if self._left[id(order)] == 0:
            del self._orders[index], self._left[id(order)]

    def current(self, *, now: float) -> list[Order]:
        return [order for order, until in self._orders if until is None or now < until]

    def clear(self) -> None:
        """Also lets go of the requests that hang."""
        self._orders.clear()
        self._left.clear()
        self._changed.set()
        self._changed = asyncio.Event()

    async def hang(self, order: Order) -> None:
        """Until the faults are deleted, or the order's seconds are over."""
        try:
            await asyncio.wait_for(self._changed.wait(), order.for_seconds)
        except TimeoutError:
            return
