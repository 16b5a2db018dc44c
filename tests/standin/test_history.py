"""What a visitor finds: no screen empty, and nothing that contradicts itself."""

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import httpx2
import pytest
from tests.standin.receiver import REPO, Make, Wall

from chimney.standin.app import Standin, StandinSettings
from chimney.standin.model import Pull

DAY = 86_400


@pytest.fixture(scope="module", params=[1, 2, 3])
def lived(request: pytest.FixtureRequest) -> Standin:
    return Standin(StandinSettings(speed=0, seed=request.param), real=Wall())


def test_sixty_days_leave_enough_of_everything(lived: Standin) -> None:
    repo = lived.repo
    pulls = [thread for thread in repo.threads.values() if isinstance(thread, Pull)]
    states = Counter(deployment.state for deployment in repo.deployments.values())
    outcomes = Counter(run.conclusion for run in repo.runs.values())
    assert 120 <= sum(pull.merged_at is not None for pull in pulls) <= 200
    assert 500 <= len(repo.runs) <= 800
    assert 100 <= len(repo.deployments) <= 250
    assert 5 <= len(repo.releases) <= 15
    assert states["success"] == 1
    assert states["failure"] >= 1
    assert outcomes["failure"] >= 10
    assert sum(run.attempt > 1 for run in repo.runs.values()) >= 10


def test_it_is_left_tidy(lived: Standin) -> None:
    repo = lived.repo
    assert 3 <= len(repo.open_pulls) <= 4
    assert len(repo.open_bugs) == 3
    assert len(repo.open_threads) - len(repo.open_pulls) == 12
    assert repo.unfinished_runs == []
    [newest] = [run for run in repo.runs_of[repo.branches["main"]] if run.workflow.name == "CI"]
    assert newest.conclusion == "success"


def test_times_go_forward(lived: Standin) -> None:
    repo, end = lived.repo, lived.clock.anchor
    for run in repo.runs.values():
        assert run.created_at <= run.started_at <= run.updated_at <= end
        for job in run.jobs:
            assert job.started_at is not None
            assert job.completed_at is not None
            assert job.created_at <= job.started_at <= job.completed_at
    created = [run.created_at for run in repo.runs.values()]
    assert created == sorted(created)
    assert end - 61 * DAY < created[0] < end - 57 * DAY
    merges = [pull.merged_at for pull in repo.threads.values() if isinstance(pull, Pull) and pull.merged_at]
    assert all(merge <= end for merge in merges)


def test_people_keep_office_hours(make: Make) -> None:
    pulls = [thread for thread in make(history_days=60).repo.threads.values() if isinstance(thread, Pull)]
    weekdays = Counter(int(pull.created_at // DAY + 4) % 7 for pull in pulls)  # 0 is Sunday: 1970 began on a Thursday
    assert weekdays[0] + weekdays[6] <= len(pulls) / 20


def test_everything_named_is_there(lived: Standin) -> None:
    repo = lived.repo
    for run in repo.runs.values():
        assert run.sha in repo.commits
    for deployment in repo.deployments.values():
        assert deployment.run in repo.runs
        assert deployment.sha in repo.commits
    for pull in repo.open_pulls:
        assert repo.branches[pull.head_ref] == pull.head_sha
    assert set(repo.branches) == {"main", *(pull.head_ref for pull in repo.open_pulls)}
    assert set(repo.tags) == set(repo.releases)


def test_deployments_alternate_between_the_slots(lived: Standin) -> None:
    live = [one.slot for one in lived.repo.deployments.values() if one.state in {"success", "inactive"}]
    assert all(before != after for before, after in pairwise(live))


async def test_counts_agree(lived: Standin, asking: Callable[..., httpx2.AsyncClient]) -> None:
    github = asking(lived)
    repository = (await github.get(REPO)).json()
    issues = (await github.get(f"{REPO}/issues?per_page=100")).json()
    pulls = (await github.get(f"{REPO}/pulls?per_page=100")).json()
    assert repository["open_issues_count"] == repository["open_issues"] == len(issues)
    assert [one["number"] for one in issues if "pull_request" in one] == [one["number"] for one in pulls]
    runs = (await github.get(f"{REPO}/actions/runs?per_page=1")).json()
    assert runs["total_count"] == len(lived.repo.runs)
