from datetime import UTC, datetime
from typing import Any

import msgspec

from chimney.core.overview_delta import MANY, MOST_BASES, Deltas
from chimney.wire.finding import Findings
from chimney.wire.origin import OriginState, Overview, OverviewChanged, StreamState

AT = datetime(2026, 1, 1, tzinfo=UTC)
STREAM = StreamState(state="connected", since=AT, last_record_at=None, last_id=None, lag_seconds=None, error=None)


def origin(name: str, *, state: str = "up", latency_ms: float = 1.0) -> OriginState:
    return OriginState(
        name=name,
        url="http://127.0.0.1",
        state=state,
        reason=None,
        last_contact_at=AT,
        latency_ms=latency_ms,
        health=None,
        deploy=None,
        pipeline=None,
        stream=STREAM,
        uptime_24h_pct=100.0,
        uptime_bars=[1.0] * 90,
        demonstration=False,
    )


def overview(count: int = MANY, **of_first: Any) -> Overview:
    return Overview(
        at=AT,
        version="1",
        findings=Findings(items=[], good_since=AT),
        origins=[origin(f"o{number}", **(of_first if number == 0 else {})) for number in range(count)],
        changes=[],
        log_rate_per_second=1.0,
        errors_last_5_min=0,
    )


def test_of_few_origins_the_whole_is_told() -> None:
    deltas = Deltas()
    deltas.held(overview(MANY - 1))
    assert isinstance(deltas.tell(overview(MANY - 1)), Overview)


def test_of_many_origins_only_what_changed() -> None:
    deltas = Deltas()
    assert isinstance(deltas.tell(overview()), Overview)
    told = deltas.tell(overview(latency_ms=2.0, state="down"))
    assert isinstance(told, OverviewChanged)
    assert told.origins == [{"name": "o0", "state": "down", "latency_ms": 2.0}]
    assert (told.findings, told.changes) == (None, None)
    again = deltas.tell(overview(latency_ms=2.0, state="down"))
    assert isinstance(again, OverviewChanged)
    assert again.origins == []


def test_who_saw_a_state_that_nobody_was_told_of_is_told_that_it_is_over() -> None:
    deltas = Deltas()
    deltas.tell(overview(state="up"))
    deltas.held(overview(state="down"))
    told = deltas.tell(overview(state="up"))
    assert isinstance(told, OverviewChanged)
    assert told.origins == [{"name": "o0", "state": "up"}]


def test_the_whole_is_told_when_origins_come_and_when_too_many_were_given_it() -> None:
    deltas = Deltas()
    deltas.tell(overview())
    assert isinstance(deltas.tell(overview(MANY + 1)), Overview)
    for _ in range(MOST_BASES):
        deltas.held(overview(MANY + 1))
    assert isinstance(deltas.tell(overview(MANY + 1)), Overview)


def test_what_changed_of_a_hundred_origins_is_small() -> None:
    deltas = Deltas()
    deltas.tell(overview(100))
    told = deltas.tell(overview(100, latency_ms=3.0))
    assert len(msgspec.json.encode(told)) < 400
    assert len(msgspec.json.encode(overview(100))) > 10_000
