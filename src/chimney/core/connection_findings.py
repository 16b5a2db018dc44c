"""Findings about how an origin is reached: its certificate, its clock, and whether what the table asks for arrives."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from chimney.core.facts import Certificate, Facts, OriginFacts
from chimney.core.finding_of import duration, of_origin, of_table
from chimney.wire.finding import Evidence, Finding, Severity

SKEW_SECONDS = 5.0  # a Date header has whole seconds, and the way takes time
EXPIRES_SHARE = 1 / 6  # of its life: whoever renews by itself does so earlier (Caddy, certbot: at a third)
EXPIRES_MOST = timedelta(days=14)
LATE_SECONDS = 120.0


def certificate_expiring(origin: OriginFacts, now: datetime) -> Finding | None:
    seen = origin.certificate
    if origin.failure or seen is None or seen.not_after - now > _notice(seen):
        return None
    left = (seen.not_after - now).total_seconds()
    return of_origin(
        "certificate_expiring",
        origin,
        severity=Severity.CRITICAL if left < _notice(seen).total_seconds() / 4 else Severity.WARNING,
        since=seen.not_after - _notice(seen),
        title=f"The certificate of {origin.name} expires in {duration(left)}"
        if left > 0
        else f"The certificate of {origin.name} has expired",
        detail=f"It is valid until {seen.not_after:%Y-%m-%d %H:%M} UTC. It should have been renewed by now; after that"
        " time browsers refuse the site.",
        evidence=[Evidence(what="valid until", value=f"{seen.not_after:%Y-%m-%dT%H:%M:%SZ}", at=seen.not_before)],
        remedy="See why it is not renewed: with Caddy its log says so (journalctl -u caddy | grep -i acme). Usual"
        " causes: port 80 or 443 is not reachable from outside, or the DNS record points elsewhere.",
    )


def _notice(certificate: Certificate) -> timedelta:
    return min(EXPIRES_MOST, (certificate.not_after - certificate.not_before) * EXPIRES_SHARE)


def clock_skew(origin: OriginFacts, now: datetime) -> Finding | None:
    ahead = origin.clock_ahead_seconds
    if origin.failure or ahead is None or abs(ahead) < SKEW_SECONDS:
        return None
    return of_origin(
        "clock_skew",
        origin,
        severity=Severity.WARNING,
        since=now,
        title=f"The clock of {origin.name} is {duration(abs(ahead))} {'ahead' if ahead > 0 else 'behind'}",
        detail="Its records stand at the wrong place in the log, and figures of time that come from it are wrong by as"
        " much.",
        evidence=[Evidence(what="its clock against the table's", value=f"{ahead:+.0f} s", at=origin.probed_at)],
        remedy="Let its machine keep time: timedatectl should say System clock synchronized: yes (systemd-timesyncd or"
        " chrony). If several origins are off by the same, it is the table's clock.",
    )


def own_clock(facts: Facts, now: datetime) -> Finding | None:
    """Two or more origins agree with each other and not with us: it is our clock that is off."""
    known = sorted(one.clock_ahead_seconds for one in facts.origins if one.clock_ahead_seconds is not None)
    if len(known) < 2 or abs(known[0]) < SKEW_SECONDS or known[-1] - known[0] > SKEW_SECONDS:
        return None
    ahead = known[len(known) // 2]
    return of_table(
        "clock_skew",
        severity=Severity.WARNING,
        since=now,
        title=f"The table's clock is {duration(abs(ahead))} {'behind' if ahead > 0 else 'ahead'}",
        detail=f"All {len(known)} origins whose clock is known agree with each other, and not with the table.",
        evidence=[Evidence(what="the origins' clocks against the table's", value=f"{ahead:+.0f} s", at=now)],
        remedy="Let the table's machine keep time: timedatectl should say System clock synchronized: yes.",
    )


def uncollected(origin: OriginFacts, now: datetime) -> Iterator[Finding]:
    """What the table asks an origin for and does not get, while the origin answers otherwise."""
    if origin.failure or origin.health is None:
        return
    for one in origin.collectors:
        last = one.last_success_at
        if one.error is None or last is None or (now - last).total_seconds() < LATE_SECONDS:
            continue
        yield of_origin(
            "no_data",
            origin,
            part=one.name,
            severity=Severity.WARNING,
            since=last,
            title=f"What origin {origin.name} tells of its {one.name.replace('_', ' ')} does not arrive",
            detail="It answers its health check and came before; what is shown of it is as old as that.",
            evidence=[Evidence(what="error", value=one.error, at=last)],
            remedy="401 or 403: give the table one of the origin's read tokens. 404: the origin is older than the"
            " table. Else look at the origin's log at that time.",
        )
