"""What is wrong now, from the facts: pure rules, one for each code.

Afterwards `finding_causes` hides consequences, and `finding_life` decides when it is told and when it is over.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from chimney.core import edge_findings
from chimney.core.cache_findings import cold, dragonfly, dragonfly_full
from chimney.core.connection_findings import certificate_expiring, clock_skew, own_clock, uncollected
from chimney.core.deploy_findings import deploy_failed, deploy_harmful, deploy_stuck, pipeline_red
from chimney.core.elsewhere_findings import alerts_firing, sources_unreachable, telemetry_refused
from chimney.core.facts import Facts, OriginFacts
from chimney.core.finding_causes import ALSO_SEEN, hides
from chimney.core.finding_life import Pace
from chimney.core.github_findings import github
from chimney.core.origin_findings import (
    erroring,
    log_dropped,
    none_reachable,
    panic,
    redirects,
    slow,
    stream_lost,
    unreachable,
    unready,
)
from chimney.core.own_findings import behind, loops_failing, notification_failing, own_panic
from chimney.core.peers import with_peers
from chimney.core.probed_findings import probed
from chimney.core.storage_findings import no_data, own_dropped, storage_damaged, storage_full
from chimney.core.traffic_findings import error_rate_high, latency_regressed
from chimney.core.webhook_findings import rejected, silent
from chimney.wire.finding import Evidence, Finding

OF_ORIGIN = (
    unreachable,
    redirects,
    erroring,
    unready,
    slow,
    stream_lost,
    edge_findings.unreachable,
    edge_findings.no_healthy_upstream,
    edge_findings.wrong_upstream,
    edge_findings.reload_refused,
    edge_findings.slot_mismatch,
    github,
    rejected,
    silent,
    dragonfly,
    dragonfly_full,
    cold,
    deploy_failed,
    deploy_stuck,
    deploy_harmful,
    pipeline_red,
    error_rate_high,
    latency_regressed,
    panic,
    log_dropped,
    clock_skew,
    certificate_expiring,
)
SEVERAL_OF_ORIGIN = (probed, uncollected)
OF_TABLE = (
    none_reachable,
    storage_full,
    storage_damaged,
    own_dropped,
    own_panic,
    behind,
    own_clock,
    no_data,
    telemetry_refused,
)
SEVERAL = (sources_unreachable, alerts_firing, loops_failing, notification_failing)


def _pace(pending: float = 0, clear: float = 2) -> Pace:
    return Pace(timedelta(seconds=pending), timedelta(seconds=clear))


PACES = {
    "edge_unreachable": _pace(8),  # a restart of Caddy
    "edge_no_healthy_upstream": _pace(6.5),  # a restart of a slot
    "edge_wrong_upstream": _pace(6.5),  # a switch moves one proxy after the other
    "slot_mismatch": _pace(6.5),
    "github_erroring": _pace(10),  # one bad answer of GitHub is none
    "github_rate_limited": _pace(0, 5),
    "dragonfly_unreachable": _pace(11),  # a busy machine loses it for a moment; what is probed is seen three times
    "dragonfly_full": _pace(6.5),  # what is probed every five seconds is seen twice
    "cache_cold": _pace(15, 15),
    "origin_slow": _pace(0, 10),
    "error_rate_high": _pace(4, 20),
    "latency_regressed": _pace(10, 20),
    "clock_skew": _pace(6.5, 10),
    "webhook_silent": _pace(5),
    "loop_failing": _pace(4),  # it is tried again after a second
    "table_behind": _pace(3, 15),
    "source_unreachable": _pace(0, 5),
}


def about_origin(origin: OriginFacts, *, now: datetime) -> list[Finding]:
    """What is wrong with one; its `peers` should be known."""
    found = [finding for rule in OF_ORIGIN if (finding := rule(origin, now))]
    return found + [finding for rule in SEVERAL_OF_ORIGIN for finding in rule(origin, now)]


def about_table(facts: Facts, *, now: datetime) -> list[Finding]:
    found = [finding for rule in OF_TABLE if (finding := rule(facts, now))]
    return found + [finding for rule in SEVERAL for finding in rule(facts, now)]


def folded(found: list[Finding]) -> list[Finding]:
    """Each once: what several origins draw of a cause that they share is the first one's, and names the others."""
    first: dict[str, Finding] = {}
    others: dict[str, list[str]] = {}
    for finding in found:
        if first.setdefault(finding.id, finding) is not finding and finding.origin:
            others.setdefault(finding.id, []).append(finding.origin)
    for known, names in others.items():
        also = Evidence(what=ALSO_SEEN, value=", ".join(names[:20]) + (" …" if len(names) > 20 else ""))
        first[known] = msgspec.structs.replace(first[known], evidence=[*first[known].evidence, also])
    return list(first.values())


def evaluate(facts: Facts, *, now: datetime) -> list[Finding]:
    """Every finding that the facts bear out, without the consequences of others."""
    found = folded(list(_all(facts, now)))
    hidden = hides(found)
    return [finding for finding in found if not hidden(finding)]


def _all(facts: Facts, now: datetime) -> Iterator[Finding]:
    for origin in with_peers(facts.origins, now=now):
        yield from about_origin(origin, now=now)
    yield from about_table(facts, now=now)
