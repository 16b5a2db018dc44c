"""Which findings are the consequence of which: beside the cause, the consequence is not shown.

A cause counts from the moment at which it is drawn, also while it is pending, so that no consequence is told before
it. A consequence that was told before its cause is kept as it is, hidden, until the cause is over. What is known for
good, as a failed deployment, is nobody's consequence.
"""

from collections.abc import Callable, Iterable

from chimney.wire.finding import Finding, Severity

_TOLD_BY_IT = frozenset(
    (
        "origin_slow",
        "origin_stream_lost",
        "edge_unreachable",
        "edge_wrong_upstream",
        "edge_no_healthy_upstream",
        "edge_reload_refused",
        "slot_mismatch",
        "github_unauthorized",
        "github_rate_limited",
        "github_unreachable",
        "github_erroring",
        "github_quota_low",
        "webhook_rejected",
        "webhook_silent",
        "dragonfly_unreachable",
        "dragonfly_full",
        "cache_cold",
        "error_rate_high",
        "latency_regressed",
        "clock_skew",
        "certificate_expiring",
        "no_data",
    )
)
_VISITORS = frozenset(("error_rate_high", "latency_regressed"))
_FROM_GITHUB = frozenset(("webhook_silent", "cache_cold", *_VISITORS))
EFFECTS: dict[str, frozenset[str]] = {
    "origin_unreachable": _TOLD_BY_IT,
    "origin_redirects": _TOLD_BY_IT,
    "origin_erroring": _TOLD_BY_IT,
    "edge_unreachable": frozenset(
        ("edge_wrong_upstream", "edge_no_healthy_upstream", "edge_reload_refused", *_VISITORS)
    ),
    "edge_no_healthy_upstream": frozenset(("edge_wrong_upstream", "slot_mismatch", *_VISITORS)),
    "edge_wrong_upstream": frozenset(("slot_mismatch", *_VISITORS)),
    "slot_mismatch": _VISITORS,
    "deploy_harmful": _VISITORS,
    "deploy_failed": frozenset(("slot_mismatch",)),
    "github_unauthorized": _FROM_GITHUB,
    "github_rate_limited": _FROM_GITHUB,
    "github_unreachable": _FROM_GITHUB,
    "github_erroring": _FROM_GITHUB,
    "webhook_rejected": frozenset(("webhook_silent",)),
    "dragonfly_unreachable": frozenset(("cache_cold", "latency_regressed", "dragonfly_full")),
    "cache_cold": frozenset(("latency_regressed",)),
    "clock_skew": frozenset(("webhook_silent",)),
    "origin_slow": frozenset(("latency_regressed", "origin_stream_lost")),
}
_OF_FULL_STORE = frozenset(
    ("telemetry_refused", "log_dropped", "origin_stream_lost", "table_behind", "loop_failing", "no_data", "panic")
)
_OWN = frozenset(("telemetry_refused", "log_dropped", "table_behind", "loop_failing", "panic"))
OF_TABLE: dict[str, frozenset[str]] = {
    "storage_full": _OF_FULL_STORE,
    "table_behind": frozenset(("origin_slow", "origin_stream_lost", "telemetry_refused")),
    "clock_skew": frozenset(("clock_skew", "webhook_silent")),
    "origin_unreachable": _TOLD_BY_IT | {"origin_unreachable"},
}
Hides = Callable[[Finding], bool]


def hides(causes: Iterable[Finding]) -> Hides:
    """Whether a finding is the consequence of one of these: of the same origin, or of one of the table."""
    of_origin: set[tuple[str, str]] = set()
    of_table: set[str] = set()
    for one in causes:
        if one.origin is None:
            nearly = one.code == "storage_full" and one.severity is not Severity.CRITICAL
            of_table |= frozenset() if nearly else OF_TABLE.get(one.code, frozenset())
        elif not _is_of_another(one):
            of_origin |= {(one.origin, code) for code in EFFECTS.get(one.code, ())}

    def hidden(finding: Finding) -> bool:
        if (finding.origin, finding.code) in of_origin and not _is_of_another(finding):
            return True
        return finding.code in of_table and (finding.origin is not None or finding.code in _OWN)

    return hidden


def _is_of_another(finding: Finding) -> bool:
    """Told by this origin of an address that it probes."""
    return finding.code.startswith("origin_") and finding.id.count(":") > 2


def is_of_own_work(finding: Finding) -> bool:
    """It says that the table itself does not do what it should."""
    if finding.origin is not None:
        return False
    return finding.code in ("loop_failing", "table_behind") or (
        finding.code == "storage_full" and finding.severity is Severity.CRITICAL
    )
