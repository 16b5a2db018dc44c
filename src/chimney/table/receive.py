"""The OTLP receiver: POST /v1/logs, /v1/traces, /v1/metrics. Plain ASGI; 200 means that the rows are durable.

Bounded in every direction: bytes in a request, bytes of all requests that are not answered yet, rows that are made at
a time, the time that a request may take. What is over a bound is refused with 503 and counted; the sender tries again.
A request that was stored but not answered is known by its content when it comes again, and is stored once.
"""

import asyncio
import contextlib
import hashlib
import hmac
import itertools
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from chimney.core.otlp import logs, metrics, spans
from chimney.core.otlp.limits import Services
from chimney.core.otlp.metrics import Series
from chimney.core.otlp.rejected import Rejected
from chimney.store.errors import StoreError
from chimney.store.telemetry import Batch
from chimney.table import otlp_answers
from chimney.table.body import Body
from chimney.table.ingest import Ingest
from chimney.table.refused import Refusals
from chimney.table.unpack import (
    COUNTS,
    LARGEST,
    RefusedError,
    Signal,
    is_zipped,
    media_of,
    message_of,
    too_large,
    unzip,
)
from chimney.web.asgi import Receive, Scope, Send
from chimney.web.record import RequestRecord, record_of
from chimney.web.same_origin import foreign, rebound
from chimney.wire.telemetry import SpanRow

PENDING_BYTES = 64 * 1024**2  # of all requests that are not answered yet
ROWS = 1_000  # made and stored at a time: ~1.5 MB
BODY_SECONDS = 20.0
STORE_SECONDS = 8.0  # SDKs give up after ten
REMEMBERED = 4_096  # requests that were answered, by 16 bytes of their content
RETRY_SECONDS = 2
OTLP = ("application/json", "application/x-protobuf")
DENIED = frozenset((400, 401, 413, 415))  # what a sender with wrong settings is told
_ROUTES = {f"/v1/{signal}": signal for signal in Signal}
T = TypeVar("T")


