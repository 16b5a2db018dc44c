"""Signed webhook deliveries. Sending never holds up the API: what does not fit the queue is recorded as not sent.

GitHub never sends a failed delivery again by itself, and gives up on a receiver after ten seconds; so does this.
"""

import asyncio
import hashlib
import hmac
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

import httpx2

from chimney.standin.bodies.base import View
from chimney.standin.payloads import payload, ping
from chimney.standin.repository import Happening

TIMEOUT = 10.0
QUEUED = 2_000
KEPT = 500  # deliveries that can be listed and sent again; a payload is about 2.5 kB compressed
HOOK = 512_044_718


@dataclass(slots=True, kw_only=True)
class Delivery:
    """`status_code` 0: not answered (yet), `status` says why, in GitHub's words."""

    id: int
    guid: str
    event: str
    action: str | None
    at: float
    packed: bytes
    redelivery: bool = False
    duration: float = 0.0
    status: str = "pending"
    status_code: int = 0
    response: str = ""
    request_headers: dict[str, str] = field(default_factory=dict)

    @property
    def payload(self) -> bytes:
        return zlib.decompress(self.packed)


class Hook:
    """One webhook for all events. Without a URL nothing is recorded and nothing is sent."""

    def __init__(
        self, *, url: str | None, secret: str | None, seed: int, view: Callable[[], View], real: Callable[[], float]
    ) -> None:
        self.url = url
        self._secret = secret
        self._random = Random(f"deliveries {seed}")
        self._view = view
        self._real = real
        self._queue: deque[Delivery] = deque()
        self._wake = asyncio.Event()
        self._last_id = 30_211_004_417
        self.deliveries: deque[Delivery] = deque(maxlen=KEPT)

    def hear(self, happening: Happening) -> None:
        if self.url is not None:
            self._enqueue(happening.event, happening.action, payload(self._view(), happening))

    def ping(self) -> None:
        if self.url is not None:
            self._enqueue("ping", None, ping(self._view(), hook=HOOK, url=self.url))

    def again(self, delivery: Delivery) -> Delivery:
        """The same payload under the same GUID, as a delivery of its own."""
        return self._add(delivery.guid, delivery.event, delivery.action, delivery.packed, redelivery=True)

    def find(self, delivery: int) -> Delivery | None:
        return next((one for one in self.deliveries if one.id == delivery), None)

    def _enqueue(self, event: str, action: str | None, body: bytes) -> None:
        guid = str(UUID(int=self._random.getrandbits(128), version=4))
        self._add(guid, event, action, zlib.compress(body, 1))

    def _add(self, guid: str, event: str, action: str | None, packed: bytes, *, redelivery: bool = False) -> Delivery:
        self._last_id += self._random.randint(1, 900)
        delivery = Delivery(
            id=self._last_id, guid=guid, event=event, action=action, at=self._real(), packed=packed,
            redelivery=redelivery,
        )  # fmt: skip
        self.deliveries.append(delivery)
        if len(self._queue) < QUEUED:
            self._queue.append(delivery)
            self._wake.set()
        else:
            delivery.status = "throttled"
        return delivery

    async def send(self, client: httpx2.AsyncClient) -> None:
        """One after another, for ever."""
        while True:
            while self._queue:
                await self._send(client, self._queue.popleft())
            self._wake.clear()
            await self._wake.wait()

    async def _send(self, client: httpx2.AsyncClient, delivery: Delivery) -> None:
        body = delivery.payload
        delivery.request_headers = self._headers(delivery, body)
        began = self._real()
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await client.post(
                    self.url or "", content=body, headers=delivery.request_headers, timeout=TIMEOUT
                )
            delivery.status_code, delivery.response = answer.status_code, answer.text[:2_000]
            delivery.status = "OK" if answer.is_success else f"Invalid HTTP Response: {answer.status_code}"
        except TimeoutError:
            delivery.status = "timed out"
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            delivery.status = "timed out" if isinstance(error, httpx2.TimeoutException) else "failed to connect to host"
        delivery.duration = round(self._real() - began, 3)

    def _headers(self, delivery: Delivery, body: bytes) -> dict[str, str]:
        headers = {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/51a4c9d",
            "X-GitHub-Delivery": delivery.guid,
            "X-GitHub-Event": delivery.event,
            "X-GitHub-Hook-ID": str(HOOK),
            "X-GitHub-Hook-Installation-Target-ID": str(self._view().repo.id),
            "X-GitHub-Hook-Installation-Target-Type": "repository",
        }
        if self._secret:
            key = self._secret.encode()
            headers["X-Hub-Signature"] = f"sha1={hmac.new(key, body, hashlib.sha1).hexdigest()}"
            headers["X-Hub-Signature-256"] = f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}"
        return headers
