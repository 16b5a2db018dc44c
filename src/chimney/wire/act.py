"""Acts: what an operator has an origin do, and what was seen afterwards."""

from enum import StrEnum
from typing import Any

from chimney.wire.base import Message, Timestamp


class Act(StrEnum):
    INVALIDATE = "invalidate"
    WARM = "warm"
    LOG_LEVEL = "log_level"
    RERUN = "rerun"
    RERUN_FAILED = "rerun_failed"
    CANCEL = "cancel"
    APPROVE = "approve"
    DISPATCH = "dispatch"
    SWITCH = "switch"
    ROLLBACK = "rollback"


class ActRequest(Message, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`origin` may be left out when one is followed. Which of the other fields it needs and takes, says the act."""

    origin: str | None = None
    reason: str | None = None
    path: str | None = None
    all: bool | None = None
    paths: list[str] | None = None
    level: str | None = None
    logger: str | None = None
    for_seconds: float | None = None
    repo: str | None = None
    run_id: int | None = None
    environment: str | None = None
    workflow: str | None = None
    ref: str | None = None
    inputs: dict[str, str] | None = None
    slot: str | None = None
    deployment: str | None = None


class ActAnswer(Message, frozen=True, kw_only=True):
    """`id` is the audit's; `observed` is what the origin answered after the act."""

    id: int
    act: Act
    origin: str
    at: Timestamp
    did: str
    observed: Any


class ActDescription(Message, frozen=True, kw_only=True):
    """What an act does and takes. `hurts`: the page asks once more before it."""

    act: Act
    does: str
    needs: list[str]
    takes: list[str]
    hurts: bool
