"""What can be done to runs through the API: re-run, cancel, dispatch, approve."""

from chimney.standin import runs as acts
from chimney.standin.answers import NEW_VERSION, Answer, Ask, done
from chimney.standin.bodies.deployments import PRODUCTION_ID, deployment_body
from chimney.standin.endpoints.runs import one_job, one_run, one_workflow
from chimney.standin.model import User
from chimney.standin.repository import RefusedError


def _caller(ask: Ask) -> User:
    """Whoever holds the token is the first of the team."""
    return ask.repo.people[0]


def rerun(ask: Ask) -> Answer:
    acts.rerun(ask.repo, one_run(ask), at=ask.at, actor=_caller(ask))
    return done(201, {})


def rerun_failed_jobs(ask: Ask) -> Answer:
    run = one_run(ask)
    if not run.done:
        raise RefusedError("This workflow run is already running", status=403)
    acts.rerun(ask.repo, run, at=ask.at, actor=_caller(ask), only=acts.failed_jobs(run))
    return done(201, {})


def rerun_job(ask: Ask) -> Answer:
    run, job = one_job(ask)
    acts.rerun(ask.repo, run, at=ask.at, actor=_caller(ask), only=[job])
    return done(201, {})


def cancel(ask: Ask) -> Answer:
    acts.cancel(ask.repo, one_run(ask), at=ask.at)
    return done(202, {})


def dispatch(ask: Ask) -> Answer:
    """204; 200 with the run's addresses when asked for, and always from version 2026-03-10."""
    asked = ask.json()
    ref = asked.get("ref")
    if not isinstance(ref, str) or not ref:
        raise RefusedError("Invalid request. ref: should be a string")
    inputs = asked.get("inputs", {})
    if not isinstance(inputs, dict) or len(inputs) > 25:
        raise RefusedError("Invalid request. inputs: should be an object of at most 25")
    run = acts.dispatch(ask.repo, one_workflow(ask), ref=ref, actor=_caller(ask), at=ask.at)
    if ask.version != NEW_VERSION and asked.get("return_run_details") is not True:
        return done(204)
    url = f"{ask.view.api}/actions/runs/{run.id}"
    page = f"{ask.view.html}/actions/runs/{run.id}"
    return done(200, {"workflow_run_id": run.id, "run_url": url, "html_url": page})


def review(ask: Ask) -> Answer:
    """Answers with the deployments that the approved run made: none yet at that moment, or those before."""
    asked = ask.json()
    state, environments = asked.get("state"), asked.get("environment_ids")
    if state not in {"approved", "rejected"}:
        raise RefusedError("Invalid request. state: should be approved or rejected")
    if environments != [PRODUCTION_ID]:
        raise RefusedError(f"Invalid request. environment_ids: should be [{PRODUCTION_ID}]")
    run = one_run(ask)
    acts.review(ask.repo, run, at=ask.at, approved=state == "approved", reviewer=_caller(ask))
    made = ask.repo.deployments.get(run.deployment or 0)
    return done(200, [deployment_body(ask.view, made)] if made else [])
