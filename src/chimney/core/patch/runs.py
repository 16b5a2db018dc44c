"""What workflow runs, jobs and checks change."""

import re
from collections.abc import Callable

from chimney.core.delivery import Body, Delivery, count, job_version, run_version, text
from chimney.core.patch.held import KEEP, OLD, UNSURE, Held, Verdict, patch
from chimney.core.patch.lists import Change, settle_within

_FILTERS = {"branch": "head_branch", "event": "event", "head_sha": "head_sha"}


def run_listed(delivery: Delivery, held: Held) -> Verdict:
    """In `actions/runs` and `actions/workflows/{file}/runs`: newest first by creation."""
    run = delivery.about("workflow_run")
    belongs = _is_of_workflow(run, held) and _passes(run, held.query)
    if belongs is None:
        return UNSURE
    body = {**run, "pull_requests": []} if held.query.get("exclude_pull_requests") == "true" else run
    return settle_within("workflow_runs", Change(
        is_it=lambda item: item.get("id") == run.get("id"),
        thing=run, body=body, belongs=belongs, at=text(run, "updated_at"),
        key=lambda item: (text(item, "created_at"), count(item, "id")),
        merge=lambda item: {**item, **body} if run_version(run) >= run_version(item) else None,
    ), held)  # fmt: skip


def _is_of_workflow(run: Body, held: Held) -> bool:
    if held.segments[1] != "workflows":
        return True
    asked = held.segments[2]
    file = text(run, "path").partition("@")[0].rpartition("/")[2]
    return asked in (file, str(run.get("workflow_id")))


def _passes(run: Body, query: dict[str, str]) -> bool | None:
    """Whether the run is in a listing with these filters; None when it cannot be told."""
    if query.get("created"):
        return None
    actor = run.get("actor")
    login = text(actor, "login") if isinstance(actor, dict) else ""
    return (
        all(query.get(name) in (None, text(run, field)) for name, field in _FILTERS.items())
        and query.get("status") in (None, text(run, "status"), text(run, "conclusion"))
        and query.get("actor", login).lower() == login.lower()
        and query.get("check_suite_id") in (None, str(run.get("check_suite_id")))
    )


def run_itself(delivery: Delivery, held: Held) -> Verdict:
    run = delivery.about("workflow_run")
    if held.segments[-1] != str(run.get("id")) or not isinstance(held.body, dict):
        return KEEP
    return patch({**held.body, **run}) if run_version(run) >= run_version(held.body) else KEEP


def pulls_of_runs(delivery: Delivery, held: Held) -> Verdict:
    """Runs name the open pull requests they are for, each with where its base is now."""
    if not isinstance(held.body, dict):
        return UNSURE
    if "workflow_runs" in held.body:
        merged = {**held.body, "workflow_runs": [_with_pulls(delivery, one) for one in held.body["workflow_runs"]]}
    else:
        merged = _with_pulls(delivery, held.body)
    return KEEP if merged == held.body else patch(merged)


def _with_pulls(delivery: Delivery, run: Body) -> Body:
    pulls = run.get("pull_requests")
    if not pulls or not isinstance(pulls, list):
        return run
    if delivery.event == "pull_request":
        number = delivery.about("pull_request").get("number")
        return {**run, "pull_requests": [one for one in pulls if one.get("number") != number]}
    ref, after = text(delivery.payload, "ref").removeprefix("refs/heads/"), text(delivery.payload, "after")
    return {**run, "pull_requests": [_rebased(one, ref, after) for one in pulls]}


def _rebased(pull: Body, ref: str, after: str) -> Body:
    base = pull.get("base")
    return {**pull, "base": {**base, "sha": after}} if isinstance(base, dict) and base.get("ref") == ref else pull


def closed_pulls_of_runs(delivery: Delivery, held: Held) -> Verdict:
    return pulls_of_runs(delivery, held) if delivery.action == "closed" else KEEP


def run_artifacts(delivery: Delivery, held: Held) -> Verdict:
    """Of that run, or of all: they are there when it has ended."""
    if delivery.action != "completed":
        return KEEP
    return UNSURE if held.segments[1] == "artifacts" or _is_of_run(delivery.about("workflow_run"), held) else KEEP


def _is_of_run(run: Body, held: Held) -> bool:
    return held.segments[2] == str(run.get("id"))


def run_jobs(delivery: Delivery, held: Held) -> Verdict:
    """A new attempt has other jobs; their own deliveries bring them."""
    run = delivery.about("workflow_run")
    if not _is_of_run(run, held) or "attempts" in held.segments or held.query.get("filter") == "all":
        return KEEP
    jobs = held.body.get("jobs") if isinstance(held.body, dict) else None
    known = max((count(job, "run_attempt") for job in jobs or []), default=0)
    return UNSURE if known and known < count(run, "run_attempt") else KEEP


def job_listed(delivery: Delivery, held: Held) -> Verdict:
    """In `actions/runs/{id}/jobs` (the last attempt's unless `filter=all`) and `…/attempts/{n}/jobs`."""
    job = delivery.about("workflow_job")
    if held.segments[2] != str(job.get("run_id")):
        return KEEP
    attempt = count(job, "run_attempt")
    listed = held.body.get("jobs") if isinstance(held.body, dict) else None
    newest = max((count(one, "run_attempt") for one in listed or []), default=0)
    if "attempts" in held.segments:
        belongs = held.segments[4] == str(attempt)
    else:
        belongs = held.query.get("filter") == "all" or attempt >= newest
        if belongs and attempt > newest > 0 and held.query.get("filter") != "all":
            return patch({**held.body, "total_count": 1, "jobs": [job]}, look=True)
    if not belongs:
        return KEEP
    return settle_within("jobs", Change(
        is_it=lambda item: item.get("id") == job.get("id"),
        thing=job, body=job, belongs=True, at="~",  # jobs have no time of their last change: never taken for known
        key=lambda item: count(item, "id"), descending=False,
        merge=lambda item: {**item, **job} if job_version(job) >= job_version(item) else None,
    ), held)  # fmt: skip


def job_itself(delivery: Delivery, held: Held) -> Verdict:
    job = delivery.about("workflow_job")
    if held.segments[-1] != str(job.get("id")) or not isinstance(held.body, dict):
        return KEEP
    return patch({**held.body, **job}) if job_version(job) >= job_version(held.body) else KEEP


def of_revision(name: str) -> Callable[[Delivery, Held], Verdict]:
    """For what hangs on a commit (check runs, statuses): unsure when it is about that commit."""

    def rule(delivery: Delivery, held: Held) -> Verdict:
        subject = delivery.about(name) if name else delivery.payload
        revision = text(subject, "head_sha") or text(subject, "sha")
        asked = held.segments[1].lower()
        is_sha = re.fullmatch("[0-9a-f]{4,64}", asked) is not None
        return UNSURE if not is_sha or revision.startswith(asked) else KEEP

    return rule


def check_itself(delivery: Delivery, held: Held) -> Verdict:
    """A job of Actions is a check run of the same id."""
    ids = {str(delivery.about(name).get("id")) for name in ("check_run", "workflow_job")}
    return OLD if held.segments[-1] in ids else KEEP
