"""One way to print what was measured."""

from typing import NamedTuple

from rich.console import Console
from rich.table import Table


class Row(NamedTuple):
    """One line: what, the figures, the ratio or figure that is judged, and the most it may be (None: only shown)."""

    name: str
    figures: str
    judged: float | None = None
    most: float | None = None

    @property
    def missed(self) -> bool:
        return self.judged is not None and self.most is not None and self.judged > self.most


def show(title: str, rows: list[Row]) -> None:
    table = Table(title=title, title_justify="left", show_edge=False)
    for column in ("what", "figures", "judged", "at most", ""):
        table.add_column(column, justify="right" if column in ("judged", "at most") else "left")
    for row in rows:
        judged = "" if row.judged is None else f"{row.judged:.2f}"
        most = "" if row.most is None else f"{row.most:g}"
        verdict = "" if row.most is None else ("missed" if row.missed else "met")
        table.add_row(row.name, row.figures, judged, most, verdict)
    Console(width=140).print(table)
