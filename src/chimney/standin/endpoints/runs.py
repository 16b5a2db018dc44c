"""Workflow runs, jobs, workflows, artifacts: reading."""

from datetime import UTC, datetime

from chimney.standin.answers import Answer, Ask, found, missing
from chimney.standin.bodies.deployments import pending_body
from chimney.standin.bodies.runs import artifact_body, job_body, run_body, suite_of, workflow_body
from chimney.standin.endpoints.paging import paged
from chimney.standin.model import Job, Run, Workflow
from chimney.standin.repository import RefusedError
from chimney.standin.vocabulary import CI

FILTERS = ("actor", "branch", "event", "status", "head_sha", "created", "check_suite_id")
MAX_FILTERED = 1_000  # GitHub's: a filtered list ends there


def runs(ask: Ask) -> Answer:
    return _listed(ask, list(ask.repo.runs.values()))


def workflow_runs(ask: Ask) -> Answer:
    workflow = one_workflow(ask)
    return _listed(ask, [run for run in ask.repo.runs.values() if run.workflow is workflow])


def _listed(ask: Ask, chosen: list[Run]) -> Answer:
    """Newest first."""
    if any(ask.query.get(name) for name in FILTERS):
        chosen = [run for run in chosen if _wanted(ask, run)][-MAX_FILTERED:]
    chosen.reverse()
    return paged(ask, chosen, lambda run: run_body(ask.view, run), under="workflow_runs")


def _wanted(ask: Ask, run: Run) -> bool:
    is_ = {
        "actor": run.actor.login,
        "branch": run.branch,
        "event": run.event,
        "head_sha": run.sha,
        "check_suite_id": str(suite_of(run)),
    }
    status, created = ask.query.get("status"), ask.query.get("created")
    return (
        all(ask.query.get(name) in {None, "", value} for name, value in is_.items())
        and (not status or status in (run.status, run.conclusion))
        and (not created or _created_within(created, run.created_at))
    )


def _created_within(text: str, at: float) -> bool:
    """`>=…`, `<=…`, `>…`, `<…`, `a..b` (either end may be `*`), or one day; days or timestamps."""
    if ".." in text:
        low, _, high = text.partition("..")
        return (low == "*" or at >= _edge(low)) and (high == "*" or at < _edge(high, end=True))
    if text[:2] in {">=", "<="}:
        return at >= _edge(text[2:]) if text[0] == ">" else at < _edge(text[2:], end=True)
    if text[0] in "<>":
        return at >= _edge(text[1:], end=True) if text[0] == ">" else at < _edge(text[1:])
    return _edge(text) <= at < _edge(text, end=True)


def _edge(text: str, *, end: bool = False) -> float:
    """Where the day or second begins, or `end`s."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(f"created: {text!r} is not a date") from None
    begins = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return begins + (86_400 if len(text) == 10 else 1) * end


def one_run(ask: Ask) -> Run:
    run = ask.repo.runs.get(ask.number("run"))
    if run is None:
        raise missing()
    return run


def one_job(ask: Ask) -> tuple[Run, Job]:
    known = ask.repo.jobs.get(ask.number("job"))
    if known is None:
        raise missing()
    return known


def one_workflow(ask: Ask) -> Workflow:
    """By id or by file name."""
    asked = ask.args["workflow"]
    for workflow in ask.repo.workflows:
        if asked in {str(workflow.id), workflow.path.rpartition("/")[2]}:
            return workflow
    raise missing()


def run(ask: Ask) -> Answer:
    return found(run_body(ask.view, one_run(ask)))


def run_attempt(ask: Ask) -> Answer:
    of = one_run(ask)
    if ask.number("attempt") == of.attempt:
        return found(run_body(ask.view, of))
    jobs = _jobs_of_attempt(ask, of)
    outcomes = {job.conclusion for job in jobs}
    past = {
        "run_attempt": ask.number("attempt"),
        "status": "completed",
        "conclusion": next((one for one in ("cancelled", "failure") if one in outcomes), "success"),
    }
    return found(run_body(ask.view, of) | past)


def jobs(ask: Ask) -> Answer:
    of = one_run(ask)
    chosen = list(of.jobs)
    if ask.query.get("filter") == "all":
        earlier = {job.id: job for attempt in of.past.values() for job in attempt}
        chosen = list((earlier | {job.id: job for job in chosen}).values())
    return paged(ask, chosen, lambda job: job_body(ask.view, of, job), under="jobs")


def attempt_jobs(ask: Ask) -> Answer:
    of = one_run(ask)
    return paged(ask, _jobs_of_attempt(ask, of), lambda job: job_body(ask.view, of, job), under="jobs")


def _jobs_of_attempt(ask: Ask, of: Run) -> list[Job]:
    attempt = ask.number("attempt")
    jobs_then = of.jobs if attempt == of.attempt else of.past.get(attempt)
    if jobs_then is None:
        raise missing()
    return jobs_then


def job(ask: Ask) -> Answer:
    of, one = one_job(ask)
    return found(job_body(ask.view, of, one))


def workflows(ask: Ask) -> Answer:
    return paged(ask, ask.repo.workflows, lambda one: workflow_body(ask.view, one), under="workflows")


def workflow(ask: Ask) -> Answer:
    return found(workflow_body(ask.view, one_workflow(ask)))


def _with_artifacts(all_runs: list[Run]) -> list[Run]:
    return [run for run in all_runs if run.workflow is CI and run.done][::-1]


def artifacts(ask: Ask) -> Answer:
    chosen = _with_artifacts(list(ask.repo.runs.values()))
    if ask.query.get("name") not in {None, "", "coverage"}:
        chosen = []
    return paged(ask, chosen, lambda run: artifact_body(ask.view, run), under="artifacts")


def run_artifacts(ask: Ask) -> Answer:
    chosen = _with_artifacts([one_run(ask)])
    return paged(ask, chosen, lambda run: artifact_body(ask.view, run), under="artifacts")


def pending_deployments(ask: Ask) -> Answer:
    of = one_run(ask)
    return found([pending_body(ask.view, of)] if of.status == "waiting" else [])
