"""Deployments, their statuses, environments: reading and writing."""

from chimney.standin import deployments as acts
from chimney.standin.answers import Answer, Ask, done, found, missing
from chimney.standin.bodies.deployments import deployment_body, environment_body, status_body
from chimney.standin.endpoints.paging import paged
from chimney.standin.model import Deployment, Progress, Target
from chimney.standin.repository import RefusedError


def deployments(ask: Ask) -> Answer:
    """Newest first."""
    wanted = {name: ask.query[name] for name in ("sha", "ref", "task", "environment") if ask.query.get(name)}
    chosen = [
        one
        for one in reversed(ask.repo.deployments.values())
        if all(getattr(one, name) == value for name, value in wanted.items())
    ]
    return paged(ask, chosen, lambda one: deployment_body(ask.view, one))


def _deployment(ask: Ask) -> Deployment:
    one = ask.repo.deployments.get(ask.number("deployment"))
    if one is None:
        raise missing()
    return one


def deployment(ask: Ask) -> Answer:
    return found(deployment_body(ask.view, _deployment(ask)))


def statuses(ask: Ask) -> Answer:
    of = _deployment(ask)
    return paged(ask, of.statuses[::-1], lambda one: status_body(ask.view, of, one))


def status(ask: Ask) -> Answer:
    of, wanted = _deployment(ask), ask.number("status")
    for one in of.statuses:
        if one.id == wanted:
            return found(status_body(ask.view, of, one))
    raise missing()


def environments(ask: Ask) -> Answer:
    names = sorted({"production", *(one.environment for one in ask.repo.deployments.values())})
    return paged(ask, names, lambda name: environment_body(ask.view, name), under="environments")


def create(ask: Ask) -> Answer:
    asked = ask.json()
    target = Target(
        ref=_text(asked, "ref", required=True), environment=_text(asked, "environment") or "production",
        description=_text(asked, "description") or None, task=_text(asked, "task") or "deploy",
        payload=asked.get("payload"),
    )  # fmt: skip
    made = acts.create_deployment(ask.repo, target, at=ask.at, creator=ask.repo.people[0])
    made.transient = asked.get("transient_environment") is True
    if isinstance(asked.get("production_environment"), bool):
        made.production = asked["production_environment"] is True
    return done(201, deployment_body(ask.view, made))


def create_status(ask: Ask) -> Answer:
    of, asked = _deployment(ask), ask.json()
    progress = Progress(
        state=_text(asked, "state", required=True), description=_text(asked, "description"),
        environment_url=_text(asked, "environment_url"),
        log_url=_text(asked, "log_url") or _text(asked, "target_url"),
    )  # fmt: skip
    made = acts.add_status(
        ask.repo, of, progress, at=ask.at, creator=ask.repo.people[0],
        auto_inactive=asked.get("auto_inactive") is not False,
    )  # fmt: skip
    return done(201, status_body(ask.view, of, made))


def _text(asked: dict[str, object], name: str, *, required: bool = False) -> str:
    value = asked.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value):
        raise RefusedError(f"Invalid request. {name}: should be a string")
    return value
