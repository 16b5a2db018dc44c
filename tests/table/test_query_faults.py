"""What is malformed is refused with the path of the fault."""

import httpx2
import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    "path", ["/api/logs", "/api/logs/histogram", "/api/logs/facets", "/api/logs/download", "/api/logs/stream"]
)
@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("level=loud", "query.level"),
        (f"grep={'x' * 501}", "query.grep"),
        (f"request_id={'x' * 129}", "query.request_id"),
    ],
)
async def test_a_malformed_query_is_named(
    shared_operator: httpx2.AsyncClient, path: str, query: str, where: str
) -> None:
    answer = await shared_operator.get(f"{path}?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert [fault["path"] for fault in answer.json()["errors"]] == [where]
    assert where in answer.json()["detail"]


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("/api/logs?limit=0", "query.limit"),
        ("/api/logs?limit=501", "query.limit"),
        ("/api/logs?limit=x", "query.limit"),
        ("/api/logs?before=x", "query.before"),
        ("/api/logs?before=-1", "query.before"),
        ("/api/logs?from=yesterday", "query.from"),
        ("/api/logs?to=1", "query.to"),
        ("/api/logs/histogram?buckets=0", "query.buckets"),
        ("/api/logs/histogram?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "query.from"),
        ("/api/logs/facets?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "query.from"),
        ("/api/logs?field=a:b&field=c", "query.field[1]"),
        ("/api/logs/stream?without=:x", "query.without[0]"),
        ("/api/logs/download?format=xlsx", "query.format"),
        ("/api/stream?topics=weather", "query.topics"),
        ("/api/stream?topics=", "query.topics"),
        ("/api/deployments?limit=999", "query.limit"),
    ],
)
async def test_every_parameter_is_checked(shared_operator: httpx2.AsyncClient, query: str, where: str) -> None:
    answer = await shared_operator.get(query)
    assert (answer.status_code, [fault["path"] for fault in answer.json()["errors"]]) == (400, [where])


async def test_a_parameter_that_is_missing_is_named_by_its_place(shared_operator: httpx2.AsyncClient) -> None:
    answer = await shared_operator.get("/api/series")
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"path": "query.name", "detail": "is missing"}]
