"""The audit: what somebody asked to be changed, or was refused, and what became of it."""

from enum import StrEnum
from typing import Any

from chimney.wire.base import Message, Timestamp


class AuditRecord(Message, frozen=True, kw_only=True):
    """`act` is what was asked, `who` who asked as far as it is known, `result` what became of it.

    `detail` holds what was asked for, before and after where that is known. `of` is the record whose outcome this one
    tells. `hash` covers this record and the one before it, so that a record that is changed or missing shows.
    """

    id: int
    at: Timestamp
    act: str
    who: str | None
    client: str | None
    request_id: str | None
    result: str
    detail: dict[str, str | None] = {}
    of: int | None = None
    hash: str = ""


class Result(StrEnum):
    """What became of an act. UNKNOWN also while it is being done, and for ever when the table ended meanwhile."""

    DONE = "done"
    REFUSED = "refused"  # by the origin: nothing was changed
    FAILED = "failed"  # the origin was not reached: nothing was changed
    UNKNOWN = "unknown"


class AuditedAct(Message, frozen=True, kw_only=True):
    """One act of an operator: who, what, why, what was asked of the origin and what was seen afterwards.

    `observed` is what the origin answered, cut past 4,000 characters and then a text. `hash` is that of the record
    written before the act; the outcome is a record of its own in the same chain.
    """

    id: int
    at: Timestamp
    act: str
    who: str | None
    client: str | None
    request_id: str | None
    origin: str | None
    did: str | None
    reason: str | None
    asked: Any
    result: Result
    finished_at: Timestamp | None
    detail: str | None
    observed: Any
    hash: str


class AuditChain(Message, frozen=True, kw_only=True):
    """Whether each record carries the hash of the one before it; `broken_at` is the first that does not."""

    records: int
    whole: bool
    broken_at: int | None
    checked_at: Timestamp
