"""Deployments, their statuses, environments."""

from chimney.standin.bodies.base import Body, View, node_id, user_body
from chimney.standin.clock import stamp
from chimney.standin.model import Deployment, DeploymentStatus, Run

PRODUCTION_ID = 3_110_447_120


def deployment_body(view: View, deployment: Deployment) -> Body:
    url = f"{view.api}/deployments/{deployment.id}"
    return {
        "url": url,
        "id": deployment.id,
        "node_id": node_id("DE", deployment.id),
        "task": deployment.task,
        "original_environment": deployment.environment,
        "environment": deployment.environment,
        "description": deployment.description,
        "created_at": stamp(deployment.created_at),
        "updated_at": stamp(deployment.updated_at),
        "statuses_url": f"{url}/statuses",
        "repository_url": view.api,
        "creator": user_body(deployment.creator, view.base),
        "sha": deployment.sha,
        "ref": deployment.ref,
        "payload": deployment.payload,
        "transient_environment": deployment.transient,
        "production_environment": deployment.production,
        "performed_via_github_app": None,
    }


def status_body(view: View, deployment: Deployment, status: DeploymentStatus) -> Body:
    url = f"{view.api}/deployments/{deployment.id}"
    return {
        "url": f"{url}/statuses/{status.id}",
        "id": status.id,
        "node_id": node_id("DES", status.id),
        "state": status.state,
        "creator": user_body(status.creator, view.base),
        "description": status.description,
        "environment": deployment.environment,
        "target_url": status.log_url,
        "created_at": stamp(status.at),
        "updated_at": stamp(status.at),
        "deployment_url": url,
        "repository_url": view.api,
        "environment_url": status.environment_url,
        "log_url": status.log_url,
        "performed_via_github_app": None,
    }


def environment_body(view: View, name: str) -> Body:
    created = stamp(view.repo.created_at)
    return {
        "id": PRODUCTION_ID + sum(name.encode()) - sum(b"production"),
        "node_id": node_id("EN", sum(name.encode())),
        "name": name,
        "url": f"{view.api}/environments/{name}",
        "html_url": f"{view.html}/deployments/activity_log?environments_filter={name}",
        "created_at": created,
        "updated_at": created,
        "can_admins_bypass": True,
        "protection_rules": [],
        "deployment_branch_policy": None,
    }


def pending_body(view: View, run: Run) -> Body:
    """What waits for a reviewer in a run: its one environment."""
    return {
        "environment": {
            "id": PRODUCTION_ID,
            "node_id": node_id("EN", PRODUCTION_ID),
            "name": "production",
            "url": f"{view.api}/environments/production",
            "html_url": f"{view.html}/deployments/activity_log?environments_filter=production",
        },
        "wait_timer": 0,
        "wait_timer_started_at": stamp(run.created_at),
        "current_user_can_approve": True,
        "reviewers": [{"type": "User", "reviewer": user_body(view.repo.people[0], view.base)}],
    }
