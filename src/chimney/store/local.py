"""Telemetry kept on this machine: a TelemetryStore.

What `append` returned is durable. Rows are in the journal and in memory first, then sealed in segments. Writing is in
one thread, searching and sealing in others, so neither delays a record.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from chimney.core.log_filter import LogFilter
from chimney.core.span_filter import SpanFilter
from chimney.store.deadline import Deadline
from chimney.store.engine import MEMORY_BYTES, THREADS, Engine
from chimney.store.errors import StorageFullError
from chimney.store.frames import Signal
from chimney.store.hot import Chunk
from chimney.store.sealed import Sealed
from chimney.store.searching import Search
from chimney.store.segments import Segment, Segments
from chimney.store.telemetry import Batch, Found, FoundSamples, FoundSpans, FoundTraces, Place, Size, StoredRow
from chimney.store.usage import Usage
from chimney.store.vault import SEAL_ROWS, Limits, Vault
from chimney.wire.telemetry import Facets, Histogram, MetricName

READ_SECONDS = 2.0
READERS = 2
T = TypeVar("T")


class LocalStore:
    """A TelemetryStore. Nothing is opened before `open`."""

    def __init__(
        self,
        folder: Path,
        *,
        read_seconds: float = READ_SECONDS,
        seal_rows: int = SEAL_ROWS,
        memory_bytes: int = MEMORY_BYTES,
        threads: int = THREADS,
    ) -> None:
        self._engine = Engine(memory_bytes=memory_bytes, threads=threads)
        self._files = Segments(folder / "segments", self._engine)
        self._vault = Vault(folder, self._files, seal_rows=seal_rows)
        self._read_seconds = read_seconds
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="store-write")
        self._read_threads = ThreadPoolExecutor(READERS, thread_name_prefix="store-read")
        self._seal_thread = ThreadPoolExecutor(1, thread_name_prefix="store-seal")
        self._closed = False

    @property
    def damage(self) -> str | None:
        """What was set aside, in sentences."""
        return "; ".join(self._vault.damage) or None

    async def open(self) -> None:
        """Raises FolderError when the folder cannot be used; `damage` then or later says what was set aside."""
        await self._writing(self._vault.open)
        if self._vault.kept.segments():
            self._read_threads.submit(self._engine.warm)

    async def append(self, batches: Sequence[Batch]) -> list[StoredRow]:
        return await self._writing(lambda: self._vault.append(batches))

    async def place(self, source: str) -> Place:
        return await self._writing(lambda: self._vault.place(source))

    async def size(self) -> Size:
        return await self._writing(self._vault.size)

    async def usage(self) -> Usage:
        return await self._writing(self._vault.usage)

    async def seal(self) -> bool:
        """Seals the rows of one signal when they are due; whether it did."""
        for signal in Signal:
            chunks = await self._writing(partial(self._vault.due, signal))
            if chunks:
                segment = await self._sealed(signal, chunks)
                await self._writing(partial(self._vault.sealed, segment, chunks[-1].last_id))
                return True
        return False

    async def _sealed(self, signal: Signal, chunks: Sequence[Chunk]) -> Segment:
        try:
            return await self._sealing(partial(self._files.seal, signal, chunks))
        except StorageFullError:
            if not await self._writing(self._vault.make_room):
                raise
            return await self._sealing(partial(self._files.seal, signal, chunks))

    async def verify(self) -> None:
        """Reads every segment once, so that damage is told before somebody asks for what was in it."""
        for segment in reversed(self._vault.kept.segments()):
            if not await self._sealing(partial(self._files.sound, segment)):
                await self._writing(partial(self._vault.lose, segment))

    async def retain(self, limits: Limits) -> bool:
        """Drops some of the oldest rows that are too old or too many; whether there may be more to drop."""
        return await self._writing(lambda: self._vault.retain(limits))

    async def read(
        self, wanted: LogFilter, *, limit: int, before: int | None = None, after: int | None = None
    ) -> Found:
        return await self._reading(lambda search: search.logs(wanted, limit=limit, before=before, after=after))

    async def histogram(self, wanted: LogFilter, *, width_ms: int) -> tuple[Histogram, bool]:
        return await self._reading(lambda search: search.histogram(wanted, width_ms=width_ms))

    async def facets(self, wanted: LogFilter) -> tuple[Facets, bool]:
        return await self._reading(lambda search: search.facets(wanted))

    async def traces(self, wanted: SpanFilter, *, limit: int, before: int | None = None) -> FoundTraces:
        return await self._reading(lambda search: search.traces(wanted, limit=limit, before=before))

    async def trace(self, trace_id: str) -> FoundSpans:
        return await self._reading(lambda search: search.trace(trace_id))

    async def services(self) -> dict[str, list[str]]:
        return await self._reading(lambda search: search.services())

    async def samples(self, name: str, labels: Mapping[str, str], *, from_ms: int, to_ms: int) -> FoundSamples:
        return await self._reading(lambda search: search.samples(name, labels, from_ms=from_ms, to_ms=to_ms))

    async def metrics(self) -> list[MetricName]:
        return await self._writing(self._vault.metrics)

    async def label_values(self, name: str, label: str) -> list[str]:
        return await self._reading(lambda search: search.label_values(name, label))

    async def close(self) -> None:
        """May be called twice."""
        if self._closed:
            return
        self._closed = True
        self._seal_thread.shutdown(wait=False, cancel_futures=True)
        await self._writing(self._vault.close)
        self._read_threads.shutdown(wait=False)
        self._write_thread.shutdown(wait=False)

    async def _writing(self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._write_thread, act)

    async def _sealing(self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._seal_thread, act)

    async def _reading(self, act: Callable[[Search], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._read_threads, lambda: act(self._search()))

    def _search(self) -> Search:
        chunks, segments = self._vault.kept.snapshot()
        deadline = Deadline(self._read_seconds)

        def sealed(signal: Signal) -> Sealed:
            return Sealed(self._files, self._engine, segments[signal], deadline, self._lose)

        return Search(chunks, sealed, deadline, forget_before_ms=self._vault.forget_before_ms)

    def _lose(self, segment: Segment) -> None:
        """From a reading thread: the writing one is to set it aside."""
        if not self._closed:
            self._write_thread.submit(self._vault.lose, segment)
