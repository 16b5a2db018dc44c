"""The dead man's switch: said when GitHub has not answered for ten minutes, and when its quota runs low, out, and back.

When nobody has asked GitHub for a while this does, by the one question that costs no quota.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from chimney.core.budget import Need, is_low
from chimney.github.client import GitHubClient
from chimney.github.errors import GitHubError, RateLimitedError
from chimney.origin.events import Says

LOST_SECONDS = 600.0
QUIET_SECONDS = 20.0  # an outage is to be known within the minute, also when nobody asks
ROUND_SECONDS = 2.0


class GitHubWatch:
    """`on_back` is called with the Unix seconds of the last success before GitHub was lost."""

    def __init__(self, client: GitHubClient, events: Says, *, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._events = events
        self._now = now
        self._started = self._asked_at = now()
        self._lost = False
        self._quota = "ok"
        self._last_success = self._started
        self.on_back: Callable[[float], None] = lambda _since: None

    async def look(self) -> float:
        """A loop's verb."""
        now = self._now()
        success = self._client.last_success or self._started
        if now - max(success, self._asked_at) > QUIET_SECONDS:
            self._asked_at = now
            with suppress(GitHubError):
                await self._client.get("/rate_limit", need=Need.URGENT)
        self._look_at_answers()
        self._look_at_quota()
        return ROUND_SECONDS

    def _look_at_answers(self) -> None:
        success = self._client.last_success or self._started
        before, self._last_success = self._last_success, success
        seconds = self._now() - success
        lost = seconds > LOST_SECONDS
        if lost == self._lost:
            return
        self._lost = lost
        if not lost:
            self._events.say("github_back", "GitHub answers again")
            self.on_back(before)
            return
        why = self._client.problem.said() if self._client.problem else "nobody asked it"
        text = f"no successful answer of GitHub for {seconds / 60:.0f} minutes: {why}"
        self._events.say("github_lost", text, level=logging.ERROR, seconds=round(seconds), problem=why)

    def _look_at_quota(self) -> None:
        quota = self._state_of_quota()
        if quota == self._quota:
            return
        before, self._quota = self._quota, quota
        limit = self._client.rate_limit
        figures: dict[str, Any] = {}
        if limit:
            figures = {"remaining": limit.remaining, "limit": limit.limit, "reset_at": limit.reset_at}
        if quota == "hit":
            why = str(self._client.problem or "nothing remains")
            self._events.say("rate_limit_hit", why, level=logging.WARNING, **figures)
        elif quota == "low" and before == "ok" and limit:
            text = f"{limit.remaining} of {limit.limit} requests remain until {limit.reset_at:%H:%M:%S} UTC"
            self._events.say("rate_limit_low", text, level=logging.WARNING, **figures)
        elif quota == "ok":
            self._events.say("rate_limit_reset", "GitHub's quota is there again", **figures)

    def _state_of_quota(self) -> str:
        problem, limit, now = self._client.problem, self._client.rate_limit, self._now()
        if isinstance(problem, RateLimitedError) and now < problem.retry_at:
            return "hit"
        if limit is None:
            return "ok"
        low = is_low(remaining=limit.remaining, limit=limit.limit, reset=limit.reset_at.timestamp(), now=now)
        return "low" if low else "ok"
