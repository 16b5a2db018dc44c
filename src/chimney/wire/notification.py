"""Notifications: who is told, what was sent, and what could not be."""

from chimney.wire.base import Message, Timestamp


class NotifyTargetState(Message, frozen=True, kw_only=True):
    """One receiver. Its address is a secret and is not told: `service` is its scheme, `name` what somebody called it.

    `failures` are in a row, `last_error` is the last one's and None once a message arrived; `queued` is what waits
    to be told, `dropped` what there was no room to remember while it could not be.
    """

    id: str
    service: str
    name: str | None
    severities: list[str]
    origins: list[str]
    events: list[str]
    last_sent_at: Timestamp | None
    last_error: str | None
    failures: int
    queued: int
    sent: int
    dropped: int


class SentNotification(Message, frozen=True, kw_only=True):
    """One attempt. `error` is None when it went well."""

    at: Timestamp
    target: str
    title: str
    ok: bool
    error: str | None


class OutgoingState(Message, frozen=True, kw_only=True):
    """What the table tells others beside notifications: its heartbeat, its findings as alerts. `failures` in a row."""

    last_success_at: Timestamp | None
    last_error: str | None
    failures: int


class QuietWindow(Message, frozen=True, kw_only=True):
    """A deployment that keeps its origin's findings quiet; `overdue` when it did not become well in time."""

    origin: str
    deployment: str
    began: Timestamp
    open: bool
    overdue: bool


class Notifications(Message, frozen=True, kw_only=True):
    """`sent` is newest first. `heartbeat` and `alertmanager` are None when they are not configured."""

    targets: list[NotifyTargetState]
    sent: list[SentNotification]
    heartbeat: OutgoingState | None
    alertmanager: OutgoingState | None
    quiet: list[QuietWindow]


class NotifyTested(Message, frozen=True, kw_only=True):
    """What became of a test message."""

    ok: bool
    error: str | None
