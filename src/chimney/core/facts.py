"""What the table knows at one moment: the ground of findings and of the overview."""

from datetime import datetime
from enum import StrEnum

import msgspec

from chimney.core.elsewhere.alerts import Alert
from chimney.wire.deployment import DeployStatus
from chimney.wire.health import Health
from chimney.wire.origin import StreamState
from chimney.wire.pipeline import PipelineSummary


class Fault(StrEnum):
    """Why a probe failed; the evidence of a finding says it in these words."""

    DNS = "DNS"
    CONNECT = "connect"
    TLS = "TLS"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"
    REDIRECT = "redirect"
    STATUS = "status"
    UNREADABLE = "unreadable"


class ProbeFailure(msgspec.Struct, frozen=True, kw_only=True):
    """The present run of failed probes: why the last one failed, since when, how many."""

    fault: Fault
    detail: str
    since: datetime
    at: datetime
    count: int


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was seen in the log lately: when, what, and the request it belongs to."""

    at: datetime
    text: str
    request_id: str | None = None
    count: int = 1


class OriginFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One origin. `failure` is None while probes succeed, also before the first one (`probed_at` is None then).

    `latencies_ms` are those of the last probes, newest last. `health`, `deploy` and `pipeline` are the last answers.
    `well_since` is when the present run of good probes began.
    """

    name: str
    url: str
    probed_at: datetime | None
    failure: ProbeFailure | None
    latencies_ms: tuple[float, ...]
    last_contact_at: datetime | None
    health: Health | None
    deploy: DeployStatus | None
    pipeline: PipelineSummary | None
    stream: StreamState
    panic: Sighting | None = None
    dropped: Sighting | None = None
    well_since: datetime | None = None


class StorageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The table's own store. `full_since` None while it writes; `damage` says what was set aside at `damaged_at`.

    `used_pct` is of the disk, None while it is not known; `days_left` is when it is full if it goes on as it does.
    """

    full_since: datetime | None = None
    full_detail: str | None = None
    rows: int = 0
    damage: str | None = None
    damaged_at: datetime | None = None
    dropped: Sighting | None = None
    used_pct: float | None = None
    free_bytes: int = 0
    days_left: float | None = None


class SourceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A source that is read where it is: Jaeger and the like. `failure` is None while it answers."""

    name: str
    url: str
    failure: Sighting | None
    asked: bool


class ReceiverFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What senders of OTLP were told to send again, since the start."""

    refused: Sighting | None = None
    requests: int = 0


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    origins: tuple[OriginFacts, ...]
    storage: StorageFacts
    sources: tuple[SourceFacts, ...] = ()
    alerts: tuple[Alert, ...] = ()
    receiver: ReceiverFacts = ReceiverFacts()
