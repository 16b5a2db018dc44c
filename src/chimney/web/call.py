"""Calls to other servers, on the record of the request that runs.

What is asked outside of a request (a loop), or begun after its answer was sent, belongs to no trace: nobody can tell
any more whether that was exported. A call that began in time and ends later is handed on by itself.
"""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from chimney.core.call import Attribute, Call
from chimney.web.record import RequestRecord, current

MOST = 64  # of one request; a summary asks about ten times
_random = random.Random()  # noqa: S311 — ids are for correlation, not for secrecy


class Watcher(Protocol):
    """Who exports traces."""

    def goes_on(self, record: RequestRecord) -> bool:
        """Whether those who are asked should export their part too."""

    def late(self, record: RequestRecord, call: Call) -> None:
        """A call that ended after the request did."""


class RequestCalls:
    """Calls that are told on the record of the running request."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    @contextmanager
    def open(self, name: str, attributes: dict[str, Attribute], *, least_seconds: float = 0.0) -> Iterator[Call]:
        record, call = current.get(), Call(name=name, attributes=attributes)
        if record is None or record.ended:
            yield call
            return
        self._begin(record, call)
        if not least_seconds and record.calls is None:
            record.calls = []
        began = time.perf_counter()
        try:
            yield call
        except asyncio.CancelledError:
            call.error = "timeout"  # nothing else cancels a call while its request is wanted
            raise
        except Exception as error:
            call.error = call.error or type(error).__name__
            raise
        finally:
            call.seconds = time.perf_counter() - began
            if call.error or call.seconds >= least_seconds:
                self._tell(record, call)

    def _begin(self, record: RequestRecord, call: Call) -> None:
        call.span_id = f"{_random.getrandbits(64) or 1:016x}"
        flags = "01" if self._watcher.goes_on(record) else "00"
        call.traceparent = f"00-{record.trace_id}-{call.span_id}-{flags}"
        call.started = time.time()

    def _tell(self, record: RequestRecord, call: Call) -> None:
        if record.ended:
            self._watcher.late(record, call)
            return
        record.calls = record.calls or []
        if len(record.calls) < MOST:
            record.calls.append(call)
