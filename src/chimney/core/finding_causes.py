"""Which findings are the consequence of which: beside the cause, the consequence is not shown.

A cause counts from the moment at which it is drawn, also while it is pending, so that no consequence is told before
it. A consequence that was told before its cause is kept as it is, hidden, until the cause is over. What is known for
good, as a failed deployment, is nobody's consequence.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

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
    "edge_wrong_upstream": _VISITORS,
    "slot_mismatch": frozenset(("edge_wrong_upstream", *_VISITORS)),  # nobody should switch to what is not as deployed
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
ECHO = timedelta(seconds=75)  # a minute of figures, and the wait for the next ones
ALSO_SEEN = "also seen by"  # the evidence that names the others of whom a finding is
Hides = Callable[[Finding], bool]


class Echoes:
    """Causes that are over since less than a minute and a bit: what visitors met in the last minute is theirs."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Finding, datetime]] = {}

    def lately(self, causes: Iterable[Finding], *, now: datetime) -> list[Finding]:
        """Those that were among `causes` lately and are no more."""
        current = {one.id: one for one in causes}
        self._seen |= {known: (one, now) for known, one in current.items() if _VISITORS & EFFECTS.get(one.code, set())}
        self._seen = {known: (one, at) for known, (one, at) in self._seen.items() if now - at < ECHO}
        return [one for known, (one, _) in self._seen.items() if known not in current]


def hides(causes: Iterable[Finding], lately: Iterable[Finding] = ()) -> Hides:
    """Whether a finding is the consequence of one of these: of the same origin, or of one of the table. Of those that
    were over `lately` only what visitors meet still is."""
    of_origin = {(origin, code) for one in lately if one.origin for origin in _all(one) for code in _VISITORS}
    of_table: set[str] = set()
    for one in causes:
        if one.origin is None:
            nearly = one.code == "storage_full" and one.severity is not Severity.CRITICAL
            of_table |= frozenset() if nearly else OF_TABLE.get(one.code, frozenset())
        elif not _is_of_another(one):
            of_origin |= {(origin, code) for origin in _all(one) for code in EFFECTS.get(one.code, ())}

    def hidden(finding: Finding) -> bool:
        if (finding.origin, finding.code) in of_origin and not _is_of_another(finding):
            return True
        return finding.code in of_table and (finding.origin is not None or finding.code in _OWN)

    return hidden


def _all(finding: Finding) -> list[str]:
    """Every origin whose it is: what several draw of a cause that they share is told once, as the first one's."""
    others = [name for said in finding.evidence if said.what == ALSO_SEEN for name in said.value.split(", ")]
    return [finding.origin or "", *others]


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
