"""The OTLP receiver of a running table: what is answered, and what is durable then."""

import asyncio
import gzip
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tests.fakes import otlp as sent
from tests.fakes.waiting import eventually
from tests.table.conftest import Make
from tests.table.running import Running

from chimney.store.errors import StorageFullError
from chimney.table import receive
from chimney.table.unpack import JSON, PROTOBUF

TYPES = {"json": {"content-type": JSON}, "protobuf": {"content-type": PROTOBUF}}


async def post(running: Running, signal: str, body: bytes, kind: str = "json", **headers: str) -> httpx2.Response:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return await running.client.post(f"/v1/{signal}", content=body, headers={**TYPES[kind], **more})


async def logs(client: httpx2.AsyncClient, **query: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.get("/api/logs", params={"source": "shop", **query})).json()["items"]
    return items


def status_of(body: bytes) -> tuple[int, str]:
    """A google.rpc.Status in protobuf."""
    assert body[0] == 0x08
    return body[1], body[3:].lstrip(b"\x80\x81\x82\x83\x84\x01\x02\x03").decode("utf-8", "replace")


async def test_what_is_answered_with_200_can_be_found(running: Running, operator: httpx2.AsyncClient) -> None:
    record = sent.log("added", fields={"item": 7}, traceId=sent.TRACE, severityNumber=17)
    answer = await post(running, "logs", sent.as_json(sent.logs(record)))
    assert (answer.status_code, answer.json(), answer.headers["content-type"]) == (200, {}, JSON)
    (row,) = await logs(operator)
    assert (row["message"], row["level"], row["service"], row["trace_id"]) == ("added", "error", "shop", sent.TRACE)
    answer = await post(running, "traces", sent.as_json(sent.traces(sent.span())))
    assert answer.status_code == 200
    trace = (await operator.get(f"/api/traces/{sent.TRACE}")).json()
    assert [span["name"] for span in trace["spans"]] == ["GET /cart"]
    assert [row["message"] for row in trace["logs"]] == ["added"]
    figures = {"name": "heat", "gauge": {"dataPoints": [sent.point(3.5, room="a")]}}
    assert (await post(running, "metrics", sent.as_json(sent.metrics(figures)))).status_code == 200
    series = (await operator.get("/api/series", params={"name": "heat", "fn": "max"})).json()["series"]
    assert [one["labels"] for one in series] == [{"service": "shop", "room": "a"}]
    assert max(point["value"] or 0 for point in series[0]["points"]) == 3.5


@pytest.mark.parametrize("zipped", [False, True])
async def test_protobuf_is_answered_in_protobuf(running: Running, operator: httpx2.AsyncClient, zipped: bool) -> None:
    body = sent.logs_in_protobuf(3)
    headers = {"content_encoding": "gzip"} if zipped else {}
    answer = await post(running, "logs", gzip.compress(body) if zipped else body, "protobuf", **headers)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"", PROTOBUF)
    assert len(await logs(operator)) == 3


async def test_what_cannot_be_kept_is_told_as_partial_success(running: Running, operator: httpx2.AsyncClient) -> None:
    good, bad = sent.span(), sent.span(traceId="00" * 16)
    answer = await post(running, "traces", sent.as_json(sent.traces(good, bad)))
    partial = answer.json()["partialSuccess"]
    assert (answer.status_code, partial["rejectedSpans"]) == (200, "1")
    assert "trace id" in partial["errorMessage"]
    trace = (await operator.get(f"/api/traces/{sent.TRACE}")).json()
    assert len(trace["spans"]) == 1
    body = sent.spans_in_protobuf(1, trace=0)
    told = ExportTraceServiceResponse.FromString((await post(running, "traces", body, "protobuf")).content)
    assert (told.partial_success.rejected_spans, bool(told.partial_success.error_message)) == (1, True)


@pytest.mark.parametrize(("kind", "body"), [("json", b"{}"), ("protobuf", b"")])
@pytest.mark.parametrize("signal", ["logs", "traces", "metrics"])
async def test_an_empty_request_is_a_success(running: Running, signal: str, kind: str, body: bytes) -> None:
    assert (await post(running, signal, body, kind)).status_code == 200


async def test_each_refusal_has_its_status_in_the_senders_type(running: Running) -> None:
    cases = [
        (400, "json", b"{", {}),
        (400, "protobuf", sent.nested(1_000), {}),
        (400, "protobuf", sent.groups(100_000), {}),
        (400, "protobuf", b"not gzip", {"content_encoding": "gzip"}),
        (400, "protobuf", gzip.compress(gzip.compress(b"x")), {"content_encoding": "gzip"}),
        (413, "protobuf", sent.bomb(1024**3), {"content_encoding": "gzip"}),
        (413, "protobuf", bytes(16 * 1024**2 + 1), {}),
        (415, "protobuf", b"", {"content_encoding": "zstd"}),
        (415, "protobuf", b"", {"content_encoding": "br"}),
        (415, "protobuf", b"", {"content_type": "text/plain"}),
        (403, "json", b"{}", {"sec_fetch_site": "cross-site"}),
        (403, "json", b"{}", {"host": "evil.example:8700"}),  # DNS rebinding
    ]
    for status, kind, body, headers in cases:
        answer = await post(running, "logs", body, kind, **headers)
        assert answer.status_code == status, answer.content
        assert "retry-after" not in answer.headers
        told = answer.json()["message"] if kind == "json" else status_of(answer.content)[1]
        assert told
        assert answer.headers["x-request-id"]


