"""Findings about addresses that an origin probes (CHIMNEY_PROBES): the table sees them with the origin's eyes."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from chimney.core.facts import OriginFacts
from chimney.core.finding_of import of_origin
from chimney.wire.finding import Evidence, Finding, Severity
from chimney.wire.probe import ProbedOrigin, ProbeResult, Stage

LEAST = 2  # one lost packet is no outage
OLD = timedelta(minutes=5)
_STAGES = {
    Stage.DNS: "its name does not resolve: check the address for a typing error, and its DNS record.",
    Stage.CONNECT: "nothing accepts the connection: check that it runs, and firewalls; a DNS record may point to a dead"
    " server.",
    Stage.TLS: "the TLS handshake fails: check the certificate's names, expiry and chain.",
    Stage.TIMEOUT: "it does not answer in time: look at its load; a DNS record may point to a dead server.",
    Stage.PROTOCOL: "what answers does not speak HTTP: check port and scheme.",
}


def probed(origin: OriginFacts, now: datetime) -> Iterator[Finding]:
    if origin.failure:
        return
    for one in origin.history:
        last = one.results[0] if one.results else None
        fails = one.streak and not one.streak.ok and one.streak.count >= LEAST
        if last and fails and not last.ok and now - last.at < OLD:
            yield _of(origin, one, last)


def _of(origin: OriginFacts, one: ProbedOrigin, last: ProbeResult) -> Finding:
    if last.stage is Stage.REDIRECT:
        return _redirects(origin, one, last)
    return _erroring(origin, one, last) if last.stage is Stage.STATUS else _unreachable(origin, one, last)


def _evidence(one: ProbedOrigin, last: ProbeResult) -> list[Evidence]:
    count = one.streak.count if one.streak else 1
    return [
        Evidence(what=last.stage or "status", value=last.error or str(last.status), at=last.at),
        Evidence(what="failed probes in a row", value=str(count)),
        Evidence(what="asked", value=one.url),
    ]


def _since(one: ProbedOrigin, last: ProbeResult) -> datetime:
    return one.streak.since if one.streak else last.at


def _unreachable(origin: OriginFacts, one: ProbedOrigin, last: ProbeResult) -> Finding:
    why = _STAGES.get(last.stage or Stage.PROTOCOL, "the probe failed.")
    return of_origin(
        "origin_unreachable",
        origin,
        shared=True,
        part=one.origin,
        severity=Severity.CRITICAL,
        since=_since(one, last),
        title=f"{one.origin} cannot be reached from {origin.name}",
        detail=f"Origin {origin.name} probes it, as CHIMNEY_PROBES says, and gets no answer.",
        evidence=_evidence(one, last),
        remedy=why[0].upper() + why[1:],
    )


def _redirects(origin: OriginFacts, one: ProbedOrigin, last: ProbeResult) -> Finding:
    return of_origin(
        "origin_redirects",
        origin,
        shared=True,
        part=one.origin,
        severity=Severity.CRITICAL,
        since=_since(one, last),
        title=f"{one.origin} redirects its health check",
        detail=f"Origin {origin.name} probes it. A load balancer that does not follow redirects takes it for dead.",
        evidence=_evidence(one, last),
        remedy="Let what stands before it pass /healthz and /readyz without redirecting (in Caddy: a site block for"
        " http:// too), or probe the address that it redirects to.",
    )


def _erroring(origin: OriginFacts, one: ProbedOrigin, last: ProbeResult) -> Finding:
    return of_origin(
        "origin_erroring",
        origin,
        shared=True,
        part=one.origin,
        severity=Severity.CRITICAL,
        since=_since(one, last),
        title=f"{one.origin} answers its health check with an error",
        detail=f"Origin {origin.name} probes it, as CHIMNEY_PROBES says.",
        evidence=_evidence(one, last),
        remedy="502, 503 and 504 come from a proxy whose upstream is down: see that it runs. 404: check the address.",
    )
