"""An origin as the table sees it."""

from typing import Any

from chimney.wire.base import Message, Timestamp
from chimney.wire.deployment import Deployment, DeployStatus
from chimney.wire.edge import Edge
from chimney.wire.errors import ErrorGroup
from chimney.wire.finding import Findings
from chimney.wire.health import GitHubHealth, Health, Version, WebhooksHealth
from chimney.wire.pipeline import OpenPullRequest, Part, PipelineSummary, ReleaseSummary, Run
from chimney.wire.telemetry import LogRow
from chimney.wire.verdict import Verdict


class StreamState(Message, frozen=True, kw_only=True):
    """`state` is connected, connecting or lost; `lag_seconds` is the age of the newest record when it was stored."""

    state: str
    since: Timestamp
    last_record_at: Timestamp | None
    last_id: int | None
    lag_seconds: float | None
    error: str | None


class CollectorState(Message, frozen=True, kw_only=True):
    """One thing that the table asks an origin for. `lag_seconds` is how old its last answer is, of a stream how old its
    newest record was when it was stored; `error` is None while it goes well."""

    name: str
    last_success_at: Timestamp | None
    lag_seconds: float | None
    error: str | None


class OriginTraffic(Message, frozen=True, kw_only=True):
    """What visitors met, between one reading of the origin's metrics and the next, oldest first, together
    `over_seconds`. `rates` are requests by second; shares of 5xx and waits are None where nobody came."""

    over_seconds: float
    rates: list[float]
    error_rates_pct: list[float | None]
    p95s_ms: list[float | None]


class OriginState(Message, frozen=True, kw_only=True):
    """`state` is up, degraded, down or unknown (not asked yet); `reason` says why it is not up.

    `uptime_24h_pct` counts the table's own probes and is None before the first; `uptime_bars` are shares of successful
    probes in 90 equal parts of the last 24 h, oldest first, None where nothing was probed.
    """

    name: str
    url: str
    state: str
    reason: str | None
    last_contact_at: Timestamp | None
    latency_ms: float | None
    health: Health | None
    deploy: DeployStatus | None
    pipeline: PipelineSummary | None
    stream: StreamState
    uptime_24h_pct: float | None
    uptime_bars: list[float | None]
    demonstration: bool
    edge: Edge | None = None
    version: Version | None = None
    collectors: list[CollectorState] = []
    traffic: OriginTraffic | None = None


class Change(Message, frozen=True, kw_only=True):
    """One commit's life on one line: pull request, CI, deployment.

    `ci` is success, failure, running, queued or unknown; `deployments` are newest first and empty until it is deployed.
    """

    revision: str
    title: str
    url: str | None
    pr_number: int | None
    actor: str | None
    at: Timestamp
    ci: str
    ci_duration_seconds: float | None
    ci_url: str | None
    deployments: list[Deployment]


class Overview(Message, frozen=True, kw_only=True):
    """Everything that the first screen shows, in one answer."""

    at: Timestamp
    version: str
    findings: Findings
    origins: list[OriginState]
    changes: list[Change]
    log_rate_per_second: float
    errors_last_5_min: int


class OverviewChanged(Message, frozen=True, kw_only=True):
    """What changed of an Overview since the last event: of each origin its name and the fields that did. `findings` and
    `changes` are None when they did not."""

    at: Timestamp
    version: str
    log_rate_per_second: float
    errors_last_5_min: int
    findings: Findings | None
    changes: list[Change] | None
    origins: list[dict[str, Any]]


class SessionState(Message, frozen=True, kw_only=True):
    user: str
    role: str


class SignIn(Message, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user: str = "operator"
    password: str


class PlacedDeployment(Deployment, frozen=True, kw_only=True):
    """A deployment on the timeline over all origins. `verdict` is None while nobody can tell: it failed, or the table
    did not see what came after it."""

    origin: str
    verdict: Verdict | None = None


class DeploymentDetail(PlacedDeployment, frozen=True, kw_only=True):
    """`previous` is what it took the place of; `logs` are warnings and worse of its origin, newest first, from its
    start until `logs_until`; `errors` are the groups that were seen in it, new ones first."""

    previous: PlacedDeployment | None
    logs: list[LogRow]
    logs_until: Timestamp
    errors: list[ErrorGroup]


class PlacedRun(Run, frozen=True, kw_only=True):
    """A workflow run of one of the repositories that an origin watches."""

    origin: str
    repo: str
    updated_at: Timestamp


class RunsPage(Message, frozen=True, kw_only=True):
    """Newest first within what was read; `partial` names the repositories that could not be read."""

    items: list[PlacedRun]
    next: str | None
    partial: list[Part]


class OriginPipeline(Message, frozen=True, kw_only=True):
    """`pipeline` is None until the origin told; `reason` then says why.

    An origin that watches several repositories has one item for each, the main one first. `pulls` and `releases` are
    None when they were not read; `partial` says why. `github` and `webhooks` are the origin's, of its last health.
    """

    origin: str
    pipeline: PipelineSummary | None
    reason: str | None
    repo: str | None = None
    state: str = "unknown"
    pulls: list[OpenPullRequest] | None = None
    releases: list[ReleaseSummary] | None = None
    github: GitHubHealth | None = None
    webhooks: WebhooksHealth | None = None
    hit_rate_pct: float | None = None
    partial: list[Part] = []
