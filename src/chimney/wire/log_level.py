"""The log level at run time."""

from chimney.wire.base import Message, Timestamp


class LogLevelChange(Message, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`logger` None means all that have no level of their own; `for_seconds` None means until the process ends."""

    level: str
    logger: str | None = None
    for_seconds: float | None = None


class LoggerLevel(Message, frozen=True, kw_only=True):
    """`reverts_at` is None when it does not revert by itself."""

    logger: str
    level: str
    reverts_at: Timestamp | None


class LogLevels(Message, frozen=True, kw_only=True):
    """What is logged now. `configured` is what a new process begins with; `loggers` have a level of their own."""

    level: str
    configured: str
    reverts_at: Timestamp | None
    loggers: list[LoggerLevel]
