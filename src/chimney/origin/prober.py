"""One question to an address, with a connection of its own, and the stage at which it failed.

Names are resolved in threads of their own: a resolver that hangs holds neither the event loop nor the process's end.
Redirects are not followed: a health check that is redirected does not say whether the service is well.
"""

import asyncio
import functools
import ipaddress
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx2

from chimney import __version__
from chimney.core.redact import safe
from chimney.wire.base import stamp
from chimney.wire.probe import ProbeResult, Stage

DEADLINE_SECONDS = 5.0
GRACE = 0.5  # past the deadline, for whatever trickles
BODY_LIMIT = 64 * 1024
LOOKUPS = 16  # threads that resolve at a time; a resolver that hangs must not take more
ADDRESSES = 3  # tried one after another
_HEADERS = {"user-agent": f"chimney/{__version__} (health probe)", "accept": "application/json, */*;q=0.1"}


class Answered(NamedTuple):
    """What a probe found, and the body when it succeeded."""

    result: ProbeResult
    body: bytes = b""


class FailedError(Exception):
    def __init__(self, stage: Stage, detail: str, status: int | None = None) -> None:
        super().__init__(detail)
        self.stage = stage
        self.detail = safe(detail, longest=300)
        self.status = status


class Prober:
    """`trust` decides which certificates are good; None: those that the system trusts."""

    def __init__(self, *, deadline: float = DEADLINE_SECONDS, trust: ssl.SSLContext | None = None) -> None:
        self._deadline = deadline
        self._trust = trust
        self._client: httpx2.AsyncClient | None = None
        self._lookups = asyncio.Semaphore(LOOKUPS)

    async def ask(self, url: str) -> Answered:
        """Never raises for what the address does."""
        began, at = time.perf_counter(), stamp(time.time())
        step = _Step(began + self._deadline)
        try:
            async with asyncio.timeout(self._deadline + GRACE):
                body, days = await self._ask(url, step)
        except (TimeoutError, httpx2.TimeoutException):
            failed = FailedError(Stage.TIMEOUT, f"no {step.name} within {self._deadline:g} s", step.status)
        except FailedError as error:
            failed = error
        except asyncio.CancelledError:
            await step.cut()
            raise
        else:
            latency = round((time.perf_counter() - began) * 1000, 1)
            good = ProbeResult(
                at=at, ok=True, status=step.status, latency_ms=latency, error=None, certificate_days_left=days
            )
            return Answered(good, body)
        await step.cut()
        latency = round((time.perf_counter() - began) * 1000, 1)
        return Answered(
            ProbeResult(
                at=at,
                ok=False,
                status=failed.status,
                latency_ms=latency if failed.status else None,
                error=failed.detail,
                stage=failed.stage,
            )
        )

    async def _ask(self, url: str, step: "_Step") -> tuple[bytes, float | None]:
        """The body and the days that the certificate is good for. Raises FailedError."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        client = self._client or await self._opened()
        addresses = await self._resolved(host, port)
        step.name = "connection"
        for place, address in enumerate(addresses):
            try:
                return await self._answer(client, url, address, step)
            except httpx2.ConnectError as error:
                failed = _of_connecting(error, address, port)
                if failed.stage is Stage.TLS or place == len(addresses) - 1:
                    raise failed from None
            except httpx2.TimeoutException:
                raise
            except httpx2.HTTPError as error:
                detail = f"the answer is not HTTP or broke off: {error}"
                raise FailedError(Stage.PROTOCOL, detail, step.status) from None
        raise FailedError(Stage.DNS, f"{host} has no address")

    async def _answer(
        self, client: httpx2.AsyncClient, url: str, address: str, step: "_Step"
    ) -> tuple[bytes, float | None]:
        parts = urlsplit(url)
        target = httpx2.URL(url).copy_with(host=address)
        headers = {**_HEADERS, "host": parts.netloc.rpartition("@")[2]}
        extensions = {"sni_hostname": parts.hostname or "", "trace": step.trace}
        patience = httpx2.Timeout(step.left)  # its own end of waiting closes the connection, ours would leave it open
        asking = client.stream("GET", target, headers=headers, extensions=extensions, timeout=patience)
        async with asking as response:
            step.status, step.name = response.status_code, "whole answer"
            _judge(response)
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk[: BODY_LIMIT - len(body)]
                if len(body) >= BODY_LIMIT:
                    break
            return bytes(body), _days_left(response)

    async def _resolved(self, host: str, port: int) -> list[str]:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            async with asyncio.timeout(self._deadline), self._lookups:
                return await _lookup(host, port)
        return [host]

    async def _opened(self) -> httpx2.AsyncClient:
        trust = self._trust
        if trust is None:
            trust = await asyncio.to_thread(ssl.create_default_context)
        self._client = httpx2.AsyncClient(
            verify=trust,
            follow_redirects=False,
            trust_env=False,
            timeout=None,
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=0),
        )
        return self._client

    async def close(self) -> None:
        if self._client:
            await self._client.aclose()


class _Step:
    """Where the question is, for the words of a timeout. `until` is by the clock of performance."""

    def __init__(self, until: float) -> None:
        self._until = until
        self.name = "address"
        self._connection: Any = None
        self.status: int | None = None

    @property
    def left(self) -> float:
        return max(0.01, self._until - time.perf_counter())

    async def cut(self) -> None:
        """Closes what was connected: a handshake that is given up is left open by the library."""
        if self._connection is not None:
            await self._connection.aclose()

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith("connect_tcp.complete"):
            self._connection = info["return_value"]
        if event.endswith("start_tls.started"):
            self.name = "TLS handshake"
        elif event.endswith("send_request_headers.started"):
            self.name = "answer"


async def _lookup(host: str, port: int) -> list[str]:
    """The addresses of a name. Raises FailedError. The thread is left to itself when nobody waits any more."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[str]] = loop.create_future()

    def settle(addresses: list[str] | FailedError) -> None:
        if found.done():
            return
        if isinstance(addresses, FailedError):
            found.set_exception(addresses)
        else:
            found.set_result(addresses)

    def resolve() -> None:
        outcome: list[str] | FailedError
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            outcome = list(dict.fromkeys(str(row[4][0]) for row in rows))[:ADDRESSES]
        except (OSError, UnicodeError) as error:
            outcome = FailedError(Stage.DNS, f"the name {host} does not resolve: {error}")
        try:
            loop.call_soon_threadsafe(functools.partial(settle, outcome))
        except RuntimeError:
            return  # the loop has ended meanwhile

    threading.Thread(target=resolve, daemon=True, name="resolve").start()
    return await found


