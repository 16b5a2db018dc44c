"""GitHub's webhook deliveries: taken when they are signed, durable before they are answered, worked off behind.

Plain ASGI, because nothing may be parsed before the signature over the raw bytes was found right. At most 32 MiB of
bodies are held at a time, and each must be here within ten seconds: whoever has no secret can cost no more than that.
"""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, Protocol

import msgspec
from litestar import get
from litestar.params import FromQuery, QueryParameter

from chimney.core.delivery import OTHER, Delivery, in_words, label_of
from chimney.github.webhook import (
    BODY_LIMIT,
    BadSignatureError,
    Head,
    RefusedError,
    Signature,
    is_shaped,
    read_delivery,
    read_head,
)
from chimney.origin.events import Says
from chimney.origin.patches import Applied
from chimney.store.deliveries import Arrival, DeliveryLog, Finished
from chimney.store.errors import StoreError
from chimney.web.asgi import Receive, Scope, Send, respond
from chimney.web.problem import ProblemError, method_not_allowed, not_found
from chimney.web.record import record_of
from chimney.wire.base import Page, stamp
from chimney.wire.health import WebhooksHealth
from chimney.wire.problem import Fault
from chimney.wire.webhook import DeliveryAccepted, DeliveryRecord, Outcome

PATH = "/api/webhooks/github"
HELD_BYTES = 32 * 1024 * 1024
BODY_SECONDS = 10.0
LARGE = 256 * 1024  # hashing less takes under a millisecond
WAITING = 1_000  # deliveries being written; GitHub gives up after ten seconds
QUEUE, AT_ONCE = 200, 50
TOLD_SECONDS = 60.0  # a stranger who keeps trying must not fill the log
log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_JSON = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


class Applies(Protocol):
    async def apply(self, deliveries: list[Delivery]) -> list[Applied]: ...


