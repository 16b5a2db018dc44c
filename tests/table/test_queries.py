import csv
import io
import json
import time
from typing import Any

import httpx2
import pytest
from tests.table.running import Running


def record(message: str, **more: Any) -> bytes:
    ts = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return json.dumps({"ts": ts, "level": "info", "message": message, "logger": "l", **more}).encode()


async def found(client: httpx2.AsyncClient, query: str) -> list[str]:
    answer = await client.get(f"/api/logs?source=hel1&{query}")
    assert answer.status_code == 200, answer.text
    return [row["message"] for row in answer.json()["items"]]


async def test_records_come_newest_first_and_page_by_page(running: Running, operator: httpx2.AsyncClient) -> None:
    await running.store(*(record(f"m{i}") for i in range(5)))
    first = (await operator.get("/api/logs?source=hel1&limit=3")).json()
    assert [row["message"] for row in first["items"]] == ["m4", "m3", "m2"]
    last = (await operator.get(f"/api/logs?source=hel1&limit=3&before={first['next']}")).json()
    assert [row["message"] for row in last["items"]] == ["m1", "m0"]
    assert last["next"] is None
    assert await found(operator, f"after={first['items'][1]['id']}") == ["m4"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("level=error", ["b"]),
        ("grep=NEEDLE", ["b"]),
        ("request_id=r1", ["a"]),
        ("trace_id=t1", ["b"]),
        ("grep=&request_id=&source=hel1", ["b", "a"]),
        ("from=2000-01-01T00:00:00Z", ["b", "a"]),
        ("to=2000-01-01T00:00:00Z", []),
        ("from=2000-01-01T00:00:00Z&to=2100-01-01T00:00:00%2B01:00", ["b", "a"]),
        ("grep=%25", []),
        ("field=x:a%20needle", ["b"]),
        ("without=x:a%20needle", ["a"]),
        ("field=level:info&without=request_id:r1", []),
    ],
)
async def test_a_query_narrows(running: Running, operator: httpx2.AsyncClient, query: str, expected: list[str]) -> None:
    await running.store(record("a", request_id="r1"), record("b", level="error", trace_id="t1", deep={"x": "a needle"}))
    assert await found(operator, query) == expected


async def test_the_histogram_covers_the_last_quarter_of_an_hour(running: Running, operator: httpx2.AsyncClient) -> None:
    await running.store(record("a"), record("b", level="error"))
    counted = (await operator.get("/api/logs/histogram?source=hel1&buckets=15")).json()
    assert (counted["width_seconds"], len(counted["buckets"])) == (60, 15)
    assert counted["buckets"][-1]["counts"] == {"info": 1, "error": 1}


async def test_facets_count_what_each_choice_would_leave(running: Running, operator: httpx2.AsyncClient) -> None:
    await running.store(record("a"), record("b", level="error"), record("c", level="error"))
    counted = (await operator.get("/api/logs/facets?source=hel1&level=error")).json()
    assert counted["levels"] == [{"value": "error", "count": 2}, {"value": "info", "count": 1}]
    assert {"value": "hel1", "count": 2} in counted["sources"]
    assert (await operator.get("/api/logs/facets?grep=nowhere")).json() == {"levels": [], "sources": []}


async def test_the_log_is_a_file_for_programs_and_for_spreadsheets(
    running: Running, operator: httpx2.AsyncClient
) -> None:
    await running.store(*(record(f"m{i}") for i in range(1_200)), record('=HYPERLINK("http://evil","x")', path="@a"))
    whole = await operator.get("/api/logs/download?source=hel1")
    assert whole.headers["content-disposition"] == 'attachment; filename="chimney-logs.ndjson"'
    rows = [json.loads(line) for line in whole.text.splitlines()]
    assert [row["message"] for row in rows[1:]] == [f"m{i}" for i in range(1_199, -1, -1)]
    sheet = await operator.get("/api/logs/download?source=hel1&format=csv&most=2")
    header, first, second = csv.reader(io.StringIO(sheet.text))
    assert (header[:4], len(header)) == (["ts", "level", "source", "message"], 12)
    assert (first[3], first[11], second[3]) == ('\'=HYPERLINK("http://evil","x")', '{"path":"@a"}', "m1199")


async def test_hostile_text_comes_out_as_plain_json(running: Running, operator: httpx2.AsyncClient) -> None:
    await running.store(record("<img onerror=x>\u202e\nid: 9\r\nevent: y", **{"</script>": "\x1b]0;t\x07"}))
    (row,) = (await operator.get("/api/logs?source=hel1")).json()["items"]
    assert row["message"].startswith("<img onerror=x>\\u202e\nid: 9\\u000d\n")
    assert row["fields"] == {"</script>": "\\u001b]0;t\\u0007"}
