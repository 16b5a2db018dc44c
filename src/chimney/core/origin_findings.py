"""Findings about an origin itself: whether it answers, how, and what its log says."""

from datetime import datetime, timedelta
from statistics import median

from chimney.core.facts import Facts, Fault, OriginFacts, ProbeFailure
from chimney.core.finding_of import duration, of_origin, of_table
from chimney.wire.finding import Evidence, Finding, Severity

UNREACHABLE_AFTER = 2  # probes in a row: one lost packet is no outage
UNREADY = timedelta(seconds=20)
SEVERAL = 5
CRASHED = timedelta(seconds=3)  # whoever starts it anew at once is faster
RESTARTS = timedelta(seconds=15)  # for one that said goodbye: it was stopped on purpose, and should be back
DEPLOYS = timedelta(seconds=45)  # for one that is being deployed to
STREAM_LOST_AFTER = timedelta(seconds=15)
RECENT = timedelta(minutes=5)
SLOW_MS = 1_000
SLOW_PROBES = 5
_UNREACHABLE = {
    Fault.DNS: (
        "its name does not resolve",
        "Check the origin's URL for a typing error, and that its DNS record exists and points to a living server.",
    ),
    Fault.CONNECT: (
        "nothing accepts the connection",
        "Check that the origin runs, on which address it listens, and that no firewall stands in between.",
    ),
    Fault.TLS: (
        "the TLS handshake fails",
        "Check the certificate: its names, its expiry and its chain; and that the port speaks TLS at all.",
    ),
    Fault.TIMEOUT: (
        "it does not answer in time",
        "Look at the machine's load. If DNS changed lately, check that the address is not that of a dead server.",
    ),
    Fault.PROTOCOL: (
        "what answers does not speak HTTP",
        "Check the port in the origin's URL, and whether http:// should be https://.",
    ),
}


def lasting(origin: OriginFacts, now: datetime) -> ProbeFailure | None:
    """The failure, when it is more than a lost packet or a restart."""
    failure = origin.failure
    if failure is None or failure.count < UNREACHABLE_AFTER or now - failure.since < patience(origin, failure):
        return None
    return failure


def patience(origin: OriginFacts, failure: ProbeFailure) -> timedelta:
    """For how long it may be away. While visitors are sent to it nobody waits for a deployment to another slot."""
    deploying = origin.peers.deploying if origin.peers else None
    slot = origin.health.slot if origin.health else None
    if deploying and (deploying.slot is None or slot is None or deploying.slot == slot):
        return DEPLOYS
    left = origin.left_at
    return RESTARTS if left and failure.since - left < RESTARTS else CRASHED


def unreachable(origin: OriginFacts, now: datetime) -> Finding | None:
    failure = lasting(origin, now)
    if failure is None or failure.fault not in _UNREACHABLE:
        return None
    what, remedy = _UNREACHABLE[failure.fault]
    contact = origin.last_contact_at
    seen = (
        f"Last contact {duration((now - contact).total_seconds())} ago."
        if contact
        else "It has never answered this table."
    )
    return of_origin(
        "origin_unreachable",
        origin,
        severity=Severity.CRITICAL,
        since=failure.since,
        title=f"Origin {origin.name} cannot be reached: {what}",
        detail=f"{failure.count} probes of {origin.url}/healthz failed in a row. {seen}"
        " Its log and its figures here are as old as that; what is stored stays readable.",
        evidence=[
            Evidence(what=failure.fault, value=failure.detail, at=failure.at),
            Evidence(what="failed probes in a row", value=str(failure.count)),
        ],
        remedy=remedy,
    )


def redirects(origin: OriginFacts, now: datetime) -> Finding | None:
    failure = lasting(origin, now)
    if failure is None or failure.fault is not Fault.REDIRECT:
        return None
    return of_origin(
        "origin_redirects",
        origin,
        severity=Severity.CRITICAL,
        since=failure.since,
        title=f"Origin {origin.name} redirects its health check",
        detail=f"{origin.url}/healthz answers with a redirect instead of its health. A proxy in front of it, or a"
        " load balancer that does not follow redirects, takes it for dead.",
        evidence=[Evidence(what="redirect", value=failure.detail, at=failure.at)],
        remedy="Let the proxy pass /healthz and /readyz without redirecting (in Caddy: a site block for http:// too),"
        " or follow the origin by the URL that it redirects to.",
    )


def erroring(origin: OriginFacts, now: datetime) -> Finding | None:
    failure = lasting(origin, now)
    if failure is None or failure.fault not in (Fault.STATUS, Fault.UNREADABLE):
        return None
    return of_origin(
        "origin_erroring",
        origin,
        severity=Severity.CRITICAL,
        since=failure.since,
        title=f"Origin {origin.name} answers its health check with an error",
        detail=f"Something answers at {origin.url}, but not with a chimney origin's health.",
        evidence=[Evidence(what=failure.fault, value=failure.detail, at=failure.at)],
        remedy="502, 503 and 504 come from a proxy whose upstream is down: check that the origin runs and that the"
        " proxy points to its address. 404 or other content: check that the URL is the origin's.",
    )