class Webhooks:
    """ASGI at `path`, and the loop that works off what was taken. `counts` are by event and result."""

    path = PATH

    def __init__(
        self,
        kept: DeliveryLog,
        patches: Applies,
        events: Says,
        *,
        secret: str | None,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._kept = kept
        self._patches = patches
        self._events = events
        self._secret = secret
        self._body_seconds = body_seconds
        self._held = 0
        self._queue: deque[Arrival] = deque()
        self._behind = True  # there may be more in the store than in the queue
        self._place = 0  # in the store: what was worked off up to here is not looked at again
        self._told = -TOLD_SECONDS
        self.counts: Counter[tuple[str, str]] = Counter()
        self.rejected = 0
        self.mis_signed = 0
        self.mis_signed_at: float | None = None
        self.last_at: float | None = None
        self.nudge: Callable[[], None] = lambda: None
        self.on_gap: Callable[[], None] = lambda: None
        self.on_work: Callable[[list[Delivery]], Awaitable[None]] = _nothing
        self.on_taken: Callable[[], None] = lambda: None

    @property
    def configured(self) -> bool:
        return self._secret is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        record = record_of(scope)
        if scope["path"] != PATH:
            raise not_found(scope["path"][:200])
        record.route = PATH
        if record.method != "POST":
            raise method_not_allowed(record.method, ["POST"])
        label = label_of(record.headers.get(b"x-github-event", b"").decode("latin-1"))
        try:
            accepted = await self._take(scope, receive)
        except ProblemError as error:
            self.counts[label if self._secret else OTHER, _RESULTS.get(error.status, "refused")] += 1
            if error.status in (503, 408) and self._secret:
                self.on_gap()
            raise
        self.counts[label, "duplicate" if accepted.duplicate else "accepted"] += 1
        await respond(send, 202, _encode(accepted), _JSON)

    async def _take(self, scope: Scope, receive: Receive) -> DeliveryAccepted:
        """Raises ProblemError for everything that is not a delivery of GitHub's."""
        if self._secret is None:
            detail = "No webhook secret is configured. Set CHIMNEY_WEBHOOK_SECRET to the one that GitHub has."
            raise ProblemError(503, "not-configured", detail)
        headers = scope["headers"]
        if _said_length(record_of(scope).headers) > BODY_LIMIT:
            raise _too_large()
        async with self._body(receive, headers, self._secret) as body:
            head, delivery = await _read(headers, body)
        arrival = Arrival(head.id, time.time(), delivery)
        if self._kept.waiting >= WAITING:
            raise _busy("too many deliveries are being written")
        try:
            new = await self._kept.add(arrival)
        except StoreError as error:
            detail = f"The delivery was not recorded: {error}. Redeliver it."
            raise ProblemError(503, "storage-full", detail, headers=[(b"retry-after", b"10")]) from None
        self.last_at = arrival.received_at
        self.on_taken()
        if new:
            self._enqueue(arrival)
        return DeliveryAccepted(id=head.id, event=head.event, duplicate=not new)

    @asynccontextmanager
    async def _body(
        self, receive: Receive, headers: list[tuple[bytes, bytes]], secret: str
    ) -> AsyncIterator[bytearray]:
        """The body, when it is signed. Its bytes count as held until the end of the block."""
        body = bytearray()
        try:
            signature = Signature(secret, headers)
            async with asyncio.timeout(self._body_seconds):
                await self._receive(receive, signature, body)
            signature.check()
            yield body
        except BadSignatureError:
            self._note_mis_signed(headers)
            raise self._reject() from None
        except TimeoutError:
            detail = f"The body was not here within {self._body_seconds:g} s."
            raise ProblemError(408, "too-slow", detail, headers=[(b"connection", b"close")]) from None
        finally:
            self._held -= len(body)

    async def _receive(self, receive: Receive, signature: Signature, body: bytearray) -> None:
        more = True
        while more:
            event = await receive()
            if event["type"] != "http.request":
                raise ProblemError(400, "malformed", "The request broke off.")
            piece = event.get("body", b"")
            more = event.get("more_body", False)
            if len(body) + len(piece) > BODY_LIMIT:
                raise _too_large()
            if self._held + len(piece) > HELD_BYTES:
                raise _busy("other large deliveries are being read")
            body += piece
            self._held += len(piece)
            if len(piece) > LARGE:
                await asyncio.to_thread(signature.update, piece)
            else:
                signature.update(piece)

    def _note_mis_signed(self, headers: list[tuple[bytes, bytes]]) -> None:
        """Whoever just knocks sends no delivery: only what has all that GitHub's have tells of a wrong secret."""
        if is_shaped(headers):
            self.mis_signed += 1
            self.mis_signed_at = time.time()

    def _reject(self) -> ProblemError:
        self.rejected += 1
        if time.monotonic() - self._told > TOLD_SECONDS:
            self._told = time.monotonic()
            log.warning("webhook deliveries are refused: not signed with our secret (%d so far)", self.rejected)
        detail = "The delivery is not signed with this origin's CHIMNEY_WEBHOOK_SECRET. Set the same secret at GitHub."
        return ProblemError(401, "bad-signature", detail)

    def _enqueue(self, arrival: Arrival) -> None:
        if len(self._queue) < QUEUE:
            self._queue.append(arrival)
        else:
            self._behind = True
        self.nudge()

    async def work(self) -> float:
        """A loop's verb: works off what was taken, first what a process before this one left."""
        while self._queue or self._behind:
            if self._behind and not self._queue:
                arrivals, place = await self._kept.pending(AT_ONCE, after=self._place)
                self._behind, self._place = place > self._place, place
            else:
                arrivals = [self._queue.popleft() for _ in range(min(AT_ONCE, len(self._queue)))]
            if arrivals:
                await self._work_off(arrivals)
        return 60.0

    async def _work_off(self, arrivals: list[Arrival]) -> None:
        try:
            applied = await self._patches.apply([one.delivery for one in arrivals])
            await self.on_work([one.delivery for one in arrivals])
        except Exception:
            log.exception("webhook deliveries could not be worked off")
            applied = [Applied(Outcome.FAILED, []) for _ in arrivals]
        told = [Finished(one.id, did.result, did.changed) for one, did in zip(arrivals, applied, strict=True)]
        for arrival, done in zip(arrivals, told, strict=True):
            self._say(arrival, done)
        self._kept.finish(told)

    def _say(self, arrival: Arrival, done: Finished) -> None:
        delivery = arrival.delivery
        what = f"{in_words(delivery)}: {done.result}, {len(done.changed)} stored responses changed"
        self._events.say(
            "webhook",
            what,
            level=logging.WARNING if done.result is Outcome.FAILED else logging.INFO,
            id=arrival.id,
            event=delivery.event,
            action=delivery.action,
            repo=delivery.repo,
            result=done.result,
            changed=len(done.changed),
        )

    async def page(self, *, limit: int, before: str | None) -> Page[DeliveryRecord]:
        if before is not None and not (before.isascii() and before.isdigit() and len(before) < 19):
            fault = Fault(path="query.before", detail="should be the `next` of a page")
            raise ProblemError(400, "malformed", "query.before: should be the `next` of a page", errors=[fault])
        items, following = await self._kept.page(limit=limit, before=int(before) if before else None)
        return Page(items=items, next=str(following) if following else None)

    def health(self) -> WebhooksHealth:
        return WebhooksHealth(
            configured=self.configured,
            last_at=stamp(self.last_at) if self.last_at else None,
            rejected=self.rejected,
            mis_signed=self.mis_signed,
            mis_signed_at=stamp(self.mis_signed_at) if self.mis_signed_at else None,
        )


async def _nothing(_deliveries: list[Delivery]) -> None:
    """What somebody else makes of deliveries, where nobody does."""


_RESULTS = {401: "rejected", 408: "too_slow", 413: "too_large", 503: "not_taken"}


def _said_length(headers: dict[bytes, bytes]) -> int:
    said = headers.get(b"content-length", b"")
    return int(said) if said.isdigit() and len(said) < 19 else 0


async def _read(headers: list[tuple[bytes, bytes]], body: bytearray) -> tuple[Head, Delivery]:
    try:
        head = read_head(headers)
        large = len(body) > LARGE
        return head, await asyncio.to_thread(read_delivery, head, body) if large else read_delivery(head, body)
    except RefusedError as error:
        fault = Fault(path=error.fault, detail=str(error))
        raise ProblemError(400, "malformed", f"{error.fault}: {error}", errors=[fault]) from None


def _too_large() -> ProblemError:
    detail = "A delivery is at most 25 MiB."
    return ProblemError(413, "too-large", detail, headers=[(b"connection", b"close")])


def _busy(why: str) -> ProblemError:
    return ProblemError(503, "busy", f"The delivery was not taken: {why}.", headers=[(b"retry-after", b"5")])


Limit = Annotated[int, QueryParameter(ge=1, le=500, description="At most so many, 1 to 500.")]


def routes(webhooks: Webhooks, *, read_scope: Any) -> list[Any]:
    @get("/api/webhooks/deliveries", guards=[read_scope], summary="Webhook deliveries", tags=["webhooks"])
    async def deliveries(limit: Limit = 50, before: FromQuery[str | None] = None) -> Page[DeliveryRecord]:
        """Newest first, with what each changed. The last 5,000 are kept."""
        return await webhooks.page(limit=limit, before=before)

    return [deliveries]
