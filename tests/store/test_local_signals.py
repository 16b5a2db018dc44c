"""Spans and samples, records that were read elsewhere, and names from outside."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chimney.core.log_filter import LogFilter
from chimney.core.records import Record
from chimney.core.span_filter import SpanFilter
from chimney.store.local import LocalStore
from chimney.store.names import MOST_SERVICES
from chimney.store.telemetry import Batch
from chimney.wire.telemetry import SampleRow, SpanRow

NOW_MS = int(time.time() * 1000)
DAY_MS = 86_400_000


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[LocalStore]:
    store = LocalStore(tmp_path)
    await store.open()
    yield store
    await store.close()


def span(number: int, *, trace: int = 1, at_ms: int = NOW_MS, **more: Any) -> SpanRow:
    given = {
        "trace_id": f"{trace:032x}",
        "span_id": f"{number:016x}",
        "service": "shop",
        "name": "GET /",
        "kind": "server",
        "start_ns": at_ms * 1_000_000,
        "duration_ns": 5_000_000,
    }
    return SpanRow(**{**given, **more})


def sample(value: float, *, at_ms: int = NOW_MS, name: str = "requests", **labels: str) -> SampleRow:
    return SampleRow(name=name, labels=labels, at_ms=at_ms, kind="counter", value=value, source="shop")


def record(message: str, *, ts_ms: int = NOW_MS, **more: Any) -> Record:
    given = {"level": 20, "logger": "", "request_id": None, "trace_id": None, "fields": {}}
    return Record(ts_ms=ts_ms, message=message, **{**given, **more})


async def traces(store: LocalStore, **wanted: Any) -> list[str]:
    found = await store.traces(SpanFilter(**wanted), limit=10)
    return [one.trace_id[-1] for one in found.traces]


async def test_one_trace_is_told_whole_in_the_order_of_its_spans(store: LocalStore) -> None:
    child = span(2, at_ms=NOW_MS + 1, parent_span_id=f"{1:016x}", attributes={"db": "x"}, status="error")
    await store.append([Batch("shop", spans=[child, span(3, trace=2)]), Batch("shop", spans=[span(1)])])
    found = await store.trace(f"{1:032x}")
    assert found.spans == [span(1), child]
    (summary, _) = (await store.traces(SpanFilter(), limit=10)).traces
    assert (summary.name, summary.spans, summary.errors, summary.status) == ("GET /", 2, 1, "error")
    assert summary.services == {"shop": 2}
    assert (await store.trace("ff")).spans == []


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ["4", "3", "2", "1"]),
        ({"service": "cart"}, ["2"]),
        ({"name": "POST /"}, ["3"]),
        ({"status": "error"}, ["4"]),
        ({"least_ns": 6_000_000}, ["3"]),
        ({"most_ns": 1_000_000}, ["2"]),
        ({"from_ms": NOW_MS}, ["4", "3", "2"]),
        ({"to_ms": NOW_MS}, ["1"]),
    ],
)
async def test_traces_are_found_by_their_spans(store: LocalStore, wanted: Any, expected: list[str]) -> None:
    spans = [
        span(1, trace=1, at_ms=NOW_MS - 1000),
        span(2, trace=2, service="cart", duration_ns=1_000_000),
        span(3, trace=3, name="POST /", duration_ns=7_000_000),
        span(4, trace=4, status="error"),
    ]
    await store.append([Batch("shop", spans=spans)])
    assert await traces(store, **wanted) == expected


async def test_pages_of_traces_follow_each_other_without_overlap(store: LocalStore) -> None:
    for trace in range(1, 8):
        await store.append([Batch("shop", spans=[span(trace * 2, trace=trace), span(trace * 2 + 1, trace=trace)])])
    await store.append([Batch("shop", spans=[span(99, trace=2)])])
    seen: list[str] = []
    before = None
    while True:
        found = await store.traces(SpanFilter(), limit=3, before=before)
        seen += [one.trace_id[-1] for one in found.traces]
        before = found.next
        if before is None:
            break
    assert seen == ["2", "7", "6", "5", "4", "3", "1"]


async def test_samples_come_by_series_and_time(store: LocalStore) -> None:
    rows = [sample(2, at_ms=NOW_MS + 1, code="200"), sample(1, code="200"), sample(9, code="500"), sample(7, name="x")]
    await store.append([Batch("shop", samples=rows)])
    found = await store.samples("requests", {}, from_ms=NOW_MS, to_ms=NOW_MS + 2)
    assert [(one.value, one.labels["code"]) for one in found.samples] == [(1, "200"), (2, "200"), (9, "500")]
    narrow = await store.samples("requests", {"code": "200"}, from_ms=NOW_MS, to_ms=NOW_MS + 1)
    assert [one.value for one in narrow.samples] == [1]
    assert [(one.name, one.labels) for one in await store.metrics()] == [("requests", ["code"]), ("x", [])]
    assert await store.label_values("requests", "code") == ["200", "500"]
    assert await store.services() == {}


async def test_everything_is_there_after_a_restart(store: LocalStore, tmp_path: Path) -> None:
    first = await store.append([Batch("shop", [record("a")], spans=[span(1)], samples=[sample(1)])])
    await store.close()
    again = LocalStore(tmp_path)
    await again.open()
    assert (await again.trace(f"{1:032x}")).spans == [span(1)]
    assert (await again.samples("requests", {}, from_ms=0, to_ms=2**50)).samples == [sample(1)]
    assert [one.name for one in await again.metrics()] == ["requests"]
    assert await again.services() == {"shop": ["GET /"]}
    second = await again.append([Batch("shop", [record("b")])])
    assert second[0].row.id == first[0].row.id + 1
    await again.close()


async def test_a_batch_that_is_repeated_is_stored_once_also_over_a_restart(store: LocalStore, tmp_path: Path) -> None:
    batch = Batch("shop", [record("once")], key=b"k1")
    assert len(await store.append([batch, batch])) == 1
    assert await store.append([batch]) == []
    await store.close()
    again = LocalStore(tmp_path)
    await again.open()
    assert await again.append([batch]) == []
    assert len((await again.read(LogFilter(), limit=9)).rows) == 1
    await again.close()


@pytest.mark.parametrize("ts_ms", [0, 1, NOW_MS + 365 * DAY_MS])
async def test_a_time_that_is_not_believed_is_kept_beside_the_present_one(store: LocalStore, ts_ms: int) -> None:
    sent = Batch("shop", [record("a", ts_ms=ts_ms)], spans=[span(1, at_ms=ts_ms)], samples=[sample(1, at_ms=ts_ms)])
    await store.append([sent])
    lately = NOW_MS - 1000
    (row,) = (await store.read(LogFilter(from_ms=lately), limit=9)).rows
    assert "ts_given" in row.fields
    assert await traces(store, from_ms=lately) == ["1"]
    (kept,) = (await store.trace(f"{1:032x}")).spans
    assert kept.start_ns == ts_ms * 1_000_000
    assert "chimney.clock" in kept.attributes
    assert len((await store.samples("requests", {}, from_ms=lately, to_ms=2**50)).samples) == 1


async def test_service_names_without_end_become_a_visible_other(store: LocalStore) -> None:
    many = 3 * MOST_SERVICES
    spans = [span(number, trace=number, service=f"s{number}") for number in range(many)]
    await store.append([Batch(f"s{number}", [record("x", service=f"s{number}")]) for number in range(many)])
    await store.append([Batch("shop", spans=spans)])
    assert len(await store.services()) == MOST_SERVICES + 1
    others = await store.read(LogFilter(source="other"), limit=2 * many)
    assert len(others.rows) == many - MOST_SERVICES
    last = (await store.trace(f"{many - 1:032x}")).spans[0]
    assert (last.service, last.resource["service.name"]) == ("other", f"s{many - 1}")


async def test_a_record_of_a_megabyte_is_kept(store: LocalStore) -> None:
    await store.append([Batch("shop", [record("x" * 2**20), record("after")])])
    rows = (await store.read(LogFilter(), limit=9)).rows
    assert [len(row.message) for row in rows] == [5, 2**20]
