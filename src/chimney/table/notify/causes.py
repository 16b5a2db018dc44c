"""What there is to be told at this moment: findings, verdicts, what is held back by a deployment."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from chimney.core.finding_of import duration
from chimney.core.message import verdict_cause
from chimney.core.notify import Cause, cause_of
from chimney.core.quiet import Quiet, Window
from chimney.wire.base import stamp
from chimney.wire.finding import Finding
from chimney.wire.origin import PlacedDeployment
from chimney.wire.verdict import Verdict, VerdictState

VERDICTS_FOR = timedelta(days=1)


class Now(msgspec.Struct, frozen=True):
    """`silent` are ids of what is current and is not to be told of, `hidden` those of what is not over and not shown:
    the consequences of something else. `resolving`: what is not there is gone."""

    causes: Sequence[Cause]
    silent: frozenset[str]
    hidden: frozenset[str] = frozenset()
    resolving: bool = False


class Causes:
    """`look` is the verb of a loop, `now` what it saw last. Nothing counts as gone in the first `settling` seconds:
    what is not drawn then may only not have been looked at yet."""

    def __init__(
        self,
        *,
        findings: Callable[[], Sequence[Finding]],
        alive: Callable[[], Sequence[Finding]],
        deployments: Callable[[datetime], Sequence[PlacedDeployment]],
        verdict: Callable[[PlacedDeployment], Verdict | None],
        quiet_seconds: float,
        settling: float,
    ) -> None:
        self._findings = findings
        self._alive = alive
        self._deployments = deployments
        self._verdict = verdict
        self._settled_at = time.time() + settling
        self.quiet = Quiet(timedelta(seconds=quiet_seconds))
        self.now = Now((), frozenset())

    async def look(self) -> float:
        seconds = time.time()
        at = stamp(seconds)
        findings = self._findings()
        lately = self._deployments(at - VERDICTS_FOR)
        self.quiet.take(lately, findings, now=at)
        silent = {one.id for one in findings if one.silenced or self.quiet.holds(one)}
        causes = [self._cause(one, at) for one in findings if one.id not in silent]
        causes += [verdict_cause(one, verdict) for one in lately if (verdict := self._final(one))]
        hidden = frozenset(one.id for one in self._alive()) - {one.id for one in findings}
        self.now = Now(causes, frozenset(silent), hidden, seconds >= self._settled_at)
        return 1.0

    def _final(self, one: PlacedDeployment) -> Verdict | None:
        verdict = self._verdict(one)
        return verdict if verdict and verdict.state is not VerdictState.PENDING else None

    def _cause(self, finding: Finding, at: datetime) -> Cause:
        cause, window = cause_of(finding), self.quiet.overdue(finding)
        return _late(cause, window, at) if window else cause


def _late(cause: Cause, window: Window, at: datetime) -> Cause:
    since = duration((at - window.began).total_seconds())
    said = f"The deployment of {window.revision[:7]} began {since} ago, and {window.origin} is not well since."
    return msgspec.structs.replace(cause, detail=f"{said} {cause.detail}".strip())
