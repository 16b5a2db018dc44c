"""Log records as lines of CSV (RFC 4180) that no spreadsheet takes for formulas."""

import msgspec

from chimney.wire.telemetry import LogRow

COLUMNS = (
    *("ts", "level", "source", "message", "logger", "request_id", "trace_id", "kind"),
    *("service", "deployment", "revision"),
)
HEADER = ",".join((*COLUMNS, "fields")) + "\r\n"
# what begins a formula in Excel, LibreOffice or Sheets, also full-width; a tab or a line end hides one
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(text: str) -> str:
    """Quoted; with an apostrophe before what would be a formula."""
    shown = f"'{text}" if text.startswith(_FORMULA) else text
    return '"' + shown.replace('"', '""') + '"'


def line(row: LogRow) -> str:
    texts = [getattr(row, name) or "" for name in COLUMNS]
    return ",".join(map(cell, (*texts, msgspec.json.encode(row.fields).decode()))) + "\r\n"
