"""What a job of a workflow run wrote, for those who look at a run."""

import asyncio
import re
from typing import Annotated, Any

from litestar import get
from litestar.exceptions import NotFoundException
from litestar.params import FromQuery, PathParameter

from chimney.core.redact import safe
from chimney.github.errors import GitHubError
from chimney.github.job_log import JobLog, JobLogs
from chimney.origin.asking import as_problem
from chimney.web.problem import ProblemError
from chimney.wire.pipeline import JobLogText
from chimney.wire.problem import Fault

LONGEST_LINE = 4_000
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
JobNumber = Annotated[int, PathParameter(ge=1, description="The job's number at GitHub.")]


def _shown(log: JobLog) -> list[str]:
    """Lines without colours; whatever else is hidden in them is made visible, and secrets are masked."""
    return [safe(_COLOUR.sub("", line), longest=LONGEST_LINE) for line in log.text.splitlines()]


def routes(logs: JobLogs, repos: list[str], *, read_scope: Any) -> list[Any]:
    @get("/api/pipeline/jobs/{job:int}/log", guards=[read_scope], summary="A job's log", tags=["pipeline"])
    async def job_log(job: JobNumber, repo: FromQuery[str | None] = None) -> JobLogText:
        """Its last 2 MiB, as lines. 404 while it has none, or when GitHub has forgotten it."""
        known = next((one for one in repos if repo is None or one.lower() == repo.lower()), None)
        if known is None:
            detail = "is not one that this origin watches"
            raise ProblemError(
                400, "malformed", f"query.repo: {detail}", errors=[Fault(path="query.repo", detail=detail)]
            )
        try:
            log = await logs.fetch(known, job)
        except GitHubError as error:
            raise as_problem(error) from None
        if log is None:
            raise NotFoundException
        return JobLogText(job=job, repo=known, lines=await asyncio.to_thread(_shown, log), cut=log.cut)

    return [job_log]
