"""The audit of an origin: what somebody asked it to change, or was refused."""

from chimney.wire.base import Message, Timestamp


class AuditRecord(Message, frozen=True, kw_only=True):
    """`act` is what was asked, `who` who asked as far as it is known, `result` what became of it.

    `detail` holds what was asked for, before and after where that is known. `hash` covers this record and the one
    before it, so that a record that is changed or missing shows.
    """

    id: int
    at: Timestamp
    act: str
    who: str | None
    client: str | None
    request_id: str | None
    result: str
    detail: dict[str, str | None] = {}
    hash: str = ""
