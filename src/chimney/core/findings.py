"""What is wrong now, from the facts: pure rules, one for each code, and the life of a finding over time."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from chimney.core.deploy_findings import deploy_failed, deploy_stuck, pipeline_red
from chimney.core.elsewhere_findings import alerts_firing, sources_unreachable, telemetry_refused
from chimney.core.facts import Facts
from chimney.core.github_findings import github
from chimney.core.origin_findings import erroring, log_dropped, panic, redirects, slow, stream_lost, unreachable
from chimney.core.storage_findings import no_data, own_dropped, storage_damaged, storage_full
from chimney.wire.finding import Finding, Findings, Severity

OF_ORIGIN = (
    unreachable,
    redirects,
    erroring,
    slow,
    stream_lost,
    github,
    deploy_failed,
    deploy_stuck,
    pipeline_red,
    panic,
    log_dropped,
)
OF_TABLE = (storage_full, storage_damaged, own_dropped, no_data, telemetry_refused)
SEVERAL = (sources_unreachable, alerts_firing)
_ORDER = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}


def evaluate(facts: Facts, *, now: datetime) -> list[Finding]:
    """Every finding that the facts bear out."""
    of_origins = (rule(origin, now) for origin in facts.origins for rule in OF_ORIGIN)
    of_table = (rule(facts, now) for rule in OF_TABLE)
    several = (finding for rule in SEVERAL for finding in rule(facts, now))
    return [finding for finding in (*of_origins, *of_table, *several) if finding]


def carry(before: Findings, found: Iterable[Finding], *, now: datetime) -> Findings:
    """The current findings, worst first and then oldest first: one that was current before keeps its `since`."""
    since = {finding.id: finding.since for finding in before.items}
    items = [
        msgspec.structs.replace(finding, since=min(since.get(finding.id, finding.since), now)) for finding in found
    ]
    items.sort(key=lambda finding: (_ORDER[finding.severity], finding.since, finding.id))
    return Findings(items=items, good_since=None if items else before.good_since or now)
