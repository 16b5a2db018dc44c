"""What a process says about its own health."""

from chimney.wire.base import Message, Timestamp
from chimney.wire.github_deployment import GitHubTelling


class DragonflyHealth(Message, frozen=True, kw_only=True):
    """`status` is connected, connecting, unavailable or not_configured; figures are None unless connected. `full`: it
    refuses what is to be kept, for lack of memory."""

    status: str
    keys: int | None = None
    memory_bytes: int | None = None
    latency_ms: float | None = None
    full: bool = False


class CacheHealth(Message, frozen=True, kw_only=True):
    """`hit_rate_pct` is None until something was asked for."""

    entries: int
    bytes: int
    hits: int
    misses: int
    hit_rate_pct: float | None


class RateLimit(Message, frozen=True, kw_only=True):
    limit: int
    remaining: int
    reset_at: Timestamp
    resource: str


class GitHubHealth(Message, frozen=True, kw_only=True):
    """`rate_limit` and `last_success_at` are None until GitHub answered once; `problem` says what is wrong now.

    `sparing` says why routine requests are held back to make the quota last, None while they are not;
    `refused_for_budget` counts what was held back. `app` says how it is with the token of a GitHub App, if any.
    """

    last_success_at: Timestamp | None
    seconds_since_success: float | None
    rate_limit: RateLimit | None
    authenticated: bool
    problem: str | None = None
    sparing: str | None = None
    refused_for_budget: int = 0
    app: str | None = None


class LogsHealth(Message, frozen=True, kw_only=True):
    records: int
    oldest_id: int | None
    newest_id: int | None
    dropped: int
    errors: int


class ErrorWindow(Message, frozen=True, kw_only=True):
    """Requests of visitors and the answers of class 5xx among them; the rate is None when nobody asked."""

    requests: int
    errors: int
    error_rate_pct: float | None


class WaitWindow(Message, frozen=True, kw_only=True):
    """What visitors waited in the last seconds; None when nobody asked."""

    over_seconds: float
    requests: int
    p95_ms: float | None


class ErrorsHealth(Message, frozen=True, kw_only=True):
    last_1m: ErrorWindow
    last_5m: ErrorWindow
    last_60m: ErrorWindow
    waits: WaitWindow | None = None


class LoopHealth(Message, frozen=True, kw_only=True):
    """A background loop: `last_success_at` None until it succeeded once, `error` None while it is well.

    `failures` counts those in a row until now, `restarts` all since the start; `last_error` stays when it is well.
    """

    last_success_at: Timestamp | None
    failures: int
    restarts: int
    error: str | None
    last_error: str | None = None
    last_error_at: Timestamp | None = None


class WebhooksHealth(Message, frozen=True, kw_only=True):
    """`last_at` is None until a delivery was taken since the start; `rejected` counts those with a wrong signature.

    `mis_signed` counts those among them that have all that GitHub's have, `mis_signed_at` is the last of these.
    """

    configured: bool
    last_at: Timestamp | None
    rejected: int
    mis_signed: int = 0
    mis_signed_at: Timestamp | None = None


class Health(Message, frozen=True, kw_only=True):
    status: str
    version: str
    boot: str
    repo: str | None
    slot: str | None
    environment: str
    demonstration: bool
    started_at: Timestamp
    uptime_seconds: float
    dragonfly: DragonflyHealth
    cache: CacheHealth
    github: GitHubHealth
    logs: LogsHealth
    streams: int
    requests_in_flight: int = 0
    panics: int
    loops: dict[str, LoopHealth]
    webhooks: WebhooksHealth | None = None
    github_deployments: GitHubTelling | None = None
    errors: ErrorsHealth | None = None
    repo_public: bool | None = None


class Version(Message, frozen=True, kw_only=True):
    chimney_version: str
    repo: str | None
    release: dict[str, str | None] | None
    revision: str | None
    slot: str | None


class TableHealth(Message, frozen=True, kw_only=True):
    """`rows` are log records in the journal; `origins` counts those that are connected now.

    `findings` counts the current ones by severity; `status` is degraded while one says that the table does not work.
    """

    status: str
    version: str
    boot: str
    started_at: Timestamp
    uptime_seconds: float
    rows: int
    journal_bytes: int
    sqlite_version: str
    origins: int
    origins_connected: int
    streams: int
    panics: int
    loops: dict[str, LoopHealth]
    findings: dict[str, int] = {}
