"""The first screen: what state an origin is in, and each commit's life on one line."""

import re
from collections.abc import Iterable, Iterator

from chimney.core.facts import OriginFacts
from chimney.wire.deployment import Deployment
from chimney.wire.origin import Change
from chimney.wire.pipeline import MergedPullRequest, PipelineSummary, Run

CHANGES = 12
_RUNNING = frozenset(("in_progress", "running"))
_SQUASHED = re.compile(r"(.{1,500}) \(#([0-9]{1,9})\)")  # how GitHub titles a squashed pull request
_GOOD = frozenset(("success", "neutral", "skipped"))


def state_of(origin: OriginFacts) -> tuple[str, str | None]:
    """`up`, `degraded`, `down` or `unknown`, and why it is not up."""
    if origin.failure:
        return "down", f"{origin.failure.fault}: {origin.failure.detail}"
    if origin.probed_at is None or origin.health is None:
        return "unknown", "not asked yet"
    if origin.health.status == "ok":
        return "up", None
    return ("down" if origin.health.status == "down" else "degraded"), _why(origin)


def _why(origin: OriginFacts) -> str:
    health = origin.health
    if health is None:
        return "not known"
    causes = [f"{name}: {loop.error}" for name, loop in health.loops.items() if loop.error]
    if health.github.problem:
        causes.insert(0, f"GitHub: {health.github.problem}")
    if health.dragonfly.status not in ("connected", "not_configured"):
        causes.append(f"Dragonfly is {health.dragonfly.status}")
    return "; ".join(causes) or f"it says that it is {health.status}"


def _ci(runs: list[Run]) -> tuple[str, Run | None]:
    """The newest attempt of each workflow, folded: one failure fails, one that runs is running."""
    newest: dict[str, Run] = {}
    for run in runs:
        known = newest.get(run.workflow)
        if known is None or (run.started_at, run.attempt) > (known.started_at, known.attempt):
            newest[run.workflow] = run
    latest = sorted(newest.values(), key=lambda run: run.started_at, reverse=True)
    open_runs = [run for run in latest if run.status != "completed"]
    failed = [run for run in latest if run.status == "completed" and run.conclusion not in _GOOD]
    if failed:
        return "failure", failed[0]
    if open_runs:
        running = any(run.status in _RUNNING for run in open_runs)
        return ("running" if running else "queued"), open_runs[0]
    return ("success", latest[0]) if latest else ("unknown", None)


def _same(one: str, other: str) -> bool:
    """Revisions may be reported short: at least seven digits name a commit."""
    return one.startswith(other) or other.startswith(one)


class _Line:
    """What belongs to one revision, gathered."""

    def __init__(self, revision: str) -> None:
        self.revision = revision
        self.runs: list[Run] = []
        self.deployments: list[Deployment] = []
        self.merged: MergedPullRequest | None = None
        self.default_branch: str | None = None

    @property
    def branch(self) -> str | None:
        """The branch it waits on; None when it is on the default branch, or somebody deployed it."""
        branches = {run.branch for run in self.runs}
        if self.deployments or self.merged or self.default_branch is None or self.default_branch in branches:
            return None
        return next(filter(None, branches), None)

    def change(self) -> Change:
        ci, run = _ci(self.runs)
        newest = sorted(self.deployments, key=lambda one: one.started_at, reverse=True)
        title, number = self._title()
        pr = next((one.pr for one in newest if one.pr), None)
        times = [one.started_at for one in self.runs] + [one.started_at for one in newest]
        times += [self.merged.merged_at] if self.merged else []
        actors = [one.actor for one in self.runs] + [one.actor for one in newest]
        links = (self.merged.url if self.merged else None, pr.url if pr else None, run.url if run else None)
        return Change(
            revision=self.revision,
            title=title,
            url=next(filter(None, links), None),
            pr_number=self.merged.number if self.merged else pr.number if pr else number,
            actor=next(filter(None, actors), None),
            at=max(times),
            ci=ci,
            ci_duration_seconds=run.duration_seconds if run else None,
            ci_url=run.url if run else None,
            deployments=newest,
        )

    def _title(self) -> tuple[str, int | None]:
        """Of the pull request, else of the commit, else the revision; with the number that a squashed one carries."""
        known = [self.merged.title if self.merged else None]
        known += [one.pr.title for one in self.deployments if one.pr]
        known += [run.title for run in self.runs]
        known += [one.message.partition("\n")[0] for one in self.deployments if one.message]
        title = next(filter(None, known), self.revision[:7])
        squashed = [match for text in known if text and (match := _SQUASHED.fullmatch(text))]
        match = _SQUASHED.fullmatch(title)
        return (match[1] if match else title), (int(squashed[0][2]) if squashed else None)


class _Lines:
    """Lines by revision, in the order in which they were met."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []

    def of(self, revision: str) -> _Line:
        for line in self._lines:
            if _same(line.revision, revision):
                line.revision = max(line.revision, revision, key=len)
                return line
        self._lines.append(_Line(revision))
        return self._lines[-1]

    def __iter__(self) -> Iterator[_Line]:
        return iter(self._lines)


def changes(origins: Iterable[OriginFacts]) -> list[Change]:
    """At most twelve, newest first. Two origins that tell of the same deployment or run tell it once.

    Of a branch that waits only the newest revision is shown, and none once its title has reached the default branch.
    """
    lines = _Lines()
    for origin in origins:
        if origin.pipeline:
            _add_pipeline(lines, origin.pipeline)
        for deployment in origin.deploy.recent_deploys if origin.deploy else ():
            line = lines.of(deployment.revision)
            if deployment.id not in {one.id for one in line.deployments}:
                line.deployments.append(deployment)
    found = sorted(((line.change(), line.branch) for line in lines), key=lambda one: one[0].at, reverse=True)
    return _without_superseded(found)[:CHANGES]


def _without_superseded(found: list[tuple[Change, str | None]]) -> list[Change]:
    landed = {change.title for change, branch in found if branch is None}
    seen: set[str] = set()
    kept = []
    for change, branch in found:
        if branch is not None and (branch in seen or change.title in landed):
            continue
        seen.update(filter(None, (branch,)))
        kept.append(change)
    return kept


def _add_pipeline(lines: _Lines, pipeline: PipelineSummary) -> None:
    merged = pipeline.last_merged_pr
    if merged and merged.revision:
        lines.of(merged.revision).merged = merged
    for run in pipeline.runs:
        line = lines.of(run.revision)
        line.default_branch = pipeline.default_branch.name if pipeline.default_branch else None
        if (run.id, run.attempt) not in {(one.id, one.attempt) for one in line.runs}:
            line.runs.append(run)
