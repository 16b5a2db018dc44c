from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import httpx2
import pytest
from tests.standin.receiver import REPO, Make, Wall

from chimney.standin.app import Standin
from chimney.standin.repository import KEPT_RUNS, KEPT_THREADS, Happening

HOUR = 3_600


def heard(standin: Standin) -> list[Happening]:
    """What happens from now on."""
    happenings: list[Happening] = []
    standin.repo.listeners.append(happenings.append)
    return happenings


def outline(happenings: list[Happening]) -> list[object]:
    return [(one.event, one.action, one.at, one.sender.login) for one in happenings]


def test_an_hour_brings_some_of_everything(make: Make, wall: Wall) -> None:
    standin = make(speed=1)
    happenings = heard(standin)
    wall.move(HOUR)
    standin.advance()
    events = Counter(one.event for one in happenings)
    assert events["pull_request"] >= 30
    assert events["deployment"] >= 8
    assert events["issues"] >= 5
    assert events["release"] >= 1
    conclusions = Counter(run.conclusion for run in standin.repo.runs.values() if run.created_at > standin.clock.anchor)
    assert conclusions["success"] >= 30
    assert conclusions["failure"] >= 1


def test_something_visible_happens_every_twenty_seconds(make: Make, wall: Wall) -> None:
    standin = make(speed=1)
    happenings = heard(standin)
    wall.move(HOUR)
    standin.advance()
    times = [one.at for one in happenings]
    assert times[0] - standin.clock.anchor < 10
    gaps = sorted(after - before for before, after in pairwise(times) if after > before)
    assert gaps[int(len(gaps) * 0.95)] <= 20
    assert HOUR / len(set(times)) <= 15


@pytest.mark.parametrize("step", [1, 17, HOUR])
def test_the_same_seed_and_clock_give_the_same_life_however_often_it_is_read(make: Make, wall: Wall, step: int) -> None:
    one, other = make(speed=1, seed=7), make(speed=1, seed=7)
    first, second = heard(one), heard(other)
    for _ in range(step, HOUR, step):
        wall.move(step)
        one.advance()
    wall.now = one.clock.anchor + HOUR
    one.advance()
    other.advance()
    assert outline(first) == outline(second)
    assert one.repo.branches == other.repo.branches


def test_another_seed_gives_another_life(make: Make) -> None:
    one, other = make(seed=1), make(seed=2)
    assert one.repo.branches["main"] != other.repo.branches["main"]


async def test_instances_with_the_same_seed_answer_the_same_bytes(
    make: Make, wall: Wall, asking: Callable[..., httpx2.AsyncClient]
) -> None:
    one, other = (asking(make(speed=1)) for _ in range(2))
    wall.move(500)
    for path in ("", "/pulls", "/issues?state=all", "/actions/runs", "/deployments", "/releases", "/commits"):
        mine, theirs = await one.get(REPO + path), await other.get(REPO + path)
        assert mine.content == theirs.content
        assert mine.headers["etag"] == theirs.headers["etag"]


async def test_at_speed_0_nothing_happens_but_what_is_asked(
    standin: Standin, wall: Wall, github: httpx2.AsyncClient
) -> None:
    happenings = heard(standin)
    before = (await github.get(REPO)).headers["etag"]
    wall.move(30 * 24 * HOUR)
    assert (await github.get(REPO, headers={"if-none-match": before})).status_code == 304
    assert happenings == []
    await github.post("/_standin/do", json={"do": "open_pr"})
    wall.move(24 * HOUR)
    await github.get(REPO)
    assert Counter(one.event for one in happenings) == {
        "push": 1, "pull_request": 1, "workflow_run": 1, "workflow_job": 4,
    }  # fmt: skip


async def test_what_is_asked_bears_the_time_of_asking(wall: Wall, github: httpx2.AsyncClient) -> None:
    wall.move(90)
    answer = await github.post("/_standin/do", json={"do": "open_bug"})
    assert answer.json()["issue"]["created_at"] == "2026-11-15T09:48:10Z"


def test_speed_multiplies_time(make: Make, wall: Wall) -> None:
    slow, fast = make(speed=1), make(speed=60)
    wall.move(60)
    slow.advance()
    fast.advance()
    assert fast.clock.now() - fast.clock.anchor == 3_600
    assert len(fast.repo.runs) > len(slow.repo.runs)


def test_a_long_demonstration_stays_bounded(make: Make, wall: Wall) -> None:
    standin = make(speed=1)
    wall.move(24 * HOUR)
    standin.advance()
    repo = standin.repo
    assert KEPT_RUNS <= len(repo.runs) <= KEPT_RUNS + 10
    assert len(repo.threads) <= KEPT_THREADS + 10
    assert sum(map(len, repo.runs_of.values())) == len(repo.runs)
    assert len(repo.jobs) <= 6 * KEPT_RUNS
    assert 3 <= len(repo.open_pulls) <= 7
    assert 1 <= len(repo.open_bugs) <= 5
    assert len(standin.agenda) < 100
    assert len({thread.title for thread in repo.open_threads}) == len(repo.open_threads)
