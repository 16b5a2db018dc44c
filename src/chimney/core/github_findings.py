"""Findings about an origin's way to GitHub. One at a time: the cause, not its consequences."""

from datetime import datetime, timedelta

from chimney.core.facts import OriginFacts
from chimney.core.finding_of import duration, of_origin
from chimney.wire.finding import Evidence, Finding, Severity
from chimney.wire.health import GitHubHealth, Health

SILENT_SECONDS = 600  # the dead man's switch
QUOTA_LOW = 0.1
_ANONYMOUS = (
    "Set CHIMNEY_GITHUB_TOKEN at the origin: without a token GitHub allows 60 requests an hour, with one 5,000."
)


def github(origin: OriginFacts, now: datetime) -> Finding | None:
    if origin.failure or origin.health is None:
        return None
    health = origin.health.github
    code = (health.problem or "").partition(":")[0]
    if code == "unauthorized":
        return _unauthorized(origin, health, now)
    if code == "rate_limited":
        return _rate_limited(origin, health, now)
    if (_silent_seconds(origin.health) or 0) > SILENT_SECONDS:
        return _unreachable(origin, health, now)
    if code in ("unreachable", "unexpected"):
        return _erroring(origin, health, now)
    return _quota_low(origin, health, now)


def _silent_seconds(health: Health) -> float | None:
    """Since the last good answer; since the start when there was none, and there is a repository to ask for."""
    if health.github.seconds_since_success is not None:
        return health.github.seconds_since_success
    return health.uptime_seconds if health.repo else None


def _problem(health: GitHubHealth) -> Evidence:
    return Evidence(what="what the origin says", value=health.problem or "nothing", at=health.last_success_at)


def _unauthorized(origin: OriginFacts, health: GitHubHealth, now: datetime) -> Finding:
    return of_origin(
        "github_unauthorized",
        origin,
        shared=True,
        severity=Severity.CRITICAL,
        since=now,
        title=f"GitHub refuses the token of origin {origin.name}",
        detail="The origin shows what it fetched before; nothing new arrives.",
        evidence=[_problem(health)],
        remedy="The token has expired, was revoked, or lacks access to the repository. Make a new one with read access"
        " to contents, issues, pull requests and actions, and set CHIMNEY_GITHUB_TOKEN at the origin.",
    )


def _rate_limited(origin: OriginFacts, health: GitHubHealth, now: datetime) -> Finding:
    limit = health.rate_limit
    reset = [Evidence(what="quota resets", value=limit.reset_at.isoformat(), at=limit.reset_at)] if limit else []
    return of_origin(
        "github_rate_limited",
        origin,
        shared=True,
        severity=Severity.WARNING,
        since=now,
        title=f"GitHub's rate limit stops origin {origin.name}",
        detail="The origin waits as long as GitHub asks for and answers from its cache meanwhile.",
        evidence=[_problem(health), *reset],
        remedy="Wait for the reset. If it repeats: give the origin a token of its own, since all programs that use one"
        " token share its quota, and set up webhooks, which cost none."
        if health.authenticated
        else _ANONYMOUS,
    )


def _unreachable(origin: OriginFacts, health: GitHubHealth, now: datetime) -> Finding:
    silent = (_silent_seconds(origin.health) if origin.health else None) or 0.0
    return of_origin(
        "github_unreachable",
        origin,
        shared=True,
        severity=Severity.CRITICAL,
        since=now - timedelta(seconds=silent),
        title=f"Origin {origin.name} has had no answer from GitHub for {duration(silent)}",
        detail="Pull requests, runs and issues shown here are as old as that. Deployments and logs are not affected.",
        evidence=[_problem(health), Evidence(what="silent for", value=duration(silent), at=health.last_success_at)],
        remedy="Look at https://www.githubstatus.com. If GitHub is well, check from the origin's machine:"
        " curl -I https://api.github.com, its DNS and its outgoing firewall rules.",
    )


def _erroring(origin: OriginFacts, health: GitHubHealth, now: datetime) -> Finding:
    return of_origin(
        "github_erroring",
        origin,
        shared=True,
        severity=Severity.WARNING,
        since=now,
        title=f"GitHub gives origin {origin.name} no usable answers",
        detail="What was fetched before is shown; it grows old. Deployments and logs are not affected.",
        evidence=[_problem(health)],
        remedy="Look at https://www.githubstatus.com. If GitHub is well, check the way of the origin's machine to it:"
        " DNS, outgoing firewall rules, a proxy.",
    )


def _quota_low(origin: OriginFacts, health: GitHubHealth, now: datetime) -> Finding | None:
    limit = health.rate_limit
    if limit is None or limit.remaining >= limit.limit * QUOTA_LOW or limit.reset_at <= now:
        return None
    return of_origin(
        "github_quota_low",
        origin,
        shared=True,
        severity=Severity.WARNING,
        since=now,
        title=f"Origin {origin.name} has {limit.remaining:,} of {limit.limit:,} GitHub requests left",
        detail=f"The quota of {limit.resource} is nearly spent; it resets in"
        f" {duration((limit.reset_at - now).total_seconds())}. The origin slows down by itself.",
        evidence=[Evidence(what="remaining", value=str(limit.remaining), at=now)],
        remedy="Find out what else uses the same token, and give the origin one of its own."
        if health.authenticated
        else _ANONYMOUS,
    )
