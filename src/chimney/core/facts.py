"""What the table knows at one moment: the ground of findings and of the overview."""

from datetime import datetime
from enum import StrEnum

import msgspec

from chimney.core.elsewhere.alerts import Alert
from chimney.wire.deployment import Deployment, DeployStatus
from chimney.wire.edge import Edge
from chimney.wire.health import ErrorWindow, Health
from chimney.wire.origin import CollectorState, PlacedDeployment, StreamState
from chimney.wire.pipeline import PipelineSummary
from chimney.wire.probe import ProbedOrigin
from chimney.wire.verdict import Verdict


class Fault(StrEnum):
    """Why a probe failed; the evidence of a finding says it in these words."""

    DNS = "DNS"
    CONNECT = "connect"
    TLS = "TLS"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"
    REDIRECT = "redirect"
    STATUS = "status"
    STARTING = "starting"
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


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What the origin's TLS certificate says of its time."""

    not_before: datetime
    not_after: datetime


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """The 95th percentile of what visitors waited: in the last seconds, in which there were so many `requests`, and
    usually, over the hour before; None until that is known."""

    p95_ms: float
    usual_ms: float | None
    requests: int


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked of the cache in the last minutes, and found there. `since` is the beginning of them."""

    requests: int
    hits: int
    since: datetime


class Harm(msgspec.Struct, frozen=True, kw_only=True):
    """The newest deployment that is live, with a verdict that it hurts."""

    deployment: PlacedDeployment
    verdict: Verdict


class Peers(msgspec.Struct, frozen=True, kw_only=True):
    """What origins of the same repository and environment have in common: slots and replicas of one service.

    `anchor` is the first of them, after which what they share is named. `deploying` is a deployment that goes on, or
    ended just now. `dead` are slots of edges whose origin does not answer, by the edge's id and the slot.
    """

    anchor: str
    deploying: Deployment | None = None
    webhook_at: datetime | None = None
    dead: frozenset[tuple[str | None, str]] = frozenset()


class OriginFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One origin. `failure` is None while probes succeed, also before the first one (`probed_at` is None then).

    `latencies_ms` are those of the last probes, newest last. `health`, `deploy`, `pipeline` and `edge` are the last
    answers, `history` how the addresses that it probes are. `clock_ahead_seconds` is by how much its clock is ahead of
    ours. `unready_since`: it answers, and says that it is down. `left_at`: it ended its stream then as one does that is
    stopped on purpose. `edge_errors` are answers of its edge in the last minute.
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
    edge: Edge | None = None
    history: tuple[ProbedOrigin, ...] = ()
    harm: Harm | None = None
    clock_ahead_seconds: float | None = None
    certificate: Certificate | None = None
    latency: Latency | None = None
    cache: Asked | None = None
    edge_errors: ErrorWindow | None = None
    left_at: datetime | None = None
    unready_since: datetime | None = None
    collectors: tuple[CollectorState, ...] = ()
    peers: Peers | None = None

    @property
    def anchor(self) -> str:
        return self.peers.anchor if self.peers else self.name


class StorageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The table's own store. `full_since` None while it writes; `damage` says what was set aside at `damaged_at`.

    `used_pct` is of the disk, None while it is not known; `days_left` is when it is full if it goes on as it does.
    """

    full_since: datetime | None = None
    full_detail: str | None = None
    recovered_at: datetime | None = None
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
    """What senders of OTLP were told to send again, since the start; `denied` is what was refused for good: a wrong
    token, or what is no OTLP."""

    refused: Sighting | None = None
    requests: int = 0
    denied: Sighting | None = None


class OwnFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The table's process. `undelivered` are those that cannot be told, by id and name.

    `loops` are those that fail, by name with their error; `lag_seconds` is by how much its loop
    was late lately, `waiting_rows` what is read and not stored yet, `unkept` what of the findings could not be kept."""

    loops: tuple[tuple[str, Sighting], ...] = ()
    panic: Sighting | None = None
    lag_seconds: float = 0.0
    lag_at: datetime | None = None
    waiting_rows: int = 0
    unkept: int = 0
    undelivered: tuple[tuple[str, str, Sighting], ...] = ()


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    origins: tuple[OriginFacts, ...]
    storage: StorageFacts
    sources: tuple[SourceFacts, ...] = ()
    alerts: tuple[Alert, ...] = ()
    receiver: ReceiverFacts = ReceiverFacts()
    own: OwnFacts = OwnFacts()
