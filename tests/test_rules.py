"""The alert rules: they are well formed, they name metrics that exist, and they draw what they should."""

import re
from pathlib import Path

import pytest
from tests.fakes.prometheus import promtool
from tests.test_docs import first_cells

ROOT = Path(__file__).parents[1]
RULES = ROOT / "deploy" / "prometheus" / "chimney.rules.yml"
CASE = """
rule_files: [{rules}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
{series}
    alert_rule_test:
      - eval_time: {minutes}m
        alertname: {alert}
        exp_alerts: []
"""


def test_the_rules_and_the_configuration_are_what_prometheus_wants() -> None:
    assert "SUCCESS" in promtool("check", "rules", str(RULES))
    assert "SUCCESS" in promtool("check", "config", str(RULES.with_name("prometheus.yml")))


def test_the_rules_name_metrics_that_exist() -> None:
    documented = {cell.partition("{")[0] for cell in first_cells((ROOT / "docs" / "metrics.md").read_text())}
    expressions = re.sub(r"#.*|summary:.*|description:.*|- (record|alert):.*", "", RULES.read_text())
    named = set(re.findall(r"\bchimney_[a-z_]+", expressions))
    assert {name.removesuffix("_bucket") for name in named} <= documented
    assert len(named) > 10


def test_every_alert_is_described() -> None:
    alerts = re.findall(r"- alert: (\w+)", RULES.read_text())
    documented = first_cells((ROOT / "docs" / "metrics.md").read_text())
    assert [name for name in alerts if name not in documented] == []


REQUESTS = 'requests_total{route="/x"}'
ERRORS = 'errors_total{route="/x"}'
UNREACHABLE, GOOD, SAME = (
    f'github_requests_total{{result="{word}"}}' for word in ("unreachable", "2xx", "not_modified")
)
STREAM = 'request_duration_seconds_bucket{route="/api/logs/stream",le="%s"}'
LEFT, LIMIT = "github_rate_limit_remaining", "github_rate_limit_limit"


@pytest.mark.parametrize(
    ("alert", "minutes", "series", "severity"),
    [
        ("ChimneyErrorRateHigh", 15, {ERRORS: "0+6x20", REQUESTS: "0+60x20"}, "critical"),
        ("ChimneyErrorRateHigh", 15, {ERRORS: "0+1x20", REQUESTS: "0+60x20"}, ""),
        ("ChimneyErrorRateHigh", 15, {ERRORS: "0+1x20", REQUESTS: "0+1x20"}, ""),
        ("ChimneyDragonflyLost", 15, {"dragonfly_up": "1x5 0x15"}, "warning"),
        ("ChimneyDragonflyLost", 15, {"dragonfly_up": "0x20"}, ""),
        ("ChimneyGitHubUnreachable", 25, {UNREACHABLE: "0+3x30", GOOD: "0+1x5 5x30"}, "critical"),
        ("ChimneyGitHubUnreachable", 25, {UNREACHABLE: "0+3x30", SAME: "0+1x30"}, ""),
        ("ChimneyGitHubUnreachable", 25, {GOOD: "5x30"}, ""),
        ("ChimneyPanic", 5, {"panics_total": "0x3 1x10"}, "critical"),
        ("ChimneyGitHubQuotaLow", 10, {LEFT: "400x20", LIMIT: "5000x20"}, "warning"),
        ("ChimneySlow", 20, {STREAM % "1": "0x30", STREAM % "+Inf": "0+60x30"}, ""),
    ],
)
def test_an_alert_is_drawn_when_it_should_be(
    tmp_path: Path, alert: str, minutes: int, series: dict[str, str], severity: str
) -> None:
    rows = []
    for name, values in series.items():
        metric, _, labels = name.partition("{")
        told = f'chimney_{metric}{{instance="here"{"," + labels if labels else "}"}'
        rows.append(f"      - {{series: '{told}', values: '{values}'}}")
    case = tmp_path / "case.yml"
    case.write_text(CASE.format(rules=RULES, series="\n".join(rows), minutes=minutes, alert=alert))
    assert drawn(case) == severity


def drawn(case: Path) -> str:
    """The severity of what is drawn, as promtool complains of it where nothing was expected; empty for nothing."""
    said = promtool("test", "rules", str(case), well=False)
    found = re.search(r'got:\[.*?severity="(\w+)"', said, flags=re.DOTALL)
    assert found or "SUCCESS" in said, said
    return found[1] if found else ""
