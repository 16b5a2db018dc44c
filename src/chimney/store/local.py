"""Telemetry kept on this machine: a TelemetryStore.

What `append` returned is durable. Writing is in one thread, searching in another, so a long search delays no record.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec

from chimney.core.log_filter import LogFilter
from chimney.core.span_filter import SpanFilter
from chimney.store.deadline import Deadline
from chimney.store.errors import StoreError
from chimney.store.frames import Signal, pack
from chimney.store.hot import CHUNK_ROWS, Chunk, Hot
from chimney.store.intake import Draft, Intake
from chimney.store.journal import Journal, drop_chunks, put_chunk, put_keys, put_names, put_sources
from chimney.store.names import Names
from chimney.store.searching import Held, Search
from chimney.store.telemetry import Batch, Found, FoundSamples, FoundSpans, FoundTraces, Place, Size, StoredRow
from chimney.wire.telemetry import Histogram, MetricName

READ_SECONDS = 2.0
T = TypeVar("T")


class LocalStore:
    """A TelemetryStore. Nothing is opened before `open`."""

    def __init__(self, folder: Path, *, read_seconds: float = READ_SECONDS) -> None:
        self._journal = Journal(folder / "journal.sqlite")
        self._read_seconds = read_seconds
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="store-write")
        self._read_thread = ThreadPoolExecutor(1, thread_name_prefix="store-read")
        self._hot = {signal: Hot() for signal in Signal}
        self._intake: Intake | None = None
        self._forget_before_ms = 0
        self._closed = False

    @property
    def damage(self) -> str | None:
        """What was set aside, in sentences."""
        return "; ".join(self._journal.damage) or None

    async def open(self) -> None:
        """Raises FolderError when the folder cannot be used; `damage` then or later says what was set aside."""
        await self._writing(self._known)

    async def append(self, batches: Sequence[Batch]) -> list[StoredRow]:
        return await self._writing(lambda: self._append(batches))

    async def place(self, source: str) -> Place:
        return await self._writing(lambda: self._known().source(source).place)

    async def size(self) -> Size:
        return await self._writing(self._size)

    async def prune(self, *, older_than_ms: int, max_bytes: int) -> bool:
        """Drops some of the oldest rows that are too old or too many; whether there may be more to drop."""
        return await self._writing(lambda: self._prune(older_than_ms, max_bytes))

    async def read(
        self, wanted: LogFilter, *, limit: int, before: int | None = None, after: int | None = None
    ) -> Found:
        return await self._reading(lambda search: search.logs(wanted, limit=limit, before=before, after=after))

    async def histogram(self, wanted: LogFilter, *, width_ms: int) -> tuple[Histogram, bool]:
        return await self._reading(lambda search: search.histogram(wanted, width_ms=width_ms))

    async def traces(self, wanted: SpanFilter, *, limit: int, before: int | None = None) -> FoundTraces:
        return await self._reading(lambda search: search.traces(wanted, limit=limit, before=before))

    async def trace(self, trace_id: str) -> FoundSpans:
        return await self._reading(lambda search: search.trace(trace_id))

    async def services(self) -> dict[str, list[str]]:
        return await self._reading(lambda search: search.services())

    async def samples(self, name: str, labels: Mapping[str, str], *, from_ms: int, to_ms: int) -> FoundSamples:
        return await self._reading(lambda search: search.samples(name, labels, from_ms=from_ms, to_ms=to_ms))

    async def metrics(self) -> list[MetricName]:
        known = await self._writing(lambda: dict(self._known().names.metrics))
        return sorted(known.values(), key=lambda one: one.name)

    async def label_values(self, name: str, label: str) -> list[str]:
        return await self._reading(lambda search: search.label_values(name, label))

    async def close(self) -> None:
        """May be called twice."""
        if self._closed:
            return
        self._closed = True
        await self._writing(self._journal.close)
        self._read_thread.shutdown(wait=False)
        self._write_thread.shutdown(wait=False)

    async def _writing(self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._write_thread, act)

    async def _reading(self, act: Callable[[Search], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._read_thread, lambda: act(self._search()))

    def _search(self) -> Search:
        chunks = {signal: hot.chunks for signal, hot in self._hot.items()}
        return Search(Held(chunks, self._forget_before_ms), Deadline(self._read_seconds))

    # in the writing thread

    def _known(self) -> Intake:
        if self._intake is None:
            for signal, chunk in self._journal.chunks():
                self._hot[signal].add(chunk)
            self._intake = Intake(
                next_ids=self._journal.next_ids(),
                keys=self._journal.keys(),
                names=Names(*self._journal.names()),
                source=self._journal.source,
            )
        return self._intake

    def _append(self, batches: Sequence[Batch]) -> list[StoredRow]:
        intake = self._known()
        draft = intake.draft(batches)
        chunks = draft.chunks()
        packed = [(signal, chunk, pack(chunk.lines)) for signal, chunk in chunks]
        try:
            self._journal.transaction(lambda db: _put(db, draft, packed, intake.names))
        except StoreError:
            intake.forget()
            raise
        intake.settle(draft)
        for signal, chunk, frame in packed:
            large = chunk.rows >= CHUNK_ROWS // 2
            self._hot[signal].add(msgspec.structs.replace(chunk, frame=frame, lines=()) if large else chunk)
        return draft.stored

    def _size(self) -> Size:
        self._known()
        chunks = self._hot[Signal.LOG].chunks
        oldest, newest = (chunks[0].first_id, chunks[-1].last_id) if chunks else (None, None)
        return Size(rows=self._hot[Signal.LOG].rows, bytes=self._journal.bytes(), oldest_id=oldest, newest_id=newest)

    def _prune(self, older_than_ms: int, max_bytes: int) -> bool:
        """Rows too old are not shown from now on; they go from the disk by chunks, the oldest first."""
        self._known()
        self._forget_before_ms = older_than_ms
        too_large = self._journal.bytes() > max_bytes
        dropped = False
        for signal, hot in self._hot.items():
            if hot.chunks and (too_large or hot.chunks[0].to_ms < older_than_ms):
                self._drop(signal, hot.chunks[0])
                dropped = True
        self._journal.give_back()
        return dropped

    def _drop(self, signal: Signal, chunk: Chunk) -> None:
        self._journal.transaction(lambda db: drop_chunks(db, signal, chunk.last_id))
        self._hot[signal].drop(chunk.last_id)


def _put(db: sqlite3.Connection, draft: Draft, packed: Sequence[tuple[Signal, Chunk, bytes]], names: Names) -> None:
    for signal, chunk, frame in packed:
        put_chunk(db, signal, chunk, frame=frame, held=draft.held if signal is Signal.LOG else {})
    put_sources(db, draft.sources)
    put_keys(db, draft.keys)
    put_names(db, names)
