"""How the repository lives: what comes by itself, and what follows from what happened, each at its time.

Everything is put on the agenda with a virtual time drawn from the repository's own seeded randomness, so the same
seed and the same anchor give the same history, however often the clock is read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from chimney.standin import deployments, runs, threads
from chimney.standin.clock import Agenda
from chimney.standin.invention import Invention
from chimney.standin.model import Issue, Job, Proposal, Pull, Run
from chimney.standin.repository import MAIN, Happening, Repository
from chimney.standin.vocabulary import CI, DEPLOY, LABEL, NIGHTLY

DAY = 86_400.0
NIGHTLY_AT = 2 * 3_600 + 40 * 60
DEPLOY_WAITS = 5.0  # seconds until a deployment looks again whether the one before is over
FIRST_CHANGE = (2.0, 8.0)  # seconds: whoever starts a demonstration should not wait for the first thing to happen
FLAKY = 0.55  # of failed checks: a second attempt is all they need
FAILS = {CI.id: 0.04, DEPLOY.id: 0.05, NIGHTLY.id: 0.05}  # of jobs; CI has four


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds of virtual time, each a range to draw from. `jobs` scales what a job takes."""

    change: tuple[float, float]
    bug: tuple[float, float]
    wish: tuple[float, float]
    release: tuple[float, float]
    queue: tuple[float, float]
    react: tuple[float, float]
    jobs: float
    open_pulls: int
    office_hours: bool = False


# One change in two minutes, each with about ten visible events: something moves every ten to fifteen seconds
DEMONSTRATION = Pace(
    change=(80, 170), bug=(200, 420), wish=(500, 900), release=(900, 1_500), queue=(2, 6), react=(8, 40),
    jobs=0.2, open_pulls=4,
)  # fmt: skip
# About three changes a working day, over the working days of sixty
HISTORY = Pace(
    change=(0.8 * 3_600, 5.6 * 3_600), bug=(2 * DAY, 5 * DAY), wish=(3 * DAY, 8 * DAY), release=(4 * DAY, 8 * DAY),
    queue=(4, 25), react=(600, 5 * 3_600), jobs=1.0, open_pulls=3, office_hours=True,
)  # fmt: skip