def unready(origin: OriginFacts, now: datetime) -> Finding | None:
    failure = origin.failure
    starting = failure.since if failure and failure.fault is Fault.STARTING else None
    since = starting if failure else origin.unready_since
    if since is None or now - since < UNREADY:
        return None
    return of_origin(
        "origin_erroring",
        origin,
        severity=Severity.CRITICAL,
        since=since,
        title=f"Origin {origin.name} runs and does not get ready",
        detail="It answers 503: it is starting or ending, and that takes seconds. Proxies send it no visitors.",
        evidence=[Evidence(what="status", value="503, down", at=origin.probed_at)],
        remedy="Its own log on stderr (journalctl, docker logs) says what it waits for. Start it anew if it hangs.",
    )


def none_reachable(facts: Facts, now: datetime) -> Finding | None:
    """Of five or more not one can be reached: it is the table that has lost its way out."""
    lost = [one.failure for one in facts.origins if one.failure and lasting(one, now)]
    gone = [failure for failure in lost if failure.fault in (Fault.DNS, Fault.CONNECT, Fault.TIMEOUT)]
    if len(facts.origins) < SEVERAL or len(gone) < len(facts.origins):
        return None
    return of_table(
        "origin_unreachable",
        severity=Severity.CRITICAL,
        since=max(failure.since for failure in gone),
        title=f"None of {len(gone):,} origins can be reached",
        detail="All of them at once: more likely the table's own network is down than they all are.",
        evidence=[Evidence(what=gone[0].fault, value=gone[0].detail, at=gone[0].at)],
        remedy="Check the network of the table's machine: its link, its DNS (resolvectl status), its outgoing firewall"
        " rules.",
    )


def slow(origin: OriginFacts, now: datetime) -> Finding | None:
    last = origin.latencies_ms[-SLOW_PROBES:]
    if origin.failure or len(last) < SLOW_PROBES or median(last) < SLOW_MS:
        return None
    return of_origin(
        "origin_slow",
        origin,
        severity=Severity.WARNING,
        since=origin.probed_at or now,
        title=f"Origin {origin.name} answers slowly",
        detail=f"Half of the last {SLOW_PROBES} health checks took longer than {median(last) / 1000:.1f} s;"
        " usual are a few milliseconds.",
        evidence=[Evidence(what="latency of the last probe", value=f"{last[-1]:.0f} ms", at=origin.probed_at)],
        remedy="Look at the load and memory of the origin's machine and at the network between it and the table.",
    )


def stream_lost(origin: OriginFacts, now: datetime) -> Finding | None:
    stream = origin.stream
    lost = max(stream.since, origin.well_since or stream.since)  # one that was away is followed anew in seconds
    if origin.failure or stream.state == "connected" or now - lost < STREAM_LOST_AFTER:
        return None
    refused = (stream.error or "").startswith(("401", "403"))
    name = origin.name.upper().replace("-", "_")
    return of_origin(
        "origin_stream_lost",
        origin,
        severity=Severity.WARNING,
        since=stream.since,
        title=f"The log of origin {origin.name} is not being followed",
        detail="The origin answers its health check, but its log stream is lost. The table tries again all the time and"
        " resumes behind the last record that it stored.",
        evidence=[
            Evidence(what="error", value=stream.error or "none", at=stream.since),
            Evidence(what="last stored record", value=str(stream.last_id or "none"), at=stream.last_record_at),
        ],
        remedy=f"Set CHIMNEY_TABLE_ORIGIN_{name}_READ_TOKEN to one of the origin's read tokens (CHIMNEY_READ_TOKEN)."
        if refused
        else "Check that proxies between the table and the origin pass text/event-stream without buffering, and without"
        " a time limit below 60 s.",
    )


def panic(origin: OriginFacts, now: datetime) -> Finding | None:
    seen = origin.panic
    if seen is None or now - seen.at > RECENT:
        return None
    request = [Evidence(what="request", value=seen.request_id)] if seen.request_id else []
    return of_origin(
        "panic",
        origin,
        severity=Severity.WARNING,
        since=seen.at,
        title=f"Origin {origin.name} met an error of its own",
        detail="A request was answered with 500, or a background loop failed and is tried again, because of a fault in"
        " chimney. Everything else goes on.",
        evidence=[Evidence(what="log", value=seen.text, at=seen.at), *request],
        remedy="Open the log at that time, or at the request id: the record carries the stack. Please report it as an"
        " issue.",
    )


def log_dropped(origin: OriginFacts, now: datetime) -> Finding | None:
    seen = origin.dropped
    if seen is None or now - seen.at > RECENT:
        return None
    return of_origin(
        "log_dropped",
        origin,
        severity=Severity.WARNING,
        since=seen.at,
        title=f"Log records of origin {origin.name} are missing",
        detail=f"{seen.text} They were not stored; the log shows the gap in its place.",
        evidence=[Evidence(what="records missing", value=f"{seen.count:,}", at=seen.at)],
        remedy="The origin keeps its last 1,000 records for a table that was away. If this repeats while the table is"
        " up, lower the origin's log level or look at the load of the table's disk.",
    )
