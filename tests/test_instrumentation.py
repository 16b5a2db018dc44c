"""Every log call and every request of the process, as JSON lines and as stream entries."""

import asyncio
import io
import json
import logging
import threading
import warnings
from collections.abc import Sequence
from typing import Any

import pytest
from tests.conftest import until

from chimney.instrumentation import (
    CAPACITY,
    Line,
    LogPipe,
)
from chimney.web.record import RequestRecord, begin, current

log = logging.getLogger("tests.hostile")
TEXTS = [
    "\x1b[2J\x9b31m",
    "a\r\nid: 999\r\nevent: deploy",
    "\x00",
    "\ud800",
    "\u202e",
    "x" * 1_000_000,
    '"}{"',
    "\u2028",
]


def finished(path: str = "/x", *, status: int = 200, method: str = "GET", **headers: str) -> RequestRecord:
    told = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    record = begin({"type": "http", "method": method, "path": path, "headers": told, "client": ("127.0.0.1", 1)})
    record.status, record.bytes, record.ended = status, 7, record.began + 0.0123
    return record


def lines_of(written: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().decode().strip().split("\n")]


async def flushed(pipe: LogPipe, written: io.BytesIO) -> list[dict[str, Any]]:
    pipe.start(None)
    await pipe.stop()
    return lines_of(written)


@pytest.mark.parametrize("hostile", TEXTS, ids=lambda text: ascii(text[:8]))
async def test_hostile_text_stays_one_line_of_json(installed: LogPipe, written: io.BytesIO, hostile: str) -> None:
    log.warning("%s", hostile, extra={"field": hostile, "deep": {hostile[:9]: [hostile, {"x": (hostile,)}]}})
    log.warning(hostile)
    try:
        raise ValueError(hostile)
    except ValueError:
        log.exception("failed")
    told = await flushed(installed, written)
    assert len(told) == 3
    assert b"\x1b" not in written.getvalue()
    assert max(map(len, written.getvalue().splitlines())) < 100_000


async def test_secrets_are_masked_in_messages_fields_and_stacks(installed: LogPipe, written: io.BytesIO) -> None:
    secret = "ghp_" + "a1B2" * 9
    try:
        raise ValueError(f"token {secret}")
    except ValueError:
        log.exception("Bearer %s", secret, extra={"headers": {"authorization": f"Bearer {secret}", "list": [secret]}})
    await flushed(installed, written)
    assert secret.encode() not in written.getvalue()


async def test_the_calls_of_libraries_and_warnings_arrive_too(installed: LogPipe, written: io.BytesIO) -> None:
    for name in ("granian.access", "litestar", "some.library"):
        logging.getLogger(name).warning("from %s", name)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old ways", DeprecationWarning, stacklevel=1)
    told = await flushed(installed, written)
    assert [one["logger"] for one in told] == ["granian.access", "litestar", "some.library", "py.warnings"]


@pytest.mark.parametrize(
    ("number", "level"), [(5, "debug"), (10, "debug"), (20, "info"), (25, "info"), (35, "warning"), (99, "critical")]
)
async def test_every_number_of_a_level_has_a_name_of_the_contract(
    installed: LogPipe, written: io.BytesIO, number: int, level: str
) -> None:
    logging.getLogger().setLevel(1)
    log.log(number, "x")
    [told] = await flushed(installed, written)
    assert told["level"] == level


async def test_a_call_during_a_request_has_its_ids(installed: LogPipe, written: io.BytesIO) -> None:
    record = finished()
    token = current.set(record)
    log.info("within")
    current.reset(token)
    log.info("without")
    within, without = await flushed(installed, written)
    assert (within["request_id"], within["trace_id"]) == (record.request_id, record.trace_id)
    assert (without["request_id"], without["trace_id"], without["span_id"]) == (None, None, None)


async def test_calls_of_other_threads_arrive(installed: LogPipe, written: io.BytesIO) -> None:
    installed.start(None)
    threads = [threading.Thread(target=log.info, args=("from thread %d", n)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    await until(lambda: written.getvalue().count(b"\n") == 20)
    await installed.stop()
    assert len(lines_of(written)) == 20


async def test_lines_and_requests_go_on_to_their_sinks_in_order(pipe: LogPipe, written: io.BytesIO) -> None:
    taken: list[Line] = []
    requests: list[RequestRecord] = []

    async def sink(lines: Sequence[Line]) -> None:
        taken.extend(lines)

    pipe.start(sink, batches=[requests.extend])
    records = [finished(f"/{n}") for n in range(250)]
    for record in records:
        pipe.request(record)
    await until(lambda: len(taken) == 250)
    assert [json.loads(line.json)["path"] for line in taken] == [record.path for record in records]
    assert requests == records
    assert pipe.by_level == {"info": 250}
    await pipe.stop()
    assert len(lines_of(written)) == 250


async def test_nothing_is_on_its_way_any_more_when_it_has_stopped(pipe: LogPipe) -> None:
    taken: list[Line] = []
    first_is_through = asyncio.Event()

    async def sink(lines: Sequence[Line]) -> None:
        if not taken:
            taken.extend(lines)
            pipe.emit(logging.LogRecord("late", logging.INFO, "", 0, "said while it stops", None, None))
            await until(lambda: not pipe._pending)  # the flush that was due took it
            first_is_through.set()
            return
        await first_is_through.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        taken.extend(lines)

    pipe.request(finished())
    pipe.start(sink)
    await pipe.stop()
    assert [line.level for line in taken] == [logging.INFO] * 2


async def test_what_does_not_fit_is_dropped_and_counted_and_blocks_nobody(pipe: LogPipe) -> None:
    for _ in range(CAPACITY + 5):
        pipe.request(finished())
    assert pipe.dropped == 5
    pipe.start(None)
    await pipe.stop()


class Stuck(io.BytesIO):
    """A pipe that nobody reads any more."""

    def __init__(self) -> None:
        super().__init__()
        self.freed = threading.Event()

    def write(self, _data: Any, /) -> int:
        self.freed.wait(10)
        return 0


async def test_a_stderr_that_nobody_reads_does_not_keep_the_process(caplog: pytest.LogCaptureFixture) -> None:
    stuck = Stuck()
    pipe = LogPipe(io.TextIOWrapper(stuck))
    pipe.start(None)
    pipe.request(finished())
    try:
        await asyncio.wait_for(pipe.stop(), 3)
    finally:
        stuck.freed.set()


async def test_a_closed_stderr_is_survived(pipe: LogPipe, written: io.BytesIO) -> None:
    pipe.start(None)
    written.close()
    pipe.request(finished())
    await pipe.stop()
    assert pipe.dropped == 1


async def test_the_finished_requests_of_a_flush_are_handed_on_together(pipe: LogPipe) -> None:
    batches: list[list[str]] = []
    for number in range(3):
        pipe.request(finished(f"/{number}"))
    pipe.emit(logging.LogRecord("beside", logging.INFO, "", 0, "them", None, None))
    pipe.start(None, batches=[lambda records: batches.append([record.path for record in records])])
    await pipe.stop()
    assert batches == [["/0", "/1", "/2"]]
