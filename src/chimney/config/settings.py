"""The table of settings: one row feeds the parser, `check-config`, the documentation and its test."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, DirectoryPath, Field, FilePath, SecretStr

from chimney.config.kinds import (
    NAME,
    AlertmanagerSend,
    AppInstallation,
    AppKey,
    CaddyAdmin,
    Commas,
    DragonflyUrl,
    GitHubAllow,
    HeaderSecret,
    Lifetimes,
    Listen,
    Networks,
    OidcAllow,
    OidcClientId,
    Repo,
    Secrets,
    SecretUrl,
    Share,
    Slots,
    Targets,
    TargetUrl,
    Template,
    Url,
    Urls,
    Windows,
)
from chimney.core.notify import Event
from chimney.wire.finding import Severity


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class OriginSettings(Settings):
    """`[origin]` in chimney.toml, `CHIMNEY_…` in the environment."""

    listen: Listen = Field("127.0.0.1:8080", description="Address the origin listens on.")
    repo: Repo | None = Field(None, description="The main repository, owner/name.")
    repos: Annotated[list[Repo], Commas] = Field([], description="More repositories to watch.")
    org: Annotated[str, Field(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$")] | None = Field(
        None, description="An organisation whose repositories are discovered and watched too."
    )
    repos_exclude: Annotated[list[str], Commas] = Field(
        [], description="Repositories that discovery leaves out, name or owner/name, comma-separated."
    )
    github_token: HeaderSecret | None = Field(None, description="GitHub token; GITHUB_TOKEN is read too.")
    github_app_id: str | None = Field(
        None, pattern=r"^[A-Za-z0-9.]{1,64}$", description="Id of a GitHub App to sign in as, in place of a token."
    )
    github_app_key: AppKey | None = Field(None, description="Private key of the GitHub App, PEM.")
    github_app_installation: AppInstallation = Field(
        None, validate_default=True, description="Id of the App's installation."
    )
    github_api_url: Url = Field("https://api.github.com", description="Base URL of the GitHub REST API.")
    dragonfly_url: DragonflyUrl | None = Field(
        None, description="Shared cache, redis:// or rediss://; unset: memory only."
    )
    lifetimes: Lifetimes | None = Field(
        None, description="Seconds that answers of GitHub stay fresh, by kind: `runs=30,issues=120`."
    )
    webhook_secret: SecretStr | None = Field(
        None, min_length=1, description="Secret of GitHub's webhook; unset: its deliveries are refused."
    )
    data_dir: Path = Field(Path(".chimney"), description="Folder of the origin's small state.")
    slot: str | None = Field(
        None, pattern="^(blue|green)$", description="The slot this process runs in: blue or green."
    )
    slots: Slots | None = Field(
        None, description="Upstream address of each slot: `blue=127.0.0.1:8081,green=127.0.0.1:8082`."
    )
    environment: str = Field("production", pattern=r"^[A-Za-z0-9._-]{1,64}$", description="Name of the environment.")
    deploy_environments: Annotated[list[str], Commas] = Field(
        [], description="Environments that reports may be about; unset: any."
    )
    environment_url: Url | None = Field(None, description="Public address of the environment, told to GitHub.")
    github_deployments: bool = Field(True, description="Whether GitHub is told of deployments, with the token.")
    deploy_workflow: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._-]{1,200}$",
        description="Workflow that deploys the revision in its input `revision`, for going back.",
    )
    deploy_stuck_seconds: float = Field(
        1800, ge=1, le=604_800, description="A deployment without an end after so many seconds is stuck."
    )
    probes: Urls = Field([], max_length=100, description="Addresses whose health is recorded, comma-separated URLs.")
    probe_seconds: float = Field(10, ge=0.2, le=3600, description="How often each of them is asked.")
    read_token: Secrets = Field([], description="Bearer tokens with the scope read, comma-separated.")
    deploy_token: Secrets = Field([], description="Bearer tokens with the scope deploy, comma-separated.")
    operate_token: Secrets = Field([], description="Bearer tokens with the scope operate (includes read).")
    caddy_admin: CaddyAdmin | None = Field(
        None, description="Caddy's admin API: `http://127.0.0.1:2019` or `unix//run/caddy/admin.sock`."
    )
    caddy_access_log: Path | None = Field(None, description="Caddy's access log, in JSON; followed as it grows.")
    caddy_log: Path | None = Field(None, description="Caddy's own log, in JSON; tells of refused configurations.")
    caddyfile: Path | None = Field(None, description="The Caddyfile; told when Caddy would refuse it.")
    workflow: str | None = Field(None, description="Workflow whose success rate the summary reports; unset: all.")
    site_dir: DirectoryPath | None = Field(None, description="Folder of a static dashboard, served at /.")
    allow_contents: bool = Field(False, description="Whether the proxy passes file contents.")
    bug_label: str = Field("type:bug", min_length=1, max_length=200, description="Label that makes an issue a bug.")
    revision: str | None = Field(
        None,
        pattern="^[0-9a-fA-F]{7,64}$",
        description="Revision this process runs; unset: what was deployed to its slot.",
    )
    max_streams: int = Field(8_000, ge=1, le=100_000, description="Open streams that are served, all together.")
    max_streams_per_address: int = Field(100, ge=1, le=100_000, description="Open streams of one client address.")
    traces_per_second: Share = Field(
        20, description="How many ordinary requests a second are exported as traces: a number or `all`."
    )
    traces_slow_seconds: float = Field(
        1, gt=0, le=3600, description="A request that takes longer is always exported as a trace."
    )
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="Least level that is logged.")
    demonstration: bool = Field(False, description="Mark everything as demonstration data; `chimney up` sets it.")


class FollowedOrigin(Settings):
    """One `[[table.origins]]`."""

    name: str = Field(pattern=NAME.pattern)
    url: Url
    read_token: HeaderSecret | None = None
    operate_token: HeaderSecret | None = None


class NotifyTarget(Settings):
    """One `[[table.notify]]`: who is notified, and of what."""

    url: TargetUrl
    name: str | None = Field(None, pattern=NAME.pattern)
    severities: list[Severity] = Field([Severity.CRITICAL, Severity.WARNING], min_length=1)
    origins: list[str] = []
    events: list[Event] = Field(list(Event), min_length=1)
    template: Template | None = None
    secret: HeaderSecret | None = None


class TableSettings(Settings):
    """`[table]` in chimney.toml, `CHIMNEY_TABLE_…` in the environment."""

    listen: Listen = Field("127.0.0.1:8700", description="Address the table listens on.")
    data_dir: Path = Field(Path(".table"), description="Folder of everything the table keeps.")
    origins: list[FollowedOrigin] = Field([], description="Origins to follow: name=url pairs, comma-separated.")
    password: SecretStr | None = Field(
        None, description="First operator's password; unset: a random one is printed once."
    )
    oidc_issuer: Url | None = Field(None, description="Issuer of OpenID Connect through which people sign in.")
    oidc_client_id: OidcClientId = Field(
        None,
        validate_default=True,
        description="Id of this table at the issuer; its callback is `/api/session/oidc/callback`.",
    )
    oidc_client_secret: SecretStr | None = Field(
        None, description="Its secret; unset: a public client, with PKCE alone."
    )
    oidc_allow: OidcAllow = Field(
        [],
        validate_default=True,
        description="Who may sign in so: addresses, `@domain`, `group:name`; unset: everybody of the issuer.",
    )
    github_client_id: str | None = Field(
        None, description="Id of a GitHub OAuth App; its callback is `/api/session/github/callback`."
    )
    github_client_secret: SecretStr | None = Field(None, description="Its secret.")
    github_allow: GitHubAllow = Field(
        [], description="Who may sign in with GitHub: organisations, `organisation/team`, `user:login`; unset: nobody."
    )
    github_url: Url = Field("https://github.com", description="Where GitHub signs people in.")
    github_api_url: Url = Field("https://api.github.com", description="GitHub's REST API, asked who they are.")
    retention_days: float = Field(14, gt=0, le=3650, description="What is older than this is dropped.")
    retention_bytes: int = Field(
        5 * 1024**3, ge=1024**2, description="The oldest data goes when there is more, of all kinds together."
    )
    retention_spans_days: float | None = Field(None, gt=0, le=3650, description="Of spans; unset: as all.")
    retention_spans_bytes: int | None = Field(None, ge=1024**2, description="The most of spans; unset: as all.")
    retention_samples_days: float | None = Field(None, gt=0, le=3650, description="Of samples; unset: as all.")
    retention_samples_bytes: int | None = Field(None, ge=1024**2, description="The most of samples; unset: as all.")
    free_bytes: int = Field(
        512 * 1024**2,
        ge=0,
        description="With less room on the disk, data older than a day goes; at most a twentieth of the disk.",
    )
    query_memory_bytes: int = Field(256 * 1024**2, ge=64 * 1024**2, description="The most that a search may use.")
    query_threads: int = Field(2, ge=1, le=64, description="Processors that searches may use.")
    otlp_token: HeaderSecret | None = Field(
        None, description="Bearer token that senders of OTLP need; must be set to listen beyond this machine."
    )
    jaeger_url: Url | None = Field(None, description="Jaeger whose traces are shown too.")
    tempo_url: Url | None = Field(None, description="Tempo whose traces are shown too.")
    prometheus_url: Url | None = Field(None, description="Prometheus whose series and alerts are shown too.")
    alertmanager_url: Url | None = Field(None, description="Alertmanager whose alerts are shown as findings.")
    ca_file: FilePath | None = Field(
        None, description="Certificate authorities that origins' certificates may be of, besides the system's; PEM."
    )
    scrape_seconds: float = Field(15, ge=1, le=3600, description="How often each origin's metrics are read.")
    probe_seconds: float = Field(5, ge=0.2, le=3600, description="How often each origin's health is asked.")
    verdict_seconds: Windows = Field(
        [300, 1800],
        min_length=1,
        max_length=4,
        description="How long after a deployment it is judged, seconds by comma.",
    )
    verdict_requests: int = Field(20, ge=1, description="With fewer requests of visitors no verdict says `harmless`.")
    badges: str = Field(
        "auto",
        pattern="^(auto|public|closed)$",
        description="Who sees badges: `public` everybody, `closed` who has a link or is signed in,"
        " `auto` everybody while the repository is public.",
    )
    public_url: Url | None = Field(
        None, description="Where people open this table; links in notifications and sign-ins come back there."
    )
    notify: Annotated[list[NotifyTarget], Targets] = Field(
        [], max_length=50, description="Who is notified: Apprise URLs, by comma."
    )
    notify_networks: Networks = Field(
        [], description="Private networks that notifications may be sent to: `10.0.0.0/8`, by comma."
    )
    notify_wait_seconds: float = Field(5, ge=0, le=3600, description="What happens within this time is one message.")
    notify_interval_seconds: float = Field(30, ge=0, le=86_400, description="The least time between two messages.")
    notify_quiet_seconds: float = Field(
        600, ge=0, le=86_400, description="How long a deployment may keep its origin's findings quiet; 0: not at all."
    )
    alertmanager_send: AlertmanagerSend = Field(
        False, description="Whether findings are sent to that Alertmanager too, as alerts."
    )
    heartbeat_url: SecretUrl | None = Field(None, description="Asked every minute while the table works.")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="Least level that is logged.")
