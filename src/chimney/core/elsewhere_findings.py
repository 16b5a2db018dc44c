"""Findings about what is read elsewhere and what is sent here: sources that do not answer, their alerts, refusals."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from chimney.core.facts import Facts
from chimney.core.finding_of import of_table
from chimney.wire.finding import Evidence, Finding, Severity

RECENT = timedelta(seconds=90)  # senders come again within the minute
MOST_LABELS = 12


def sources_unreachable(facts: Facts, now: datetime) -> Iterator[Finding]:
    """One for each of Jaeger, Tempo, Prometheus and Alertmanager that does not answer."""
    for source in facts.sources:
        if source.failure is None:
            continue
        finding = of_table(
            "source_unreachable",
            severity=Severity.WARNING,
            since=source.failure.at,
            title=f"{source.name.capitalize()} does not answer",
            detail=f"What {source.name} keeps is missing in the lists here until it answers again. What the table keeps"
            " by itself is whole.",
            evidence=[Evidence(what=source.url, value=source.failure.text, at=now)],
            remedy=f"Look whether {source.name} runs and can be reached from the table's machine at {source.url}; the"
            f" address is CHIMNEY_TABLE_{source.name.upper()}_URL.",
        )
        yield msgspec.structs.replace(finding, id=f"{finding.id}:{source.name}")


def alerts_firing(facts: Facts, now: datetime) -> Iterator[Finding]:
    """The active alerts of Alertmanager and Prometheus, with the severity that their label says."""
    for alert in facts.alerts:
        labels = list(alert.labels.items())[:MOST_LABELS]
        since = min(alert.since or now, now)
        finding = of_table(
            "alert_firing",
            severity=Severity.WARNING,
            since=since,
            title=f"{alert.name}: {alert.summary}" if alert.summary != alert.name else alert.name,
            detail=f"An alert of {alert.source.capitalize()}.",
            evidence=[Evidence(what=name, value=value, at=since) for name, value in labels],
            remedy=alert.remedy or f"Its rule says no more; look at it in {alert.source.capitalize()}: {alert.url}",
        )
        yield msgspec.structs.replace(finding, id=f"{finding.id}:{alert.source}:{alert.id}", severity=alert.severity)


def telemetry_refused(facts: Facts, now: datetime) -> Finding | None:
    seen, recovered = facts.receiver.refused, facts.storage.recovered_at
    if seen is None or now - seen.at > RECENT or (recovered and seen.at <= recovered):
        return _denied(facts, now)
    return of_table(
        "telemetry_refused",
        severity=Severity.WARNING,
        since=seen.at,
        title=f"{facts.receiver.requests:,} requests of senders of OTLP were refused",
        detail=f"{seen.text} They were told to try again, and do so for a while; what they gave up on is lost."
        f" {seen.count:,} rows were counted in refused requests, those sent again among them.",
        evidence=[Evidence(what="last refusal", value=seen.text, at=seen.at)],
        remedy="Look at the other findings about storage first. If there is none, senders send more than this machine"
        " can store: sample traces, raise the least log level, or give the table a faster disk.",
    )


def _denied(facts: Facts, now: datetime) -> Finding | None:
    seen = facts.receiver.denied
    if seen is None or now - seen.at > RECENT:
        return None
    return of_table(
        "telemetry_refused",
        severity=Severity.WARNING,
        since=seen.at,
        title="A sender of OTLP is refused",
        detail=f"The table answered it {seen.text} What it sends is lost: it was told not to send it again.",
        evidence=[Evidence(what="requests refused so", value=f"{seen.count:,}, the last: {seen.text}", at=seen.at)],
        remedy="401: give the sender the token of CHIMNEY_TABLE_OTLP_TOKEN (OTEL_EXPORTER_OTLP_HEADERS="
        "authorization=Bearer%20…). 400 and 415: it sends something else than OTLP over HTTP. 413: smaller batches.",
    )
