"""What came of the drills, as a table."""

from collections.abc import Iterable
from statistics import median

from tests.drills.drill import Outcome


def table(outcomes: Iterable[Outcome]) -> list[str]:
    rows = [("drill", "finding", "detected after s", "resolved after s", "wrong findings")]
    done = list(outcomes)
    rows += [
        (one.drill, one.finding, _seconds(one.detected), _seconds(one.resolved), ", ".join(sorted(one.wrong)) or "none")
        for one in done
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    found = [one.detected for one in done if one.detected is not None]
    if found:
        well = sum(one.well for one in done)
        lines.append(
            f"{well} of {len(done)} drills as they should be; detected after {median(found):.1f} s in the median,"
            f" {max(found):.1f} s at most"
        )
    return lines


def _seconds(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f}"
