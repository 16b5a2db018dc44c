"""One receiver of notifications: what it is to be told, when, and what became of it."""

import asyncio
import hashlib
import logging
import random
import time
from collections.abc import Callable

from chimney.config import NotifyTarget
from chimney.core.facts import Sighting
from chimney.core.message import Kind, Message, message_of
from chimney.core.notify import Digest, Memory, Wanted, after, digest, undelivered
from chimney.store.errors import StoreError
from chimney.store.notifications import NotifyLog
from chimney.table.notify.causes import Now
from chimney.table.notify.senders import Sender, SendError
from chimney.wire.base import stamp
from chimney.wire.notification import NotifyTargetState, NotifyTested, SentNotification

EVERY_SECONDS = 1.0
FIRST_RETRY_SECONDS = 5.0
LONGEST_WAIT = 600.0
TEST = Message("chimney: a test", "This is a test of chimney's notifications. Nothing is wrong.", Kind.INFO)
_jitter = random.Random()  # noqa: S311 — spreads retries
log = logging.getLogger(__name__)


def identity(target: NotifyTarget) -> str:
    """Stays the same while the address does, and does not tell it."""
    return hashlib.blake2b(target.url.get_secret_value().encode(), digest_size=6, person=b"chimney notify").hexdigest()


class Receiver:
    """`deliver` is the verb of a loop: one message at a time. `noted` hears of every attempt."""

    def __init__(
        self,
        target: NotifyTarget,
        sender: Sender,
        kept: NotifyLog,
        *,
        now: Callable[[], Now],
        public_url: str | None,
        wait: float,
        interval: float,
        noted: Callable[[SentNotification], None],
    ) -> None:
        self.id = identity(target)
        self._target = target
        self._sender = sender
        self._kept = kept
        self._now = now
        self._public_url = public_url
        self._wait = wait
        self._interval = interval
        self._noted = noted
        self._wanted = Wanted(
            severities=frozenset(target.severities),
            origins=frozenset(target.origins),
            events=frozenset(target.events),
        )
        self._memory = Memory(since=stamp(time.time()))
        self._pending_since: float | None = None
        self._attempted = 0.0
        self._retry_at = 0.0
        self._last_sent: float | None = None
        self._error: str | None = None
        self._failures = 0
        self._failing_since = 0.0
        self._queued = 0
        self._sent = 0
        self._one_at_a_time = asyncio.Lock()

    def recall(self, memory: Memory) -> None:
        self._memory = memory

    @property
    def service(self) -> str:
        return self._target.url.get_secret_value().partition("://")[0].lower()

    @property
    def label(self) -> str:
        return f"{self._target.name} ({self.service})" if self._target.name else self.service

    def trouble(self) -> Sighting | None:
        """Why nobody is told, since when, after how many attempts; None while it goes well."""
        if not self._failures:
            return None
        return Sighting(at=stamp(self._failing_since), text=self._error or "", count=self._failures)

    def state(self) -> NotifyTargetState:
        return NotifyTargetState(
            id=self.id,
            service=self.service,
            name=self._target.name,
            severities=[str(one) for one in self._target.severities],
            origins=list(self._target.origins),
            events=[str(one) for one in self._target.events],
            last_sent_at=stamp(self._last_sent) if self._last_sent else None,
            last_error=self._error,
            failures=self._failures,
            queued=self._queued,
            sent=self._sent,
            dropped=self._memory.dropped,
        )

    async def deliver(self) -> float:
        now = time.time()
        told = self._due()
        self._queued = told.count
        if not told.count:
            self._pending_since = None
            if told.gone:
                await self._remember(after(self._memory, told, now=stamp(now)), None)
            return EVERY_SECONDS
        self._pending_since = self._pending_since or now
        due = max(self._pending_since + self._wait, self._attempted + self._interval, self._retry_at)
        if now < due:
            return min(EVERY_SECONDS, due - now)
        await self._tell(told)
        return EVERY_SECONDS

    def _due(self) -> Digest:
        known = self._now()
        return digest(
            self._memory,
            known.causes,
            wanted=self._wanted,
            silent=known.silent,
            hidden=known.hidden,
            resolving=known.resolving,
        )

    async def _tell(self, told: Digest) -> None:
        now = stamp(time.time())
        message = message_of(told, url=self._public_url, now=now, template=self._target.template)
        self._attempted = time.time()
        error = await self._send(message, told)
        if error is None:
            self._pending_since, self._retry_at = None, 0.0
            self._queued = 0
            memory = after(self._memory, told, now=now)
        else:
            wait = min(LONGEST_WAIT, FIRST_RETRY_SECONDS * 2.0 ** (self._failures - 1))
            self._retry_at = time.time() + wait * _jitter.uniform(0.8, 1.2)
            memory = undelivered(self._memory, told)
        await self._remember(memory, self._note(message, error))

    async def _send(self, message: Message, told: Digest | None) -> str | None:
        """Why it was not delivered; None when it was."""
        try:
            async with self._one_at_a_time:
                await self._sender.send(message, told)
        except SendError as error:
            self._failing_since = self._failing_since if self._failures else time.time()
            self._failures += 1
            self._error = str(error)
            log.warning("a notification could not be delivered: %s", error, extra={"target": self.id})
            return self._error
        self._failures, self._error = 0, None
        self._last_sent = time.time()
        self._sent += 1
        return None

    def _note(self, message: Message, error: str | None) -> SentNotification:
        sent = SentNotification(
            at=stamp(time.time()), target=self.id, title=message.title, ok=error is None, error=error
        )
        self._noted(sent)
        return sent

    async def _remember(self, memory: Memory, sent: SentNotification | None) -> None:
        self._memory = memory
        try:
            await self._kept.save(self.id, memory, sent)
        except StoreError as error:
            log.warning("what a receiver was told cannot be stored: %s", error, extra={"target": self.id})

    async def test(self) -> NotifyTested:
        """A message that says it is a test, at once."""
        error = await self._send(TEST, None)
        await self._remember(self._memory, self._note(TEST, error))
        return NotifyTested(ok=error is None, error=error)