def _judge(response: httpx2.Response) -> None:
    """Raises FailedError unless it is 200 to 299."""
    status = response.status_code
    if 300 <= status < 400:
        where = response.headers.get("location", "nowhere")
        raise FailedError(Stage.REDIRECT, f"the health check is redirected: {status} to {where}", status)
    if not 200 <= status < 300:
        raise FailedError(Stage.STATUS, f"answered {status} {response.reason_phrase}".strip(), status)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _of_connecting(error: httpx2.ConnectError, address: str, port: int) -> FailedError:
    causes = list(_causes(error))
    refused = next((one for one in causes if isinstance(one, ssl.SSLCertVerificationError)), None)
    if refused is not None:
        return FailedError(Stage.TLS, f"the certificate is not good: {refused.verify_message}")
    if any(isinstance(one, ssl.SSLError) for one in causes):
        return FailedError(Stage.TLS, f"the TLS handshake failed: {error}")
    detail = next((os.strerror(one.errno) for one in reversed(causes) if isinstance(one, OSError) and one.errno), "")
    return FailedError(Stage.CONNECT, f"no connection to {address} port {port}: {detail or error}")


def _days_left(response: httpx2.Response) -> float | None:
    """Of the certificate; None without TLS."""
    stream = response.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream else None
    certificate = tls.getpeercert() if tls else None
    if not certificate or "notAfter" not in certificate:
        return None
    return round((ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()) / 86_400, 1)
