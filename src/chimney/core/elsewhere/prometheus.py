"""Questions to Prometheus and its answers. PromQL is made of checked names and escaped values only."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from chimney.core.redact import safe
from chimney.core.series import Fn, Grid

MOST_POINTS = 11_000  # of one series in one answer: it refuses more
LOOKBACK_SECONDS = 60  # a rate needs at least two scrapes in its window
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_QUANTILES = {Fn.P50: "0.5", Fn.P95: "0.95", Fn.P99: "0.99"}


def legacy_name(name: str) -> str:
    """A name as versions before 3 take it: OTLP's dots are underscores there."""
    return re.sub(r"[^a-zA-Z0-9_:]", "_", name)


def query_of(name: str, labels: Mapping[str, str], fn: Fn, *, step: int, by: Iterable[str] | None) -> str | None:
    """PromQL; None when the name or a label cannot be one of Prometheus'."""
    shown = legacy_name(name)
    grouped = None if by is None else [legacy_name(label) for label in by]
    if not _NAME.fullmatch(shown) or not all(_LABEL.fullmatch(label) for label in (*labels, *(grouped or ()))):
        return None
    chosen = ",".join(f"{label}={json.dumps(value, ensure_ascii=False)}" for label, value in sorted(labels.items()))
    window = f"[{max(step, LOOKBACK_SECONDS)}s]"
    if fn in _QUANTILES:
        kept = "" if grouped is None else f" by ({','.join(['le', *grouped])})"
        rates = f"rate({shown}_bucket{{{chosen}}}{window})"
        return f"histogram_quantile({_QUANTILES[fn]}, {f'sum{kept} ({rates})' if kept else rates})"
    inner = {
        Fn.RATE: f"rate({shown}{{{chosen}}}{window})",
        Fn.AVG: f"avg_over_time({shown}{{{chosen}}}{window})",
        Fn.MAX: f"max_over_time({shown}{{{chosen}}}{window})",
    }[fn]
    outer = {Fn.RATE: "sum", Fn.AVG: "avg", Fn.MAX: "max"}[fn]
    return inner if grouped is None else f"{outer} by ({','.join(grouped)}) ({inner})"


def allowed_step(seconds: float, step: int) -> int:
    """The step, made coarser until the range fits into one answer."""
    return max(step, math.ceil(seconds / (MOST_POINTS - 1)), 1)


def on_grid(matrix: Any, grid: Grid) -> list[tuple[dict[str, str], list[float | None]]]:
    """The series of a range query, as figures of the windows. Values are texts; `NaN` is no figure."""
    found = []
    for one in matrix if isinstance(matrix, list) else ():
        labels = {str(key): safe(str(value), longest=200) for key, value in (one.get("metric") or {}).items()}
        labels.pop("__name__", None)
        figures: list[float | None] = [None] * grid.count
        for at, text in one.get("values") or ():
            value, index = float(text), grid.index(int(float(at) * 1000) - grid.step_ms)
            if 0 <= index < grid.count and math.isfinite(value):
                figures[index] = value
        found.append((labels, figures))
    return found
