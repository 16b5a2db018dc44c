"""Workflows, runs, jobs, steps, checks, artifacts."""

from chimney.standin.bodies.base import Body, View, node_id, user_body
from chimney.standin.clock import stamp, stamp_or_none
from chimney.standin.model import Job, Run, Workflow

CHECK_APP = 15_368  # GitHub Actions


def workflow_body(view: View, workflow: Workflow) -> Body:
    created = stamp(view.repo.created_at)
    return {
        "id": workflow.id,
        "node_id": node_id("W", workflow.id),
        "name": workflow.name,
        "path": workflow.path,
        "state": "active",
        "created_at": created,
        "updated_at": created,
        "url": f"{view.api}/actions/workflows/{workflow.id}",
        "html_url": f"{view.html}/blob/main/{workflow.path}",
        "badge_url": f"{view.html}/workflows/{workflow.name}/badge.svg",
    }


def suite_of(run: Run) -> int:
    return run.id + 33_000_000_000


def run_body(view: View, run: Run) -> Body:
    url = f"{view.api}/actions/runs/{run.id}"
    past = run.attempt - 1
    return {
        "id": run.id,
        "name": run.workflow.name,
        "node_id": node_id("WFR", run.id),
        "head_branch": run.branch,
        "head_sha": run.sha,
        "path": run.workflow.path,
        "display_title": run.title,
        "run_number": run.number,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "workflow_id": run.workflow.id,
        "check_suite_id": suite_of(run),
        "check_suite_node_id": node_id("CS", suite_of(run)),
        "url": url,
        "html_url": f"{view.html}/actions/runs/{run.id}",
        "pull_requests": _pull_references(view, run),
        "created_at": stamp(run.created_at),
        "updated_at": stamp(run.updated_at),
        "actor": user_body(run.actor, view.base),
        "run_attempt": run.attempt,
        "referenced_workflows": [],
        "run_started_at": stamp(run.started_at),
        "triggering_actor": user_body(run.triggering_actor, view.base),
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "check_suite_url": f"{view.api}/check-suites/{suite_of(run)}",
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "previous_attempt_url": f"{url}/attempts/{past}" if past else None,
        "workflow_url": f"{view.api}/actions/workflows/{run.workflow.id}",
        "head_commit": _head_commit(view, run),
        "repository": view.minimal,
        "head_repository": view.minimal,
    }


def _pull_references(view: View, run: Run) -> list[Body]:
    repository = {"id": view.repo.id, "url": view.api, "name": view.repo.name}
    return [
        {
            "url": f"{view.api}/pulls/{number}",
            "id": view.repo.threads[number].id,
            "number": number,
            "head": {"ref": run.branch, "sha": run.sha, "repo": repository},
            "base": {"ref": "main", "sha": view.repo.branches["main"], "repo": repository},
        }
        for number in run.pulls
        if number in view.repo.threads and view.repo.threads[number].state == "open"
    ]


def _head_commit(view: View, run: Run) -> Body | None:
    commit = view.repo.commits.get(run.sha)
    if commit is None:
        return None
    person = {"name": commit.author.name, "email": commit.author.email}
    return {
        "id": commit.sha,
        "tree_id": commit.sha[::-1],
        "message": commit.message,
        "timestamp": stamp(commit.at),
        "author": person,
        "committer": person,
    }


def job_body(view: View, run: Run, job: Job) -> Body:
    started = job.started_at is not None
    url = f"{view.api}/actions/jobs/{job.id}"
    return {
        "id": job.id,
        "run_id": run.id,
        "workflow_name": run.workflow.name,
        "head_branch": run.branch,
        "run_url": f"{view.api}/actions/runs/{run.id}",
        "run_attempt": job.attempt,
        "node_id": node_id("CR", job.id),
        "head_sha": run.sha,
        "url": url,
        "html_url": f"{view.html}/actions/runs/{run.id}/job/{job.id}",
        "status": job.status,
        "conclusion": job.conclusion,
        "created_at": stamp(job.created_at),
        "started_at": stamp(job.started_at or job.created_at),
        "completed_at": stamp_or_none(job.completed_at),
        "name": job.plan.name,
        "steps": step_bodies(job),
        "check_run_url": f"{view.api}/check-runs/{job.id}",
        "labels": ["ubuntu-latest"],
        "runner_id": job.runner if started else None,
        "runner_name": f"GitHub Actions {job.runner}" if started else None,
        "runner_group_id": 0 if started else None,
        "runner_group_name": "GitHub Actions" if started else None,
    }


def step_bodies(job: Job) -> list[Body]:
    """While a job runs, its first step is under way: the rest follows from how the job ended."""
    if job.started_at is None:
        return []
    names = ("Set up job", *job.plan.steps, "Complete job")
    if job.completed_at is None:
        return [_step("Set up job", 1, "in_progress", None, job.started_at, None)]
    each = (job.completed_at - job.started_at) / len(names)
    steps = []
    for index, name in enumerate(names):
        begun = job.started_at + each * index
        steps.append(_step(name, index + 1, "completed", _outcome(job, index, len(names)), begun, begun + each))
    return steps


def _outcome(job: Job, index: int, count: int) -> str:
    broken = job.plan.fails_at + 1
    if job.conclusion in {"success", None} or index < broken or index == count - 1:
        return "success"
    return str(job.conclusion) if index == broken else "skipped"


def _step(name: str, number: int, status: str, conclusion: str | None, begun: float, ended: float | None) -> Body:
    return {
        "name": name,
        "status": status,
        "conclusion": conclusion,
        "number": number,
        "started_at": stamp(begun),
        "completed_at": stamp_or_none(ended),
    }


def check_run_body(view: View, run: Run, job: Job) -> Body:
    page = f"{view.html}/actions/runs/{run.id}/job/{job.id}"
    return {
        "id": job.id,
        "name": job.plan.name,
        "node_id": node_id("CR", job.id),
        "head_sha": run.sha,
        "external_id": "",
        "url": f"{view.api}/check-runs/{job.id}",
        "html_url": page,
        "details_url": page,
        "status": job.status,
        "conclusion": job.conclusion,
        "started_at": stamp(job.started_at or job.created_at),
        "completed_at": stamp_or_none(job.completed_at),
        "output": {
            "title": None, "summary": None, "text": None, "annotations_count": 0,
            "annotations_url": f"{view.api}/check-runs/{job.id}/annotations",
        },
        "check_suite": {"id": suite_of(run)},
        "app": {"id": CHECK_APP, "slug": "github-actions", "name": "GitHub Actions"},
        "pull_requests": _pull_references(view, run),
    }  # fmt: skip


def artifact_body(view: View, run: Run) -> Body:
    """CI leaves one: what its coverage step wrote."""
    artifact = run.id + 1_000_000_000
    url = f"{view.api}/actions/artifacts/{artifact}"
    return {
        "id": artifact,
        "node_id": node_id("AR", artifact),
        "name": "coverage",
        "size_in_bytes": 48_000 + run.id % 9_000,
        "url": url,
        "archive_download_url": f"{url}/zip",
        "expired": False,
        "created_at": stamp(run.updated_at),
        "updated_at": stamp(run.updated_at),
        "expires_at": stamp(run.updated_at + 90 * 86_400),
        "workflow_run": {
            "id": run.id, "repository_id": view.repo.id, "head_repository_id": view.repo.id,
            "head_branch": run.branch, "head_sha": run.sha,
        },
    }  # fmt: skip
