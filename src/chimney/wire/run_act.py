"""What an operator asks of GitHub through the origin: runs again, cancelled, approved, dispatched."""

from enum import StrEnum

from chimney.wire.base import Message


class RunAct(StrEnum):
    RERUN = "rerun"
    RERUN_FAILED = "rerun_failed"
    CANCEL = "cancel"
    APPROVE = "approve"
    DISPATCH = "dispatch"


class RunActRequest(Message, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`repo` is the main one when left out. `run_id` for all but dispatch, which takes `workflow` (a file name).

    `environment`: which of several waiting deployments to approve; left out: all that the token may approve.
    """

    repo: str | None = None
    run_id: int | None = None
    environment: str | None = None
    workflow: str | None = None
    ref: str | None = None
    inputs: dict[str, str] = {}
    reason: str | None = None


class ObservedRun(Message, frozen=True, kw_only=True):
    """A run as GitHub tells it right after the act: it may not have begun to change yet."""

    id: int
    workflow: str | None
    status: str | None
    conclusion: str | None
    attempt: int | None
    url: str | None


class RunActed(Message, frozen=True, kw_only=True):
    """`run` is None when GitHub took the act and could not be asked for the run afterwards."""

    act: RunAct
    repo: str
    run: ObservedRun | None
    environments: list[str] = []