class Receiver:
    """ASGI. `rows` counts what was stored by signal, `rejected` what was left out of requests that were taken."""

    def __init__(
        self,
        ingest: Ingest,
        *,
        token: str | None,
        reserved: frozenset[str],
        heard: Callable[[Sequence[SpanRow]], None] = lambda _spans: None,
    ) -> None:
        self._ingest = ingest
        self._heard = heard
        self._token = token.encode() if token else None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="otlp-read")
        self._pending_bytes = 0
        self._answered: OrderedDict[bytes, int] = OrderedDict()
        self.services = Services(reserved)
        self.series = Series()
        self.rows: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self.refusals = Refusals()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        record = record_of(scope)
        signal = _ROUTES.get(record.path)
        record.route = record.path if signal else "unmatched"
        content_type = record.headers.get(b"content-type", b"").decode("latin-1")
        body = Body(receive)
        try:
            answer, media = await self._take(signal, record, body)
        except RefusedError as error:
            record.error = error.message if error.status == 503 else None
            if signal and error.status in DENIED and content_type.partition(";")[0] in OTLP:
                self.refusals.deny(f"{error.status}: {error.message}", now=time.time())
            await body.discard()
            await otlp_answers.refuse(send, error, content_type)
        else:
            await otlp_answers.accept(send, answer, media)

    async def _take(self, signal: Signal | None, record: RequestRecord, body: Body) -> tuple[bytes, str]:
        self._allow(record)
        if signal is None:
            raise RefusedError(404, "OTLP is taken at /v1/logs, /v1/traces and /v1/metrics.")
        if record.method != "POST":
            raise RefusedError(405, "OTLP is sent with POST.")
        media = media_of(record.headers.get(b"content-type", b"").decode("latin-1"))
        zipped = is_zipped(record.headers.get(b"content-encoding", b"").decode("latin-1"))
        with contextlib.ExitStack() as held:
            sent = await self._read(record, body, held)
            if zipped:
                sent = await self._in_thread(lambda: unzip(sent))
                self._hold(len(sent), held)
            answer = await self._store(signal, sent, media)
        return answer, media

    def _allow(self, record: RequestRecord) -> None:
        """Raises RefusedError. Without a token the table listens on this machine only, the settings see to that."""
        if where := foreign(record):
            raise RefusedError(403, f"This request was sent by {where}; pages may not send telemetry here.")
        if self._token is None and rebound(record):
            name = "CHIMNEY_TABLE_OTLP_TOKEN"
            raise RefusedError(
                403, f"Without {name} only this machine itself is answered, by its address or as localhost."
            )
        if self._token is None:
            return
        header = record.headers.get(b"authorization", b"")
        given = header[7:].strip() if header[:7].lower() == b"bearer " else b""
        if not hmac.compare_digest(given, self._token):
            raise RefusedError(401, "Send the token of CHIMNEY_TABLE_OTLP_TOKEN as Authorization: Bearer.")

    def _hold(self, size: int, held: contextlib.ExitStack) -> None:
        """Accounts for bytes until the request is answered. Raises RefusedError 503 when there are too many."""
        if self._pending_bytes + size > PENDING_BYTES:
            raise self._overloaded("More is being sent than can be stored.")
        self._pending_bytes += size
        held.callback(self._release, size)

    def _release(self, size: int) -> None:
        self._pending_bytes -= size

    def _overloaded(self, why: str, *, rows: int = 0) -> RefusedError:
        self.refusals.note(rows, why, now=time.time())
        return RefusedError(503, f"{why} Try again.", retry_after=RETRY_SECONDS)

    async def _read(self, record: RequestRecord, body: Body, held: contextlib.ExitStack) -> bytes:
        said = record.headers.get(b"content-length", b"")
        if said.isdigit() and int(said[:20]) > LARGEST:
            raise too_large()
        found = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while not body.ended:
                    chunk = await body.chunk()
                    found += chunk
                    if len(found) > LARGEST:
                        raise too_large()
                    self._hold(len(chunk), held)
        except TimeoutError:
            raise RefusedError(408, f"The body was not here within {BODY_SECONDS:.0f} s.") from None
        return bytes(found)

    async def _in_thread(self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, act)

    async def _store(self, signal: Signal, body: bytes, media: str) -> bytes:
        """The answer, when everything that can be kept is durable."""
        digest = await self._in_thread(lambda: hashlib.blake2b(body, digest_size=12).digest())
        message = await self._in_thread(lambda: message_of(signal, body, media=media))
        if self._ingest.full_since is not None:
            rows = await self._in_thread(lambda: COUNTS[signal](message))
            raise self._overloaded("Nothing can be stored at the moment.", rows=rows)
        rejected = Rejected()
        key = digest + self._answered.get(digest, 0).to_bytes(4)
        making = self._batches(signal, message, rejected, key)
        stored = 0
        try:
            async with asyncio.timeout(STORE_SECONDS):
                while batches := await self._in_thread(lambda: next(making, None)):
                    await asyncio.gather(*(self._ingest.offer(one) for one in batches))
                    for one in batches:
                        stored += len(one.records) + len(one.spans) + len(one.samples)
                        self._heard(one.spans)
        except (StoreError, TimeoutError) as error:
            rows = await self._in_thread(lambda: COUNTS[signal](message)) - stored
            why = "It took too long to store." if isinstance(error, TimeoutError) else "It could not be stored."
            raise self._overloaded(why, rows=rows) from None
        self._remember(digest)
        self.rows[signal] += stored
        self.rejected[signal] += rejected.count
        return otlp_answers.success(signal, media, rejected=rejected.count, reason=rejected.reason)

    def _remember(self, digest: bytes) -> None:
        """The same content again is another request from now on: who was answered does not repeat itself."""
        self._answered[digest] = self._answered.pop(digest, 0) + 1
        if len(self._answered) > REMEMBERED:
            self._answered.popitem(last=False)

    def _batches(self, signal: Signal, message: Any, rejected: Rejected, key: bytes) -> Iterator[list[Batch]]:
        """Batches by source, a thousand rows at a time."""
        now_ms = int(time.time() * 1000)
        numbers = itertools.count()
        rows = self._rows(signal, message, rejected, now_ms)
        while part := list(itertools.islice(rows, ROWS)):
            by_source: dict[str, list[Any]] = {}
            for source, row in part:
                by_source.setdefault(source, []).append(row)
            yield [
                _batch(signal, source, found, key + next(numbers).to_bytes(4)) for source, found in by_source.items()
            ]

    def _rows(self, signal: Signal, message: Any, rejected: Rejected, now_ms: int) -> Iterator[tuple[str, Any]]:
        def shown(service: str) -> str:
            return self.services.shown(service, now_ms)

        if signal is Signal.LOGS:
            yield from logs.records(message, now_ms=now_ms, named=shown)
        elif signal is Signal.TRACES:
            yield from ((one.service, one) for one in spans.spans(message, rejected, now_ms=now_ms, named=shown))
        else:
            made = metrics.samples(message, rejected, self.series, now_ms=now_ms, named=shown)
            yield from ((one.source, one) for one in made)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


def _batch(signal: Signal, source: str, rows: list[Any], key: bytes) -> Batch:
    if signal is Signal.LOGS:
        return Batch(source, records=rows, key=key)
    return Batch(source, spans=rows, key=key) if signal is Signal.TRACES else Batch(source, samples=rows, key=key)
