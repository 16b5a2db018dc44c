"""The edge: what Caddy is configured to do, what was seen of it, and switching it from one slot to the other."""

from enum import StrEnum
from typing import Literal

from chimney.wire.base import Message, Timestamp
from chimney.wire.event import Event

Slot = Literal["blue", "green"]


class Trouble(StrEnum):
    """Why nothing is known of Caddy."""

    NOT_CONFIGURED = "not_configured"  # CHIMNEY_CADDY_ADMIN is not set
    UNKNOWN = "unknown"  # not asked yet
    NO_SOCKET = "no_socket"
    REFUSED = "refused"
    PERMISSION = "permission"
    DNS = "dns"
    TIMEOUT = "timeout"
    HOST_NOT_ALLOWED = "host_not_allowed"
    NOT_CADDY = "not_caddy"
    UNREACHABLE = "unreachable"  # anything else; `detail` says it


class Pointing(StrEnum):
    """Where the configuration sends visitors."""

    ACTIVE = "active"  # every proxy of a slot points to the same one
    SPLIT = "split"  # some point to blue and some to green
    BOTH = "both"  # one proxy names both slots
    ELSEWHERE = "elsewhere"  # proxies there are, none points to a slot
    NO_PROXY = "no_proxy"
    NO_SLOTS = "no_slots"  # CHIMNEY_SLOTS is not set, so an address cannot be told to be a slot
    UNKNOWN = "unknown"


class Upstream(Message, frozen=True, kw_only=True):
    """`in_flight` and `fails` are what Caddy says; None when it does not. `answers`: whether something accepts
    connections there; asked only where visitors are sent to no slot, else None."""

    address: str
    slot: Slot | None
    in_flight: int | None = None
    fails: int | None = None
    answers: bool | None = None


class EdgeProxy(Message, frozen=True, kw_only=True):
    """One `reverse_proxy` of the configuration. `path` is its address in the admin API, below `/config/`."""

    path: str
    server: str | None
    hosts: list[str]
    upstreams: list[Upstream]
    slot: Slot | None


class ReloadFailure(Message, frozen=True, kw_only=True):
    """A configuration that Caddy refused. `source` is `log` (it was sent and refused) or `file` (it would be)."""

    at: Timestamp
    source: Literal["log", "file"]
    message: str


class Reloads(Message, frozen=True, kw_only=True):
    """`watched` names what is looked at: without it, a failure cannot be seen. `last` is None after it was mended."""

    watched: list[str]
    failures: int
    last: ReloadFailure | None


class TailState(StrEnum):
    NOT_CONFIGURED = "not_configured"
    WAITING = "waiting"  # there is no such file yet
    READING = "reading"
    PERMISSION = "permission"
    FAILED = "failed"


class AccessLog(Message, frozen=True, kw_only=True):
    """What was read of Caddy's access log. `malformed` lines were no JSON record; `too_long` ones were left out."""

    path: str | None
    state: TailState
    detail: str | None
    last_line_at: Timestamp | None
    last_line_age_seconds: float | None
    lines: int
    malformed: int
    too_long: int
    rotations: int


class SwitchRequest(Message, frozen=True, kw_only=True):
    """`revision`: what the slot should run, a prefix of at least 7 digits; None: whatever was deployed to it."""

    slot: Slot
    reason: str | None = None
    actor: str | None = None
    revision: str | None = None


class SlotCheck(Message, frozen=True, kw_only=True):
    """What a slot said when it was asked before a switch. `fault` is None when it may take visitors."""

    slot: Slot
    address: str
    ready: bool
    status: int | None
    revision: str | None
    fault: str | None


class Drained(Message, frozen=True, kw_only=True):
    """What was left on the slot that visitors were taken from. `in_flight` and `streams` are None when not knowable."""

    slot: Slot | None
    complete: bool
    waited_seconds: float
    in_flight: int | None
    streams: int | None


class SwitchResult(StrEnum):
    """As the audit keeps it. One that was begun and never ended: the process went away in the middle."""

    BEGUN = "begun"
    DONE = "done"
    UNCHANGED = "unchanged"  # it pointed there already
    REFUSED = "refused"
    FAILED = "failed"


class Edge(Message, frozen=True, kw_only=True):
    """Caddy as it was last seen, at `checked_at`. What is not known is None; `said` has what a person should know.

    `checks` are the slots, asked directly; `last_switch` is the event of it. `id` is the same for all who ask it.
    """

    reachable: bool
    trouble: Trouble | None
    detail: str | None
    admin: str | None
    version: str | None
    checked_at: Timestamp | None
    pointing: Pointing
    active_slot: Slot | None
    slots: dict[str, str]
    upstreams: list[Upstream]
    proxies: list[EdgeProxy]
    reloads: Reloads
    access_log: AccessLog
    checks: list[SlotCheck]
    last_switch: Event | None
    said: list[str]
    id: str | None = None


class Switched(Message, frozen=True, kw_only=True):
    """What a switch did, and the edge as it was seen afterwards."""

    result: SwitchResult
    before: Slot | None
    active_slot: Slot | None
    changed: list[str]
    check: SlotCheck
    drained: Drained
    audit_id: int
    edge: Edge
