"""CCTray XML: what wallboards have read since CruiseControl.

One project for each workflow on the default branch of each repository, and one for each environment of an origin.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape
from itertools import groupby

import msgspec

from chimney.core.redact import safe
from chimney.wire.deployment import Phase
from chimney.wire.origin import PlacedDeployment, PlacedRun

_STATUS = {"success": "Success", "neutral": "Success", "skipped": "Success", "failure": "Failure"}
_FAILED = frozenset(("failure", "timed_out", "startup_failure"))
_NO_VERDICT = frozenset(("cancelled", "skipped", "stale", "action_required"))


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """`status` is Success, Failure or Unknown: of the last that ended, also while another is running."""

    name: str
    building: bool
    status: str
    label: str
    time: datetime
    url: str


def of_runs(runs: Iterable[PlacedRun], branches: Mapping[str, str]) -> list[Project]:
    """`branches` names the default branch by repository; runs of others do not count."""
    ours = [one for one in runs if one.branch is not None and branches.get(one.repo) == one.branch]
    ours.sort(key=lambda one: (one.repo, one.workflow, -one.started_at.timestamp(), -one.id))
    return [_of_workflow(list(found)) for _, found in groupby(ours, key=lambda one: (one.repo, one.workflow))]


def _of_workflow(runs: list[PlacedRun]) -> Project:
    """Newest first. One that was cancelled is no verdict; the one before it still stands."""
    newest = runs[0]
    ended = next((one for one in runs if one.status == "completed" and one.conclusion not in _NO_VERDICT), None)
    shown = ended or newest
    return Project(
        name=f"{newest.repo} :: {newest.workflow} :: {newest.branch}",
        building=newest.status != "completed",
        status=_verdict(ended.conclusion) if ended else "Unknown",
        label=shown.revision[:7],
        time=shown.updated_at,
        url=newest.url,
    )


def _verdict(conclusion: str | None) -> str:
    return "Failure" if conclusion in _FAILED else _STATUS.get(conclusion or "", "Unknown")


_PHASES = {Phase.SUCCEEDED: "Success", Phase.FAILED: "Failure", Phase.ROLLED_BACK: "Failure"}


def of_deployments(deployments: Iterable[PlacedDeployment]) -> list[Project]:
    """Given newest first."""
    ours = sorted(deployments, key=lambda one: (one.origin, one.environment))
    return [_of_place(list(found)) for _, found in groupby(ours, key=lambda one: (one.origin, one.environment))]


def _of_place(deployments: list[PlacedDeployment]) -> Project:
    newest = deployments[0]
    ended = next((one for one in deployments if one.phase is not Phase.STARTED), None)
    shown = ended or newest
    return Project(
        name=f"{newest.origin} :: deploy :: {newest.environment}",
        building=newest.phase is Phase.STARTED and not newest.stuck,
        status=_PHASES[ended.phase] if ended else "Unknown",
        label=shown.revision[:7],
        time=shown.ended_at or shown.started_at,
        url=newest.run_url or "",
    )


def _attribute(name: str, value: str) -> str:
    shown = safe(value, longest=500).replace("\n", " ").replace("\t", " ")
    return f'{name}="{escape(shown.translate({0xFFFE: None, 0xFFFF: None}))}"'


def xml(projects: Iterable[Project]) -> str:
    rows = (
        " ".join(
            (
                _attribute("name", one.name),
                _attribute("activity", "Building" if one.building else "Sleeping"),
                _attribute("lastBuildStatus", one.status),
                _attribute("lastBuildLabel", one.label),
                _attribute("lastBuildTime", one.time.isoformat(timespec="seconds").replace("+00:00", "Z")),
                _attribute("webUrl", one.url),
            )
        )
        for one in projects
    )
    lines = "".join(f"  <Project {row}/>\n" for row in rows)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Projects>\n{lines}</Projects>\n'
