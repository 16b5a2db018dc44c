"""The days before the stand-in was started: the same life at a team's pace, left in a tidy state."""

from chimney.standin import threads
from chimney.standin.clock import Agenda
from chimney.standin.deployments import publish_release
from chimney.standin.invention import Invention
from chimney.standin.life import DAY, HISTORY, Life
from chimney.standin.model import Milestone, Pull
from chimney.standin.repository import Repository

LAST_HOUR = 3_600.0  # in which what has begun may end, so that nothing hangs half way at speed 0
OPEN_BUGS, OPEN_WISHES, FEWEST_PULLS, MOST_PULLS = 3, 9, 3, 4


def live_through(repo: Repository, agenda: Agenda, invention: Invention, *, until: float, days: float) -> Life:
    """Leaves the agenda empty, no run unfinished, and the life calm and at `HISTORY` pace."""
    life = Life(repo, agenda, invention, pace=HISTORY)
    start = until - days * DAY
    _milestones(repo, start=start)
    for index in range(OPEN_WISHES - 1):
        wish = life.open_wish(start - (OPEN_WISHES - index) * 3 * DAY)
        wish.milestone = repo.milestones[2] if index % 3 == 0 else None
    publish_release(repo, at=start, author=repo.people[0], tag="v1.0.0")
    life.begin(start)
    agenda.run_until(until - LAST_HOUR)
    agenda.clear()
    life.calm = True
    _tidy(repo, life, invention, at=until - LAST_HOUR)
    life.begin(until - LAST_HOUR)
    agenda.run_until(until)
    return life


def _milestones(repo: Repository, *, start: float) -> None:
    for number, title, due, closed in (
        (1, "Summer timetable", start + 10 * DAY, start + 9 * DAY),
        (2, "Winter timetable", start + 90 * DAY, None),
    ):
        repo.milestones[number] = Milestone(
            id=repo.next_id("milestone"), number=number, title=title, description=f"What the {title.lower()} needs",
            created_at=start - 20 * DAY, due_on=due, closed_at=closed,
        )  # fmt: skip


def _tidy(repo: Repository, life: Life, invention: Invention, *, at: float) -> None:
    """Three bugs, a handful of wishes, three or four pull requests, and a default branch that is green."""
    while len(repo.open_bugs) > OPEN_BUGS:
        threads.close_issue(repo, repo.open_bugs[0], by=invention.person(), at=at)
    while len(repo.open_bugs) < OPEN_BUGS:
        life.open_bug(at)
    wishes = [one for one in repo.open_threads if not isinstance(one, Pull) and not one.is_bug]
    for wish in wishes[OPEN_WISHES:]:
        threads.close_issue(repo, wish, by=invention.person(), at=at)
    for _ in range(OPEN_WISHES - len(wishes)):
        life.open_wish(at)
    while len(repo.open_pulls) < FEWEST_PULLS:
        threads.open_pull(repo, life.propose(), at=at)
    for pull in repo.open_pulls[MOST_PULLS - 1 :]:
        threads.merge_pull(repo, pull, by=invention.person(), at=at)
    threads.push(repo, branch="main", messages=["Say when the board was last right"], author=invention.person(), at=at)
