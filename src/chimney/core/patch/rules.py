"""Which rule is for which event and path; of an event's own rows the first that matches is the one."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from chimney.core.delivery import Delivery
from chimney.core.patch import code, runs, threads
from chimney.core.patch.held import Held, Verdict

Rule = Callable[[Delivery, Held], Verdict]


class Row(NamedTuple):
    below: re.Pattern[str]
    rule: Rule


def _rows(*pairs: tuple[str, Rule]) -> tuple[Row, ...]:
    """Patterns of paths below the repository; `*` stands for one segment, `**` for the rest."""
    made = []
    for path, rule in pairs:
        pattern = re.escape(path).replace(r"\*\*", ".+").replace(r"\*", "[^/]+")
        made.append(Row(re.compile(pattern), rule))
    return tuple(made)


_PULL = _rows(
    ("pulls", threads.pull_listed),
    ("pulls/*", threads.pull_itself),
    ("pulls/*/*", threads.of_pull),
    ("issues", threads.pull_among_issues),
    ("issues/*", threads.pull_as_issue),
    ("issues/*/labels", threads.issue_labels),
    ("commits/*/pulls", code.unsure),
    ("milestones", code.milestones),
    ("actions/runs", runs.closed_pulls_of_runs),
    ("actions/runs/*", runs.closed_pulls_of_runs),
    ("actions/workflows/*/runs", runs.closed_pulls_of_runs),
)
_ISSUE = _rows(
    ("issues", threads.issue_listed),
    ("issues/*", threads.issue_itself),
    ("issues/*/labels", threads.issue_labels),
    ("issues/*/comments", threads.issue_comments),
    ("milestones", code.milestones),
)
_CHECK = ("check-runs/*", runs.check_itself)
_REF = _rows(("branches", code.branches_changed), ("tags", code.tags_listed))
_BY_EVENT: dict[str, tuple[Row, ...]] = {
    "workflow_run": _rows(
        ("actions/runs", runs.run_listed),
        ("actions/workflows/*/runs", runs.run_listed),
        ("actions/runs/*", runs.run_itself),
        ("actions/runs/*/jobs", runs.run_jobs),
        ("actions/runs/*/artifacts", runs.run_artifacts),
        ("actions/artifacts", runs.run_artifacts),
        ("commits/*/check-suites", runs.of_revision("workflow_run")),
    ),
    "workflow_job": _rows(
        ("actions/runs/*/jobs", runs.job_listed),
        ("actions/runs/*/attempts/*/jobs", runs.job_listed),
        ("actions/jobs/*", runs.job_itself),
        ("commits/*/check-runs", runs.of_revision("workflow_job")),
        _CHECK,
    ),
    "check_run": _rows(("commits/*/check-runs", runs.of_revision("check_run")), _CHECK),
    "check_suite": _rows(
        ("commits/*/check-suites", runs.of_revision("check_suite")),
        ("commits/*/check-runs", runs.of_revision("check_suite")),
    ),
    "status": _rows(("commits/*/status", runs.of_revision(""))),
    "pull_request": _PULL,
    "pull_request_review": _rows(("pulls/*/reviews", threads.of_pull)),
    "issues": _ISSUE,
    "issue_comment": _rows(
        ("issues", threads.issue_listed),
        ("issues/*", threads.issue_itself),
        ("issues/*/comments", threads.issue_comments),
    ),
    "push": _rows(
        ("commits", code.commits_listed),
        ("compare/**", code.compared),
        ("commits/**", code.commit_itself),
        ("branches", code.branches_listed),
        ("branches/*", code.branch_itself),
        ("tags", code.tags_listed),
        ("actions/runs", runs.pulls_of_runs),
        ("actions/runs/*", runs.pulls_of_runs),
        ("actions/workflows/*/runs", runs.pulls_of_runs),
    ),
    "create": _REF,
    "delete": _REF,
    "release": _rows(
        ("releases", code.release_listed),
        ("releases/**", code.release_itself),
        ("tags", code.tags_listed),
    ),
    "deployment": _rows(("deployments", code.deployment_listed), ("deployments/*", code.deployment_itself)),
    "deployment_status": _rows(
        ("deployments", code.deployment_listed),
        ("deployments/*", code.deployment_itself),
        ("deployments/*/statuses", code.statuses_listed),
    ),
    "label": _rows(("labels", code.unsure)),
    "milestone": _rows(("milestones", code.unsure)),
}
# Whatever happened: every payload has the repository with it
_ALWAYS = _rows(
    ("", code.repository_itself),
    ("pulls", code.repository_within),
    ("pulls/*", code.repository_within),
    ("commits/*/pulls", code.repository_within),
)
ORGANISATION = "/orgs/"
_PRIVATE_FROM_NOW = frozenset(("privatized", "renamed", "deleted", "transferred"))


@lru_cache(4096)
def rules_for(event: str, below: str) -> tuple[Rule, ...]:
    """The rules of an event for a path below its repository, to be applied in this order; empty when none is needed."""
    own = next((row.rule for row in _BY_EVENT.get(event, ()) if row.below.fullmatch(below)), None)
    always = next((row.rule for row in _ALWAYS if row.below.fullmatch(below)), None)
    return tuple(rule for rule in (own, always) if rule)


def rules_beside(path: str) -> tuple[Rule, ...]:
    """The rules for a whole path that is not below a repository."""
    return (code.repository_listed,) if path.startswith(ORGANISATION) else ()


def forgets_all(delivery: Delivery) -> bool:
    """Whether everything of the repository must go: it is somewhere else now, or not for everybody any more."""
    return delivery.event == "repository" and delivery.action in _PRIVATE_FROM_NOW