async def test_another_path_or_method_is_refused(running: Running) -> None:
    assert (await post(running, "profiles", b"{}")).status_code == 404
    answer = await running.client.get("/v1/logs")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_the_token_is_asked_for_when_one_is_set(make_table: Make) -> None:
    running = await make_table(otlp_token="s3cret")
    assert (await post(running, "logs", b"{}")).status_code == 401
    assert (await post(running, "logs", b"{}", authorization="Bearer wrong")).status_code == 401
    headers = [(b"content-type", b"application/json"), (b"authorization", "Bearer ä".encode())]
    assert (await running.client.post("/v1/logs", content=b"{}", headers=headers)).status_code == 401
    assert (await post(running, "logs", b"{}", authorization="Bearer s3cret")).status_code == 200


async def test_while_nothing_can_be_stored_senders_are_told_to_try_again(
    running: Running, operator: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = running.table.store.append

    async def full(_batches: Any) -> Any:
        raise StorageFullError("no room")

    monkeypatch.setattr(running.table.store, "append", full)
    body = sent.as_json(sent.logs(sent.log("once"), sent.log("twice")))
    answer = await post(running, "logs", body)
    assert (answer.status_code, answer.json()["code"]) == (503, 14)
    assert int(answer.headers["retry-after"]) > 0
    packed = await post(running, "logs", sent.logs_in_protobuf(5), "protobuf")
    assert (packed.status_code, status_of(packed.content)[0]) == (503, 14)
    await eventually(
        lambda: any(
            one.code == "storage_full" and "7 rows" in one.evidence[-1].value
            for one in running.table.watching.watch.current.items
        )
    )
    monkeypatch.setattr(running.table.store, "append", append)
    await eventually(lambda: running.table.ingest.full_since is None)
    assert (await post(running, "logs", body)).status_code == 200
    assert [row["message"] for row in await logs(operator)] == ["twice", "once"]


async def test_a_request_that_was_stored_but_not_answered_is_stored_once(
    running: Running, operator: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = sent.as_json(sent.logs(sent.log("once")))
    append, held = running.table.store.append, asyncio.Event()

    async def slow(batches: Any) -> Any:
        stored = await append(batches)
        await held.wait()
        return stored

    monkeypatch.setattr(running.table.store, "append", slow)
    monkeypatch.setattr(receive, "STORE_SECONDS", 0.05)
    assert (await post(running, "logs", body)).status_code == 503
    held.set()
    monkeypatch.setattr(receive, "STORE_SECONDS", 8.0)
    assert (await post(running, "logs", body)).status_code == 200
    assert len(await logs(operator)) == 1
    assert (await post(running, "logs", body)).status_code == 200  # it was answered, so this is another one
    assert len(await logs(operator)) == 2


async def test_more_bytes_than_can_be_held_are_refused(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive, "PENDING_BYTES", 1000)
    assert (await post(running, "logs", sent.as_json(sent.logs(sent.log("x" * 2000))))).status_code == 503
    assert (await post(running, "logs", b"{}")).status_code == 200
    assert running.table.telemetry.receiver.refusals.requests == 1


async def test_a_flood_of_services_ends_up_under_other(
    running: Running, operator: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.table.telemetry.receiver.services = type(running.table.telemetry.receiver.services)(frozenset(), most=2)
    for number in range(4):
        await post(running, "logs", sent.as_json(sent.logs(sent.log("x"), service=f"s{number}")))
    rows = (await operator.get("/api/logs", params={"source": "other"})).json()["items"]
    assert [row["service"] for row in rows] == ["s3", "s2"]


async def test_a_sender_cannot_speak_for_the_table(running: Running, operator: httpx2.AsyncClient) -> None:
    await post(running, "logs", sent.as_json(sent.logs(sent.log("x"), service="table")))
    rows = (await operator.get("/api/logs", params={"source": "table (OTLP)"})).json()["items"]
    assert len(rows) == 1


async def test_a_large_request_is_stored_whole(running: Running, operator: httpx2.AsyncClient) -> None:
    answer = await post(running, "logs", sent.logs_in_protobuf(3_000), "protobuf")
    assert ExportLogsServiceResponse.FromString(answer.content) == ExportLogsServiceResponse()
    assert running.table.telemetry.receiver.rows["logs"] == 3_000
    found = await operator.get("/api/logs", params={"source": "shop", "grep": "hello 2999"})
    assert len(found.json()["items"]) == 1


async def test_what_was_acknowledged_is_there_after_a_restart(make_table: Make, tmp_path: Path) -> None:
    first = await make_table()
    await post(first, "traces", sent.as_json(sent.traces(sent.span())))
    await first.stop()
    client = await (await make_table()).signed_in()
    assert (await client.get(f"/api/traces/{sent.TRACE}")).status_code == 200
