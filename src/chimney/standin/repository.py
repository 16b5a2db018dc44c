"""The living repository: its state, its numbers, and who is told when something happens to it."""

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple, TypeVar

from chimney.standin.model import (
    Commit,
    Deployment,
    Issue,
    Job,
    Milestone,
    Pull,
    Release,
    Run,
    Subject,
    User,
    Workflow,
)
from chimney.standin.vocabulary import PEOPLE, WORKFLOWS

T = TypeVar("T")
MAIN = "main"
# What is kept, so that a demonstration of weeks stays small: a run with its jobs is about 2.5 kB, the rest under 1 kB
KEPT_RUNS, KEPT_THREADS, KEPT_DEPLOYMENTS, KEPT_COMMITS = 1_200, 1_000, 300, 2_000


class RefusedError(Exception):
    """What was asked cannot happen in the present state. `status` is what GitHub answers."""

    def __init__(self, message: str, *, status: int = 422) -> None:
        super().__init__(message)
        self.status = status


class Happening(NamedTuple):
    """One event in GitHub's words; `more` is what only this kind of event has."""

    event: str
    action: str | None
    subject: Subject
    at: float
    sender: User
    more: dict[str, object]


class Repository:
    def __init__(self, full_name: str, *, seed: int, born: float) -> None:
        self.random = Random(seed)
        owner, _, self.name = full_name.partition("/")
        self.owner = User(id=88_341_207, login=owner, name=owner.title(), email="", type="Organization")
        self.id = 645_120_388
        self.created_at = self.updated_at = self.pushed_at = born
        self.old_names: set[str] = set()
        self.people: tuple[User, ...] = PEOPLE
        self.workflows: tuple[Workflow, ...] = WORKFLOWS
        self.threads: dict[int, Issue] = {}
        self.commits: dict[str, Commit] = {}
        self.branches: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.runs: dict[int, Run] = {}
        self.runs_of: dict[str, list[Run]] = {}
        self.jobs: dict[int, tuple[Run, Job]] = {}
        self.deployments: dict[int, Deployment] = {}
        self.releases: dict[str, Release] = {}
        self.milestones: dict[int, Milestone] = {}
        self.run_numbers: dict[str, int] = {}
        self.listeners: list[Callable[[Happening], None]] = []
        self.version = 0
        self._last_number = 0
        self._ids: dict[str, int] = {
            "issue": 2_410_300_117, "pull": 1_690_412_008, "run": 17_204_553_801, "job": 48_310_220_455,
            "deployment": 2_702_118_340, "status": 5_100_447_902, "release": 201_338_551, "milestone": 12_004_118,
        }  # fmt: skip
        self.root = self.add_commit("Start the timetable", author=PEOPLE[0], at=born, branch=MAIN)

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    def next_id(self, kind: str) -> int:
        self._ids[kind] += 1 + int(self.random.random() * 2_000)
        return self._ids[kind]

    def next_number(self) -> int:
        self._last_number += 1
        return self._last_number

    def tell(
        self, event: str, action: str | None, subject: Subject, *, at: float, sender: User, **more: object
    ) -> None:
        self.version += 1
        self.updated_at = max(self.updated_at, at)
        happening = Happening(event, action, subject, at, sender, more)
        for listener in self.listeners:
            listener(happening)

    def add_commit(self, message: str, *, author: User, at: float, branch: str, pull: int | None = None) -> Commit:
        head = self.branches.get(branch)
        sha = f"{self.random.getrandbits(160):040x}"
        parents = (head,) if head else ()
        commit = Commit(sha=sha, message=message, author=author, at=at, parents=parents, pull=pull)
        self.commits[sha] = commit
        self.branches[branch] = sha
        self.pushed_at = max(self.pushed_at, at)
        return commit

    def add_run(self, run: Run) -> None:
        self.runs[run.id] = run
        self.runs_of.setdefault(run.sha, []).append(run)

    def _forget_run(self, run: Run) -> None:
        del self.runs[run.id]
        self.runs_of[run.sha].remove(run)
        if not self.runs_of[run.sha]:
            del self.runs_of[run.sha]
        for job in (*run.jobs, *(job for jobs in run.past.values() for job in jobs)):
            self.jobs.pop(job.id, None)

    def rename(self, name: str, *, at: float) -> None:
        self.old_names.add(self.full_name.lower())
        old, self.name = self.name, name
        self.old_names.discard(self.full_name.lower())
        changes = {"repository": {"name": {"from": old}}}
        self.tell("repository", "renamed", None, at=at, sender=self.people[0], changes=changes)

    def resolve(self, ref: str) -> Commit | None:
        """A branch, a tag, `heads/…`, `tags/…`, a sha or at least seven digits of one."""
        ref = ref.removeprefix("refs/")
        sha = self.branches.get(ref.removeprefix("heads/")) or self.tags.get(ref.removeprefix("tags/")) or ref.lower()
        if ref == "HEAD":
            sha = self.branches[MAIN]
        if sha in self.commits or not 7 <= len(sha) < 40:
            return self.commits.get(sha)
        return next((commit for known, commit in self.commits.items() if known.startswith(sha)), None)

    def ancestry(self, sha: str) -> Iterator[Commit]:
        """The commit and its first parents, newest first, as far as they are kept."""
        commit = self.commits.get(sha)
        while commit is not None:
            yield commit
            commit = self.commits.get(commit.parents[0]) if commit.parents else None

    @property
    def open_threads(self) -> list[Issue]:
        return [thread for thread in self.threads.values() if thread.state == "open"]

    @property
    def open_pulls(self) -> list[Pull]:
        return [thread for thread in self.open_threads if isinstance(thread, Pull)]

    @property
    def open_bugs(self) -> list[Issue]:
        return [thread for thread in self.open_threads if not isinstance(thread, Pull) and thread.is_bug]

    @property
    def unfinished_runs(self) -> list[Run]:
        return [run for run in self.runs.values() if not run.done]

    @property
    def latest_release(self) -> Release | None:
        full = (release for release in reversed(self.releases.values()) if not release.prerelease)
        return next(full, None)

    def prune(self) -> None:
        """Forgets the oldest finished things beyond what is kept; what is open stays."""
        for run in _surplus(list(self.runs.values()), KEPT_RUNS, lambda run: run.done):
            self._forget_run(run)
        for thread in _surplus(list(self.threads.values()), KEPT_THREADS, lambda one: one.state == "closed"):
            del self.threads[thread.number]
        for old in _surplus(list(self.deployments.values()), KEPT_DEPLOYMENTS, lambda _: True):
            del self.deployments[old.id]
        named = {*self.branches.values(), *self.tags.values()}
        for commit in _surplus(list(self.commits.values()), KEPT_COMMITS, lambda one: one.sha not in named):
            del self.commits[commit.sha]


def _surplus(things: list[T], kept: int, may_go: Callable[[T], bool]) -> list[T]:
    surplus = len(things) - kept
    return [thing for thing in things[:surplus] if may_go(thing)] if surplus > 0 else []
