"""The dead man's switch, and what is said of the quota."""

import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from tests.fakes.github import HOST, QUOTA, Answer, GitHub, fails, raw, says

from chimney.github.client import GitHubClient
from chimney.github.errors import GitHubError
from chimney.origin.watch import GitHubWatch


class Bench:
    """`now` is the watch's clock; `said` what it told, by kind."""

    def __init__(self) -> None:
        self.github = GitHub()
        self.client = GitHubClient(HOST, "t", transport=self.github, deadline_seconds=0.5)
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.now = 1_794_736_000.0
        self.back: list[float] = []
        self.watch = GitHubWatch(self.client, self, now=lambda: self.now)
        self.watch.on_back = self.back.append

    def say(self, kind: str, message: str, *, level: int = 20, **data: Any) -> None:
        assert message
        self.said.append((kind, {**data, "level": level}))

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.said]

    async def look(self, *, after: float = 0.0) -> None:
        self.now += after
        await self.watch.look()

    async def asks(self, answer: Answer) -> None:
        """Somebody asks GitHub; a success counts as of the watch's clock."""
        self.github.then(answer)
        before = self.client.last_success
        with suppress(GitHubError):
            await self.client.get("/repos/acme/rocket")
        if self.client.last_success != before:
            self.client.last_success = self.now


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    await bench.client.close()


async def test_a_github_that_answers_is_nothing_to_tell(bench: Bench) -> None:
    await bench.asks(says())
    await bench.look(after=19)
    assert (bench.kinds, len(bench.github.asked)) == ([], 1)


async def test_after_twenty_quiet_seconds_it_is_asked_what_costs_nothing(bench: Bench) -> None:
    await bench.asks(says())
    await bench.look(after=21)
    await bench.look(after=19)
    assert bench.github.paths == ["/repos/acme/rocket", "/rate_limit"]


async def test_ten_minutes_without_an_answer_are_told_once_and_the_return_too(bench: Bench) -> None:
    await bench.asks(says())
    last = bench.now
    bench.github.then(fails(OSError("gone")))
    for _ in range(9):
        await bench.look(after=70)
    assert [(kind, data["seconds"]) for kind, data in bench.said] == [("github_lost", 630)]
    assert "unreachable" in bench.said[0][1]["problem"]
    await bench.look(after=70)
    await bench.asks(says())
    await bench.look()
    assert bench.kinds == ["github_lost", "github_back"]
    assert bench.back == [last]


async def test_a_github_that_never_answered_is_told_too(bench: Bench) -> None:
    bench.github.then(fails(OSError("gone")))
    await bench.look(after=601)
    assert bench.kinds == ["github_lost"]


def quota(remaining: int, reset: float) -> Answer:
    return raw(b"{}", **{**QUOTA, "x-ratelimit-remaining": str(remaining), "x-ratelimit-reset": f"{reset:.0f}"})  # type: ignore[arg-type]


async def test_a_quota_below_a_tenth_is_told_once_and_its_reset(bench: Bench) -> None:
    await bench.asks(quota(500, bench.now + 60))
    await bench.look()
    assert bench.kinds == []
    await bench.asks(quota(499, bench.now + 60))
    await bench.look()
    await bench.asks(quota(400, bench.now + 60))
    await bench.look()
    assert [(kind, data["remaining"]) for kind, data in bench.said] == [("rate_limit_low", 499)]
    await bench.look(after=61)
    assert bench.kinds == ["rate_limit_low", "rate_limit_reset"]


async def test_a_limit_that_was_hit_is_told_and_when_it_is_over(bench: Bench) -> None:
    bench.now = time.time()
    await bench.asks(says())
    await bench.asks(says({"message": "wait"}, status=429, retry_after="30"))
    await bench.look()
    assert bench.kinds == ["rate_limit_hit"]
    await bench.look(after=31)
    assert bench.kinds == ["rate_limit_hit", "rate_limit_reset"]
