"""Findings about what visitors meet: errors, and answers slower than usual."""

from datetime import datetime, timedelta

from chimney.core.facts import OriginFacts
from chimney.core.finding_of import of_origin
from chimney.wire.finding import Evidence, Finding, Severity
from chimney.wire.health import ErrorWindow

LEAST_REQUESTS = 20
LEAST_ERRORS = 5  # one visitor who meets one error again and again is no outage
HIGH_PCT, OUTAGE_PCT = 5.0, 25.0
WINDOW = timedelta(minutes=1)
SLOWER_TIMES = 2.0
SLOWER_BY_MS = 100.0  # twice of little is little


def error_rate_high(origin: OriginFacts, now: datetime) -> Finding | None:
    if origin.failure or origin.health is None:
        return None
    own = origin.health.errors.last_1m if origin.health.errors else None
    known = [(name, one) for name, one in (("the origin", own), ("its edge", origin.edge_errors)) if one]
    high = [(name, one) for name, one in known if _is_high(one)]
    if not high:
        return None
    where, worst = max(high, key=lambda one: one[1].error_rate_pct or 0.0)
    rate = worst.error_rate_pct or 0.0
    return of_origin(
        "error_rate_high",
        origin,
        severity=Severity.CRITICAL if rate >= OUTAGE_PCT else Severity.WARNING,
        since=now,
        title=f"{rate:.0f} % of what visitors of {origin.name} ask ends in an error",
        detail=f"In the last minute {where} answered {worst.errors:,} of {worst.requests:,} requests with a status of"
        " 500 or above.",
        evidence=[
            Evidence(what=f"{name}: errors in the last minute", value=f"{one.errors:,} of {one.requests:,}", at=now)
            for name, one in known
        ],
        remedy="Errors shows which they are, new ones first. If they began with a deployment, go back to the one"
        " before.",
    )


def _is_high(window: ErrorWindow) -> bool:
    enough = window.requests >= LEAST_REQUESTS and window.errors >= LEAST_ERRORS
    return enough and (window.error_rate_pct or 0.0) >= HIGH_PCT


def latency_regressed(origin: OriginFacts, now: datetime) -> Finding | None:
    seen = origin.latency
    if origin.failure or seen is None or seen.usual_ms is None or seen.requests < LEAST_REQUESTS:
        return None
    if seen.p95_ms < seen.usual_ms * SLOWER_TIMES or seen.p95_ms - seen.usual_ms < SLOWER_BY_MS:
        return None
    return of_origin(
        "latency_regressed",
        origin,
        severity=Severity.WARNING,
        since=now,
        title=f"Visitors of {origin.name} wait longer than usual",
        detail=f"95 % of answers take up to {seen.p95_ms:,.0f} ms; usually it is {seen.usual_ms:,.0f} ms.",
        evidence=[
            Evidence(what="95th percentile now", value=f"{seen.p95_ms:,.0f} ms of {seen.requests:,} requests", at=now),
            Evidence(what="usually", value=f"{seen.usual_ms:,.0f} ms"),
        ],
        remedy="Traces shows where the time goes, Metrics which route. If it began with a deployment, go back to the"
        " one before; else look at the load of the origin's machine.",
    )
