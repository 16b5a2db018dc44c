"""Webhook deliveries: what GitHub is answered, and what became of them."""

from enum import StrEnum

from chimney.wire.base import Message, Timestamp


class Outcome(StrEnum):
    """What became of a delivery. Each but `failed` is final: the same delivery again changes nothing."""

    PENDING = "pending"  # taken, not worked off yet
    APPLIED = "applied"  # laid over what is stored
    OUTDATED = "outdated"  # something newer about the same subject was known
    UNKNOWN = "unknown"  # an event that nothing here depends on
    UNWATCHED = "unwatched"  # of a repository that is not watched
    FAILED = "failed"


class DeliveryAccepted(Message, frozen=True, kw_only=True):
    id: str
    event: str
    duplicate: bool


class DeliveryRecord(Message, frozen=True, kw_only=True):
    """`changed` are the stored responses (path and query) that it patched or put in doubt."""

    id: str
    event: str
    action: str | None
    repo: str | None
    received_at: Timestamp
    result: Outcome
    changed: list[str] = []
