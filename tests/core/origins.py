"""Facts about an origin that is well, to spoil in tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from chimney.core.facts import Facts, Fault, OriginFacts, ProbeFailure, StorageFacts
from chimney.wire.deployment import Deployment, DeployStatus, LastDeployment, Phase
from chimney.wire.health import CacheHealth, DragonflyHealth, GitHubHealth, Health, LogsHealth, RateLimit
from chimney.wire.origin import StreamState
from chimney.wire.pipeline import DefaultBranch, PipelineSummary, Run

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
REVISION = "a" * 40


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def github(**more: Any) -> GitHubHealth:
    return GitHubHealth(
        **{
            "last_success_at": ago(seconds=4),
            "seconds_since_success": 4.0,
            "rate_limit": RateLimit(limit=5000, remaining=4800, reset_at=ago(minutes=-30), resource="core"),
            "authenticated": True,
            **more,
        }
    )


def health(**more: Any) -> Health:
    return Health(
        **{
            "status": "ok",
            "version": "1.0.0",
            "boot": "b1",
            "repo": "acme/rocket",
            "slot": "blue",
            "environment": "production",
            "demonstration": False,
            "started_at": ago(hours=1),
            "uptime_seconds": 3600.0,
            "dragonfly": DragonflyHealth(status="not_configured"),
            "cache": CacheHealth(entries=1, bytes=1, hits=9, misses=1, hit_rate_pct=90.0),
            "github": github(),
            "logs": LogsHealth(records=1, oldest_id=1, newest_id=1, dropped=0, errors=0),
            "streams": 1,
            "panics": 0,
            "loops": {},
            **more,
        }
    )


def stream(**more: Any) -> StreamState:
    return StreamState(
        **{
            "state": "connected",
            "since": ago(hours=1),
            "last_record_at": ago(seconds=2),
            "last_id": 7,
            "lag_seconds": 0.1,
            "error": None,
            **more,
        }
    )


def deployment(**more: Any) -> Deployment:
    return Deployment(
        **{
            "id": "d1",
            "revision": REVISION,
            "environment": "production",
            "slot": "blue",
            "phase": Phase.SUCCEEDED,
            "started_at": ago(minutes=20),
            "ended_at": ago(minutes=18),
            "duration_seconds": 120.0,
            "pr": None,
            "message": "Fix retry",
            "actor": "ann",
            "run_url": "https://github.com/acme/rocket/actions/runs/1",
            **more,
        }
    )


def deploys(*recent: Deployment) -> DeployStatus:
    """Newest first."""
    last = LastDeployment(**msgspec.structs.asdict(recent[0]), age_seconds=1.0, compare_url=None) if recent else None
    return DeployStatus(
        active_slot="blue",
        slots={},
        last_deploy=last,
        in_progress=recent[0] if recent and recent[0].phase is Phase.STARTED else None,
        recent_deploys=list(recent),
        total_deploys=len(recent),
        success_rate_pct=None,
        origins=[],
    )


def run(**more: Any) -> Run:
    return Run(
        **{
            "id": 1,
            "workflow": "CI",
            "status": "completed",
            "conclusion": "success",
            "branch": "main",
            "event": "push",
            "revision": REVISION,
            "started_at": ago(minutes=30),
            "duration_seconds": 192.0,
            "url": "https://github.com/acme/rocket/actions/runs/1",
            "title": "Fix retry",
            "actor": "ann",
            **more,
        }
    )


def pipeline(*runs: Run, state: str = "green", **more: Any) -> PipelineSummary:
    return PipelineSummary(
        **{
            "repo": "acme/rocket",
            "open_issues": 1,
            "open_prs": 1,
            "open_bugs": 0,
            "bugs": [],
            "last_merged_pr": None,
            "runs": list(runs),
            "success_rate_pct": 90.0,
            "default_branch": DefaultBranch(name="main", state=state, since=ago(hours=2)),
            "release": None,
            "rate_limit_remaining": 4800,
            "fetched_at": NOW,
            "age_seconds": 0.0,
            "partial": [],
            **more,
        }
    )


def failure(fault: Fault, *, count: int = 3, detail: str = "detail") -> ProbeFailure:
    return ProbeFailure(fault=fault, detail=detail, since=ago(minutes=2), at=NOW, count=count)


def origin(**more: Any) -> OriginFacts:
    return OriginFacts(
        **{
            "name": "hel1",
            "url": "https://hel1.example.org",
            "probed_at": NOW,
            "failure": None,
            "latencies_ms": (3.0,) * 10,
            "last_contact_at": NOW,
            "health": health(),
            "deploy": deploys(deployment()),
            "pipeline": pipeline(run()),
            "stream": stream(),
            **more,
        }
    )


def facts(*origins: OriginFacts, **storage: Any) -> Facts:
    return Facts(origins=origins, storage=StorageFacts(**storage))
