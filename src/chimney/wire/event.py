"""What streams carry besides records: server-sent events, named by their kind."""

from typing import Any

from chimney.wire.base import Message, Timestamp


class Hello(Message, frozen=True, kw_only=True):
    """First event of every stream. `boot` names this start of the process; ids are None while nothing is held."""

    version: str
    boot: str
    oldest_id: int | None
    newest_id: int | None


class Gap(Message, frozen=True, kw_only=True):
    """What was asked for is gone: `missed` records after `after_id` and before `before_id`.

    `reason` is `evicted`, `slow_reader`, `too_many` (more than a stream replays: they can be read as pages),
    `dragonfly_lost` (another replica said it while this one could not hear), or
    `unknown_id`: the asked id was never given here, and `missed` counts only what is known to be gone.
    """

    missed: int
    after_id: int
    before_id: int
    reason: str


class Heartbeat(Message, frozen=True, kw_only=True):
    at: Timestamp
    newest_id: int | None


class Event(Message, frozen=True, kw_only=True):
    """Something that happened: `kind` is a closed list in docs/events.md, `data` depends on it.

    `slot` is where it was said, None where there are no slots.
    """

    kind: str
    at: Timestamp
    message: str
    slot: str | None = None
    data: dict[str, Any] = {}
