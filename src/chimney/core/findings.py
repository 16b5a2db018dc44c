"""What is wrong now, from the facts: pure rules, one for each code. How long before it is told: `finding_life`."""

from datetime import datetime

from chimney.core.deploy_findings import deploy_failed, deploy_stuck, pipeline_red
from chimney.core.elsewhere_findings import alerts_firing, sources_unreachable, telemetry_refused
from chimney.core.facts import Facts
from chimney.core.github_findings import github
from chimney.core.origin_findings import erroring, log_dropped, panic, redirects, slow, stream_lost, unreachable
from chimney.core.storage_findings import no_data, own_dropped, storage_damaged, storage_full
from chimney.wire.finding import Finding

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


def evaluate(facts: Facts, *, now: datetime) -> list[Finding]:
    """Every finding that the facts bear out."""
    of_origins = (rule(origin, now) for origin in facts.origins for rule in OF_ORIGIN)
    of_table = (rule(facts, now) for rule in OF_TABLE)
    several = (finding for rule in SEVERAL for finding in rule(facts, now))
    return [finding for finding in (*of_origins, *of_table, *several) if finding]
