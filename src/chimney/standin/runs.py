"""What can happen to workflow runs and their jobs. Every function tells the repository's listeners."""

from chimney.standin import deployments
from chimney.standin.model import Job, JobPlan, Run, Trigger, User, Workflow
from chimney.standin.repository import MAIN, RefusedError, Repository
from chimney.standin.vocabulary import ACTIONS, CI, DEPLOY


def queue_run(repo: Repository, workflow: Workflow, trigger: Trigger, *, at: float, waiting: bool = False) -> Run:
    """`waiting`: its environment wants a reviewer first (see `review`)."""
    number = repo.run_numbers.get(workflow.path, 0) + 1
    repo.run_numbers[workflow.path] = number
    run = Run(
        id=repo.next_id("run"), number=number, workflow=workflow, event=trigger.event, branch=trigger.branch,
        sha=trigger.sha, title=trigger.title, actor=trigger.actor, triggering_actor=trigger.actor,
        created_at=at, started_at=at, updated_at=at, jobs=[], pulls=trigger.pulls,
        status="waiting" if waiting else "queued",
    )  # fmt: skip
    repo.add_run(run)
    run.jobs = [_new_job(repo, run, plan, at=at) for plan in workflow.jobs]
    _announce(repo, run, at=at)
    return run


def _new_job(repo: Repository, run: Run, plan: JobPlan, *, at: float) -> Job:
    job = Job(id=repo.next_id("run"), plan=plan, attempt=run.attempt, created_at=at, status=run.status)
    job.id += 31_000_000_000  # job ids are far ahead of run ids on GitHub
    repo.jobs[job.id] = (run, job)
    return job


def _announce(repo: Repository, run: Run, *, at: float) -> None:
    repo.tell("workflow_run", "requested", run, at=at, sender=run.triggering_actor)
    for job in run.jobs:
        if job.attempt == run.attempt:
            repo.tell("workflow_job", job.status, job, at=at, sender=run.triggering_actor, run=run)


def start_run(repo: Repository, run: Run, *, at: float) -> None:
    if run.status != "queued":
        return
    run.status, run.updated_at = "in_progress", at
    repo.tell("workflow_run", "in_progress", run, at=at, sender=run.triggering_actor)


def start_job(repo: Repository, run: Run, job: Job, *, at: float) -> None:
    if job.status != "queued":
        return
    start_run(repo, run, at=at)
    job.status, job.started_at, job.runner = "in_progress", at, repo.random.randint(1, 40)
    repo.tell("workflow_job", "in_progress", job, at=at, sender=run.triggering_actor, run=run)
    if job.plan.environment:
        deployments.begin_for_run(repo, run, at=at)


def finish_job(repo: Repository, run: Run, job: Job, *, at: float, conclusion: str) -> None:
    """Starts it first when it has not started. The last job to finish finishes the run."""
    if job.status == "completed":
        return
    start_job(repo, run, job, at=at)
    job.status, job.conclusion, job.completed_at = "completed", conclusion, at
    repo.tell("workflow_job", "completed", job, at=at, sender=run.triggering_actor, run=run)
    if job.plan.environment:
        deployments.end_for_run(repo, run, at=at, conclusion=conclusion)
    if all(one.status == "completed" for one in run.jobs):
        _finish(repo, run, at=at)


def _finish(repo: Repository, run: Run, *, at: float) -> None:
    outcomes = {job.conclusion for job in run.jobs}
    run.conclusion = next((one for one in ("cancelled", "failure") if one in outcomes), "success")
    run.status, run.updated_at = "completed", at
    repo.tell("workflow_run", "completed", run, at=at, sender=run.triggering_actor)
    if run.workflow is CI and run.branch == MAIN and run.event == "push" and run.conclusion == "success":
        trigger = Trigger(event="workflow_run", branch=MAIN, sha=run.sha, title=run.title, actor=run.actor)
        queue_run(repo, DEPLOY, trigger, at=at)


