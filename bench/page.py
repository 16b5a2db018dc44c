"""What the first page costs over the wire, gzipped: the HTML and everything that it names at once."""

import gzip
import re
from pathlib import Path

from bench.table import Row

STATIC = Path(__file__).parent.parent / "src" / "chimney" / "table" / "static"


def packed_kb(file: Path) -> float:
    return len(gzip.compress(file.read_bytes(), 9)) / 1000


def run() -> list[Row]:
    html = STATIC / "index.html"
    named = re.findall(r'(?:src|href)="(/[^"]+)"', html.read_text())
    files = [html, *(STATIC / name.lstrip("/") for name in named if (STATIC / name.lstrip("/")).is_file())]
    rows = [Row(file.relative_to(STATIC).as_posix(), f"{packed_kb(file):.1f} kB gzipped") for file in files]
    return [*rows, Row("first page, kB gzipped", f"{len(files)} files", sum(map(packed_kb, files)), 150.0)]