class Life:
    """`calm`: what has begun still ends, and ends well, but nothing new comes and nobody reacts."""

    def __init__(self, repo: Repository, agenda: Agenda, invention: Invention, *, pace: Pace) -> None:
        self._repo = repo
        self._agenda = agenda
        self._invention = invention
        self.pace = pace
        self.calm = False
        repo.listeners.append(self.hear)

    def begin(self, at: float) -> None:
        """Fills an empty agenda."""
        for job in [job for run in self._repo.unfinished_runs for job in run.jobs]:
            self._see_to(job, self._repo.jobs[job.id][0], at)
        if self.calm:
            return
        for pull in self._repo.open_pulls:
            self._later(partial(self._review, pull), at)
        self._agenda.add(at + self._draw(FIRST_CHANGE), self._change)
        for gap, comes in (
            (self.pace.bug, self._bug), (self.pace.wish, self._wish),
            (self.pace.release, self._release),
        ):  # fmt: skip
            self._agenda.add(at + self._draw(gap) / 4, comes)
        midnight = at - at % DAY
        first = midnight + NIGHTLY_AT
        self._agenda.add(first if first > at else first + DAY, self._night)

    def hear(self, happening: Happening) -> None:
        subject = happening.subject
        if isinstance(subject, Job):
            run = happening.more["run"]
            self._see_to(subject, run if isinstance(run, Run) else self._repo.jobs[subject.id][0], happening.at)
        elif isinstance(subject, Run) and happening.action == "completed" and not self.calm:
            self._after_run(subject, happening.at)

    def _draw(self, span: tuple[float, float]) -> float:
        return self._repo.random.uniform(*span)

    def _chance(self, probability: float) -> bool:
        return self._repo.random.random() < probability

    def _later(self, deed: Callable[[float], None], at: float) -> None:
        """As soon as somebody reacts."""
        self._agenda.add(self._awake(at + self._draw(self.pace.react)), deed)

    def _awake(self, at: float) -> float:
        """The next moment of a working day, when people keep office hours."""
        if not self.pace.office_hours:
            return at
        moment = datetime.fromtimestamp(at, UTC)
        if moment.weekday() < 5 and 7 <= moment.hour < 18:
            return at
        morning = at - at % DAY + 7 * 3_600 + self._draw((0, 2 * 3_600))
        while morning <= at or datetime.fromtimestamp(morning, UTC).weekday() >= 5:
            morning += DAY
        return morning

    def _see_to(self, job: Job, run: Run, at: float) -> None:
        if job.status == "queued":
            self._agenda.add(at + self._draw(self.pace.queue), partial(self._start, run, job))
        elif job.status == "in_progress":
            takes = job.plan.seconds * self.pace.jobs * self._draw((0.8, 1.3))
            self._agenda.add(at + takes, partial(self._finish, run, job))

    def _start(self, run: Run, job: Job, at: float) -> None:
        ahead = job.plan.environment and any(
            other.workflow is DEPLOY and other.status == "in_progress" for other in self._repo.unfinished_runs
        )
        if ahead:
            self._agenda.add(at + DEPLOY_WAITS, partial(self._start, run, job))
        else:
            runs.start_job(self._repo, run, job, at=at)

    def _finish(self, run: Run, job: Job, at: float) -> None:
        if job.status != "in_progress":
            return
        fails = FAILS.get(run.workflow.id, 0) / (1 if run.attempt == 1 else 4)
        conclusion = "failure" if not self.calm and self._chance(fails) else "success"
        runs.finish_job(self._repo, run, job, at=at, conclusion=conclusion)

    def _after_run(self, run: Run, at: float) -> None:
        if run.workflow is NIGHTLY or run.conclusion == "cancelled":
            return
        if run.conclusion == "failure":
            self._later(partial(self._mend, run), at)
            return
        for number in run.pulls:
            pull = self._repo.threads.get(number)
            if isinstance(pull, Pull):
                self._later(partial(self._review, pull), at)

    def _mend(self, run: Run, at: float) -> None:
        """Tries again, or pushes what was wrong."""
        head = self._repo.branches.get(run.branch)
        if not run.done or run.conclusion != "failure" or head is None:
            return
        person = self._invention.person()
        if run.workflow is DEPLOY or (run.attempt == 1 and self._chance(FLAKY)):
            runs.rerun(self._repo, run, at=at, actor=person, only=runs.failed_jobs(run))
        elif head == run.sha:
            message = self._invention.mend() if run.branch == MAIN else self._invention.follow_up()
            threads.push(self._repo, branch=run.branch, messages=[message], author=person, at=at)

    def _review(self, pull: Pull, at: float) -> None:
        """Looked at: made ready, improved, merged, or left for later when little else is open."""
        if pull.state != "open":
            return
        if any(run.conclusion != "success" for run in self._repo.runs_of.get(pull.head_sha, ())):
            return
        if pull.draft:
            threads.make_ready(self._repo, pull, at=at)
            self._later(partial(self._review, pull), at)
        elif len(pull.commits) < 4 and self._chance(0.2):
            message = self._invention.follow_up()
            threads.push(self._repo, branch=pull.head_ref, messages=[message], author=pull.user, at=at)
        elif len(self._repo.open_pulls) <= self.pace.open_pulls - 1:
            self._later(partial(self._review, pull), at)
        else:
            threads.merge_pull(self._repo, pull, by=self._invention.person(), at=at)

    def _change(self, at: float) -> None:
        self._agenda.add(self._awake(at + self._draw(self.pace.change)), self._change)
        self._repo.prune()
        if len(self._repo.open_pulls) >= self.pace.open_pulls + 3:
            return
        threads.open_pull(self._repo, self.propose(), at=at)

    def propose(self) -> Proposal:
        """A mend for the oldest bug that has none, when bugs gather; else something new."""
        change = self._invention.change()
        mended = {pull.closes for pull in self._repo.open_pulls}
        bugs = [bug for bug in self._repo.open_bugs if bug.number not in mended]
        if len(bugs) > 2 and self._chance(0.7):
            return _mending(bugs[0], change.branch, self._invention)
        return Proposal(
            title=change.title, branch=change.branch, author=change.author, labels=change.labels,
            draft=self._chance(0.08),
        )  # fmt: skip

    def _bug(self, at: float) -> None:
        self._agenda.add(self._awake(at + self._draw(self.pace.bug)), self._bug)
        if len(self._repo.open_bugs) < 5:
            self.open_bug(at)

    def open_bug(self, at: float) -> Issue:
        labels = [LABEL["type:bug"], LABEL["priority:high"]] if self._chance(0.2) else [LABEL["type:bug"]]
        title = self._invention.bug(known=self._open_titles())
        return threads.open_issue(self._repo, title=title, author=self._invention.person(), at=at, labels=labels)

    def _open_titles(self) -> set[str]:
        return {thread.title for thread in self._repo.open_threads}

    def _wish(self, at: float) -> None:
        self._agenda.add(self._awake(at + self._draw(self.pace.wish)), self._wish)
        wishes = [one for one in self._repo.open_threads if not isinstance(one, Pull) and not one.is_bug]
        if len(wishes) < 10:
            self.open_wish(at)
        else:
            threads.close_issue(self._repo, wishes[0], by=self._invention.person(), at=at)

    def open_wish(self, at: float) -> Issue:
        title = self._invention.wish(known=self._open_titles())
        labels = [LABEL["type:feature"]]
        return threads.open_issue(self._repo, title=title, author=self._invention.person(), at=at, labels=labels)

    def _release(self, at: float) -> None:
        self._agenda.add(self._awake(at + self._draw(self.pace.release)), self._release)
        if self._repo.branches[MAIN] not in self._repo.tags.values():
            tag = deployments.next_tag(self._repo)
            deployments.publish_release(self._repo, at=at, author=self._invention.person(), tag=tag)

    def _night(self, at: float) -> None:
        self._agenda.add(at + DAY, self._night)
        runs.scheduled(self._repo, NIGHTLY, at=at)


def _mending(bug: Issue, branch: str, invention: Invention) -> Proposal:
    first, rest = bug.title[0], bug.title[1:]
    lowered = first + rest if rest[:1].isupper() or rest[:1].isdigit() else first.lower() + rest
    return Proposal(
        title=f"Fix: {lowered}", branch=f"fix/{bug.number}-{branch.rpartition('/')[2]}", author=invention.person(),
        labels=[LABEL["type:bug"]], body=f"Fixes #{bug.number}", closes=bug.number,
    )  # fmt: skip
