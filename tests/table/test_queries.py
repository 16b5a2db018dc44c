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


async def test_hostile_text_comes_out_as_plain_json(running: Running, operator: httpx2.AsyncClient) -> None:
    await running.store(record("<img onerror=x>\u202e\nid: 9\r\nevent: y", **{"</script>": "\x1b]0;t\x07"}))
    (row,) = (await operator.get("/api/logs?source=hel1")).json()["items"]
    assert row["message"].startswith("<img onerror=x>\\u202e\nid: 9\\u000d\n")
    assert row["fields"] == {"</script>": "\\u001b]0;t\\u0007"}
