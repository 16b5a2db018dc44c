"""What is kept, and for how long."""

import httpx2
from tests.fakes.waiting import eventually
from tests.table.conftest import Make
from tests.table.running import Running


async def test_rows_are_counted_by_signal_sealed_or_not(running: Running, operator: httpx2.AsyncClient) -> None:
    before = (await operator.get("/api/storage")).json()
    await running.store(b'{"message": "one"}', b'{"message": "two"}')
    state = (await operator.get("/api/storage")).json()
    signals = {one["signal"]: one for one in state["signals"]}
    assert set(signals) == {"log", "span", "sample"}
    assert signals["log"]["rows"] >= 2 + {one["signal"]: one for one in before["signals"]}["log"]["rows"]
    assert signals["log"]["unsealed_rows"] == signals["log"]["rows"]
    assert signals["log"]["oldest_at"]
    assert signals["span"]["oldest_at"] is None
    assert state["bytes"] == state["journal_bytes"] + sum(one["bytes"] for one in state["signals"])
    assert state["damage"] is None


async def test_bounds_are_those_that_are_set(make_table: Make) -> None:
    running = await make_table(retention_days=3, retention_spans_days=1.5, retention_samples_bytes=2**21)
    operator = await running.signed_in()

    async def looked() -> bool:
        return (await operator.get("/api/storage")).json()["disk_total_bytes"] is not None

    await eventually(looked, within=20)
    state = (await operator.get("/api/storage")).json()
    signals = {one["signal"]: one for one in state["signals"]}
    assert [signals[name]["retention_days"] for name in ("log", "span", "sample")] == [3, 1.5, 3]
    assert signals["sample"]["retention_bytes"] == 2**21
    assert signals["log"]["retention_bytes"] == state["retention_bytes"]