def finish_run(repo: Repository, run: Run, *, at: float, conclusion: str = "success") -> None:
    """Everything that is not finished finishes now. A failure is one job's: the second where there is one."""
    if run.done:
        raise RefusedError(f"Run {run.id} is already completed", status=409)
    if run.status == "waiting":
        _release(repo, run, at=at)
    start_run(repo, run, at=at)
    open_jobs = [job for job in run.jobs if job.status != "completed"]
    breaking = open_jobs[min(1, len(open_jobs) - 1)]
    for job in open_jobs:
        start_job(repo, run, job, at=at)
    for job in open_jobs:
        outcome = conclusion if conclusion != "failure" or job is breaking else "success"
        finish_job(repo, run, job, at=at, conclusion=outcome)


def rerun(repo: Repository, run: Run, *, at: float, actor: User, only: list[Job] | None = None) -> None:
    """A new attempt; of all jobs, or of `only` these while the others keep their results."""
    if not run.done:
        raise RefusedError("This workflow run is already running", status=403)
    run.past[run.attempt] = run.jobs
    run.attempt += 1
    run.status, run.conclusion, run.triggering_actor = "queued", None, actor
    run.deployment = run.slot = None
    run.started_at = run.updated_at = at
    again = run.jobs if only is None else only
    run.jobs = [_new_job(repo, run, job.plan, at=at) if job in again else job for job in run.jobs]
    _announce(repo, run, at=at)


def failed_jobs(run: Run) -> list[Job]:
    failed = [job for job in run.jobs if job.conclusion not in {"success", "skipped", None}]
    if not failed:
        raise RefusedError("This workflow run has no failed jobs", status=403)
    return failed


def cancel(repo: Repository, run: Run, *, at: float) -> None:
    if run.done:
        raise RefusedError("Cannot cancel a workflow run that is completed.", status=409)
    for job in [job for job in run.jobs if job.status != "completed"]:
        if job.status == "waiting":
            job.status = "queued"
        job.status, job.conclusion, job.completed_at = "completed", "cancelled", at
        job.started_at = job.started_at or at
        repo.tell("workflow_job", "completed", job, at=at, sender=run.triggering_actor, run=run)
        if job.plan.environment:
            deployments.end_for_run(repo, run, at=at, conclusion="cancelled")
    _finish(repo, run, at=at)


def review(repo: Repository, run: Run, *, at: float, approved: bool, reviewer: User) -> None:
    """A reviewer's word on a waiting run: queued when approved, failed when rejected."""
    if run.status != "waiting":
        raise RefusedError(f"Run {run.id} is not waiting for a review")
    run.triggering_actor = reviewer
    _release(repo, run, at=at)
    if not approved:
        finish_run(repo, run, at=at, conclusion="failure")


def _release(repo: Repository, run: Run, *, at: float) -> None:
    run.status, run.updated_at = "queued", at
    for job in run.jobs:
        job.status = "queued"
        repo.tell("workflow_job", "queued", job, at=at, sender=run.triggering_actor, run=run)


def dispatch(repo: Repository, workflow: Workflow, *, ref: str, actor: User, at: float, waiting: bool = False) -> Run:
    commit = repo.resolve(ref)
    if commit is None:
        raise RefusedError(f"No ref found for: {ref}")
    branch = ref.removeprefix("refs/").removeprefix("heads/")
    trigger = Trigger(event="workflow_dispatch", branch=branch, sha=commit.sha, title=workflow.name, actor=actor)
    return queue_run(repo, workflow, trigger, at=at, waiting=waiting)


def scheduled(repo: Repository, workflow: Workflow, *, at: float) -> Run:
    sha = repo.branches[MAIN]
    trigger = Trigger(event="schedule", branch=MAIN, sha=sha, title=workflow.name, actor=ACTIONS)
    return queue_run(repo, workflow, trigger, at=at)
