"""Trying each step of the way to an origin, now: name, connection, certificate, health, tokens, stream.

What it asks changes nothing: the operate token is tried with an act that is no act, which an origin finds malformed
only when it comes from one who may act.
"""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import httpx2
import msgspec

from chimney.config import FollowedOrigin
from chimney.core.origin_check import UNTRIED, Place, remedy, untried
from chimney.core.redact import safe
from chimney.table.probe import classify
from chimney.wire.base import stamp
from chimney.wire.check import OriginCheck, Step, StepName
from chimney.wire.health import Health

SECONDS = 5.0
LARGEST = 1024**2
_health = msgspec.json.Decoder(Health).decode


class StepError(Exception):
    """Why a step does not go; `status` is what the origin answered."""

    def __init__(self, detail: str, status: int | None = None) -> None:
        super().__init__(detail)
        self.status = status


class _Checking:
    """One check of one origin."""

    def __init__(self, origin: FollowedOrigin, client: httpx2.AsyncClient) -> None:
        self._origin = origin
        self._client = client
        self._place = Place(origin.name, origin.url)

    async def steps(self) -> list[Step]:
        """The way there one after the other, until one fails; then what is at its end, each for itself."""
        way: dict[StepName, Callable[[], Awaitable[str]]] = {
            StepName.DNS: self._resolve,
            StepName.CONNECT: self._connect,
            StepName.TLS: self._shake,
            StepName.HEALTH: self._ask_health,
        }
        end = {
            StepName.READ_TOKEN: self._read,
            StepName.STREAM: self._listen,
            StepName.OPERATE_TOKEN: self._operate,
        }
        steps: list[Step] = []
        for name, act in way.items():
            if name is StepName.TLS and not self._place.secure:
                steps += untried([name], "the address is plain HTTP: what is said there is not encrypted")
                continue
            steps.append(await self._try(name, act))
            if steps[-1].ok is False:
                left = [one for one in (*way, *end) if one not in {step.step for step in steps}]
                return steps + untried(left, UNTRIED)
        return [*steps, *await asyncio.gather(*(self._try(name, act) for name, act in end.items()))]

    async def _try(self, name: StepName, act: Callable[[], Awaitable[str]]) -> Step:
        began = time.perf_counter()
        status: int | None = None
        try:
            async with asyncio.timeout(SECONDS):
                detail, ok = await act(), True
        except StepError as error:
            detail, ok, status = str(error), False, error.status
        except httpx2.HTTPError as error:
            detail, ok = classify(error).detail, False
        except TimeoutError:
            detail, ok = f"no answer within {SECONDS:g} s", False
        except OSError as error:
            detail, ok = error.strerror or str(error) or type(error).__name__, False
        return Step(
            step=name,
            ok=ok,
            detail=safe(detail, longest=300),
            remedy=None if ok else remedy(name, self._place, status=status),
            ms=round((time.perf_counter() - began) * 1000, 1),
        )

    async def _resolve(self) -> str:
        found = await asyncio.get_running_loop().getaddrinfo(
            self._place.host, self._place.port, type=socket.SOCK_STREAM
        )
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        return ", ".join(addresses[:8])

    async def _connect(self) -> str:
        _, writer = await asyncio.open_connection(self._place.host, self._place.port)
        peer = writer.get_extra_info("peername")
        writer.transport.abort()  # there is nothing to be said
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return f"connected to {peer[0]} port {peer[1]}"

    async def _shake(self) -> str:
        """In a thread: asyncio leaves a socket open when a handshake fails."""
        return await asyncio.to_thread(self._shaken)

    def _shaken(self) -> str:
        context, place = ssl.create_default_context(), (self._place.host, self._place.port)
        try:
            with (
                socket.create_connection(place, timeout=SECONDS) as plain,
                context.wrap_socket(plain, server_hostname=self._place.host) as secured,
            ):
                certificate, version = secured.getpeercert() or {}, secured.version()
        except ssl.SSLError as error:
            verified = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else None
            raise StepError(verified or error.reason or "the handshake failed") from None
        ends = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
        left = datetime.fromtimestamp(ends, UTC) - datetime.now(UTC)
        return f"{version}, the certificate is good for {left.days} days"

    async def _ask_health(self) -> str:
        status, body = await self._get("/healthz", None)
        if status != 200:
            raise StepError(f"GET /healthz answers {status}", status)
        try:
            health = _health(body)
        except (msgspec.DecodeError, RecursionError):
            raise StepError("what answers at /healthz is no origin of this kind", 404) from None
        return f"chimney {health.version} says that it is {health.status}"

    async def _get(self, path: str, token: str | None) -> tuple[int, bytes]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        async with self._client.stream("GET", self._origin.url + path, headers=headers) as answer:
            body = bytearray()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > LARGEST:
                    raise StepError(f"the answer is larger than {LARGEST} bytes", answer.status_code)
        return answer.status_code, bytes(body)

    def _read_token(self) -> str | None:
        token = self._origin.read_token or self._origin.operate_token
        return token.get_secret_value() if token else None

    async def _read(self) -> str:
        status, _ = await self._get("/api/edge", self._read_token())
        return _judged(status, {200}, token=self._read_token(), what="read token")

    async def _listen(self) -> str:
        token = self._read_token()
        headers = {"accept": "text/event-stream", **({"authorization": f"Bearer {token}"} if token else {})}
        async with self._client.stream("GET", self._origin.url + "/api/logs/stream", headers=headers) as answer:
            if answer.status_code != 200:
                raise StepError(f"GET /api/logs/stream answers {answer.status_code}", answer.status_code)
            async for chunk in answer.aiter_bytes():
                if b"event: hello" in chunk:
                    return "greeted"
        raise StepError("the stream ended without a greeting")

    async def _operate(self) -> str:
        token = self._origin.operate_token.get_secret_value() if self._origin.operate_token else None
        headers = {"authorization": f"Bearer {token}"} if token else {}
        answer = await self._client.post(self._origin.url + "/api/cache/invalidate", json={}, headers=headers)
        return _judged(answer.status_code, {400}, token=token, what="operate token")


def _judged(status: int, good: set[int], *, token: str | None, what: str) -> str:
    if status in good:
        return f"the {what} is taken" if token else "no token is needed from here"
    if status in (401, 403):
        raise StepError(f"the {what} is refused" if token else f"no {what} is configured here", status)
    raise StepError(f"it answers {status}", status)


async def check(origin: FollowedOrigin, client: httpx2.AsyncClient) -> OriginCheck:
    """Takes at most half a minute."""
    at = stamp(time.time())
    steps = await _Checking(origin, client).steps()
    ok = not any(one.ok is False for one in steps)
    return OriginCheck(origin=origin.name, url=origin.url, at=at, ok=ok, steps=steps)
