import csv
import io

import pytest

from chimney.core.spreadsheet import HEADER, cell, line
from chimney.wire.telemetry import LogRow


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_a_formula_becomes_text(text: str) -> None:
    assert cell(text) == f'"\'{text}"'


@pytest.mark.parametrize("text", ["GET /a", 'say "no"', "a,b\r\nc", "1-1", ""])
def test_any_other_text_stays_as_it_is(text: str) -> None:
    [[read]] = csv.reader(io.StringIO(cell(text), newline=""))
    assert read == text


def test_a_record_has_as_many_cells_as_the_header() -> None:
    row = LogRow(
        id=1, ts="2026-01-01T00:00:00.000Z", level="info", source="s", message="-x", logger="l", fields={"a": "b"}
    )
    header, cells = csv.reader(io.StringIO(HEADER + line(row)))
    told = dict(zip(header, cells, strict=True))
    assert (told["message"], told["request_id"], told["fields"]) == ("'-x", "", '{"a":"b"}')
