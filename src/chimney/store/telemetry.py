"""What the table asks of a store of telemetry: log records, spans and samples. One behaviour suite judges it.

Texts that are handed in are kept and shown as they are: what came from outside is made `safe` before.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from chimney.core.log_filter import LogFilter
from chimney.core.records import Record
from chimney.core.span_filter import SpanFilter
from chimney.wire.telemetry import Facets, Histogram, LogRow, MetricName, SampleRow, SpanRow, TraceSummary


class Incoming(msgspec.Struct, frozen=True):
    """One log record as it came: `data` is its JSON, `kind` is `log`, or `gap` and `restart` for marks we make."""

    data: bytes
    origin_id: int | None = None
    kind: str = "log"


class Place(msgspec.Struct, frozen=True):
    """How far a source was followed. `boots` are the last starts of its process that we met."""

    epoch: int = 1
    last_id: int = 0
    boots: tuple[str, ...] = ()


class Batch(msgspec.Struct, frozen=True):
    """What one source sent, and where it has been followed to once that is stored (None: unchanged).

    `records` that are Incoming are read by the store; a Record is taken as it is. `key` names the batch: one of the
    same key that was stored within the last hour is not stored again, so a sender may repeat what it is not sure of.
    """

    source: str
    records: Sequence[Incoming | Record] = ()
    place: Place | None = None
    spans: Sequence[SpanRow] = ()
    samples: Sequence[SampleRow] = ()
    key: bytes | None = None


class StoredRow(msgspec.Struct, frozen=True):
    """A log record that is stored: the row, its severity number, its JSON and its time."""

    row: LogRow
    level: int
    data: bytes
    ts_ms: int


class Found(msgspec.Struct, frozen=True):
    """Rows, newest first. `more` when there are older ones; `partial` when the search was cut short by its deadline."""

    rows: list[LogRow]
    more: bool
    partial: bool


class FoundTraces(msgspec.Struct, frozen=True):
    """Traces, newest first. `next` is handed back as `before` for the older ones, None when there are none."""

    traces: list[TraceSummary]
    next: int | None
    partial: bool


class FoundSpans(msgspec.Struct, frozen=True):
    """The spans of one trace in order of their start; `partial` when cut short by the deadline or the limit."""

    spans: list[SpanRow]
    partial: bool


class FoundSamples(msgspec.Struct, frozen=True):
    """Samples by series and time; `partial` when cut short by the deadline or the limit."""

    samples: list[SampleRow]
    partial: bool


class Size(msgspec.Struct, frozen=True):
    """Log records between the oldest and the newest, which is close; ids are None while nothing is held.

    `bytes` is everything on disk, of all signals.
    """

    rows: int
    bytes: int
    oldest_id: int | None
    newest_id: int | None


class LogStore(Protocol):
    async def append(self, batches: Sequence[Batch]) -> list[StoredRow]:
        """Stores what is new, durably, in one transaction; returns the log records among it. Those that are held
        already are left out of the answer.

        Raises StorageFullError or StorageFailedError, and has then stored nothing.
        """

    async def read(
        self, wanted: LogFilter, *, limit: int, before: int | None = None, after: int | None = None
    ) -> Found: ...

    async def histogram(self, wanted: LogFilter, *, width_ms: int) -> tuple[Histogram, bool]:
        """Counts in `[from_ms, to_ms)`, both needed; the flag is `partial`."""

    async def facets(self, wanted: LogFilter) -> tuple[Facets, bool]:
        """Counts by level and by source; the flag is `partial`."""

    async def place(self, source: str) -> Place: ...

    async def size(self) -> Size: ...


class TraceStore(Protocol):
    async def traces(self, wanted: SpanFilter, *, limit: int, before: int | None = None) -> FoundTraces:
        """Traces that have a span which is asked for."""

    async def trace(self, trace_id: str) -> FoundSpans:
        """Empty when nothing of it is kept. Its log records: `LogStore.read` by trace id."""

    async def services(self) -> dict[str, list[str]]:
        """The names of spans by service, of what is kept lately; both lists are bounded."""


class SampleStore(Protocol):
    async def samples(self, name: str, labels: Mapping[str, str], *, from_ms: int, to_ms: int) -> FoundSamples:
        """Samples of the series that have all these labels, in `[from_ms, to_ms)`."""

    async def metrics(self) -> list[MetricName]:
        """By name."""

    async def label_values(self, name: str, label: str) -> list[str]: ...


class TelemetryStore(LogStore, TraceStore, SampleStore, Protocol):
    """All of it."""
