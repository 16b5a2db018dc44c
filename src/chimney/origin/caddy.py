"""Caddy's admin API, over TCP or a unix socket. It reads the configuration and changes one path of it; never `/load`.

Caddy 2.6 answers on a unix socket only to an empty Host; 2.8 sends ETags as headers, 2.5.2 to 2.7 as trailers, which
are computed here instead; every answer is bounded.

CaddyError
├── ChangedError  somebody else changed the configuration since it was read
└── RefusedError  Caddy answered, and would not
"""

import asyncio
import errno
import re
from typing import Any, NamedTuple

import httpx2
import msgspec

from chimney.core import edge
from chimney.core.redact import safe
from chimney.wire.edge import Trouble

LONGEST_ANSWER = 8 * 1024 * 1024
TIMEOUT = httpx2.Timeout(3.0, connect=2.0)
CHANGE_TIMEOUT = httpx2.Timeout(30.0, connect=2.0)  # a change reloads the whole configuration, and waits for that
ALONE = httpx2.Limits(max_keepalive_connections=0)  # every change ends the connections of the admin API before it
CONFIG = "/config/"
_VERSION = re.compile(r'^go_build_info\{[^}]*caddyserver/caddy[^}]*version="v?([0-9][^"]{0,40})"', re.MULTILINE)
_REMEDIES = {
    Trouble.NO_SOCKET: "there is no such socket: Caddy does not run, or its admin option names another",
    Trouble.REFUSED: "nothing listens there: Caddy does not run, or its admin option names another address",
    Trouble.PERMISSION: "the socket may not be opened by this user: give it mode 0660 and a group that both have",
    Trouble.HOST_NOT_ALLOWED: "Caddy does not take our Host: use the address that its admin option names",
    Trouble.DNS: "the name of the host cannot be resolved",
    Trouble.TIMEOUT: "it did not answer in time",
    Trouble.NOT_CADDY: "something answers there that is not Caddy's admin API",
}


class CaddyError(Exception):
    """`trouble` says what is wrong in one word, the message in one sentence."""

    def __init__(self, trouble: Trouble, more: str = "") -> None:
        said = _REMEDIES.get(trouble, "it cannot be reached")
        super().__init__(f"{said} ({safe(more, longest=300)})" if more else said)
        self.trouble = trouble


class ChangedError(CaddyError):
    def __init__(self) -> None:
        Exception.__init__(self, "somebody else changed Caddy's configuration in this moment; nothing was overwritten")
        self.trouble = Trouble.UNKNOWN


class RefusedError(CaddyError):
    def __init__(self, said: str) -> None:
        Exception.__init__(self, f"Caddy refused: {safe(said, longest=500)}")
        self.trouble = Trouble.UNKNOWN


class Config(msgspec.Struct, frozen=True):
    """The whole configuration as it was read, and what `If-Match` should say of it; None: this Caddy has no ETags."""

    value: Any
    etag: str | None


class Answer(NamedTuple):
    status: int
    headers: httpx2.Headers
    content: bytes


class Admin:
    """One admin endpoint. `address` is `http://host:port` or `unix//path`."""

    def __init__(self, address: str) -> None:
        socket = address.removeprefix("unix/") if address.startswith("unix/") else None
        self.address = address
        transport = httpx2.AsyncHTTPTransport(uds=socket, limits=ALONE) if socket else None
        self._client = httpx2.AsyncClient(
            transport=transport,
            base_url="http://caddy" if socket else address,
            headers={"host": ""} if socket else {},
            timeout=TIMEOUT,
            trust_env=False,
            follow_redirects=False,
            limits=ALONE,
        )

    async def config(self) -> Config:
        answer = await self._get(CONFIG)
        try:
            value = msgspec.json.decode(answer.content)
        except (msgspec.DecodeError, RecursionError):
            raise CaddyError(Trouble.NOT_CADDY, f"GET {CONFIG} is no JSON") from None
        if value is not None and not isinstance(value, dict):
            raise CaddyError(Trouble.NOT_CADDY, f"GET {CONFIG} is no object")
        told = answer.headers.get("etag")
        if told is None and "etag" in answer.headers.get("trailer", "").lower():
            told = await asyncio.to_thread(edge.etag, CONFIG, answer.content)
        return Config(value, told)

    async def upstreams(self) -> dict[str, edge.Counts]:
        """Caddy's own figures by normal address."""
        try:
            rows = msgspec.json.decode((await self._get("/reverse_proxy/upstreams")).content, type=list[_Row] | None)
        except (msgspec.DecodeError, RefusedError):
            return {}  # a Caddy without that module
        return {edge.normal(row.address): edge.Counts(row.num_requests, row.fails) for row in rows or []}

    async def version(self) -> str | None:
        """None when this build does not say; Debian's does not."""
        try:
            found = _VERSION.search((await self._get("/metrics")).content.decode("utf-8", "replace"))
        except RefusedError:
            return None
        return found[1] if found else None

    async def would_refuse(self, caddyfile: bytes) -> str | None:
        """Why a Caddyfile is no configuration; None when it is one. Changes nothing."""
        answer = await self._send("POST", "/adapt", caddyfile, {"content-type": "text/caddyfile"})
        return None if answer.status == 200 else _error_of(answer)

    async def replace(self, change: edge.Change, config: Config) -> None:
        """Puts the upstreams of one proxy in place, if the configuration still is what it was when it was read.

        Where this Caddy has no ETags, it is read again and compared first. Raises ChangedError, RefusedError.
        """
        headers = {"content-type": "application/json"}
        if config.etag:
            headers["if-match"] = config.etag
        elif (await self.config()).value != config.value:
            raise ChangedError
        answer = await self._send("PATCH", CONFIG + change.path, msgspec.json.encode(change.after), headers)
        if answer.status == 412:
            raise ChangedError
        if answer.status != 200:
            raise RefusedError(_error_of(answer))

    async def close(self) -> None:
        await self._client.aclose()

    async def _get(self, path: str) -> Answer:
        answer = await self._send("GET", path, None, {})
        if answer.status == 403 and b"host not allowed" in answer.content:
            raise CaddyError(Trouble.HOST_NOT_ALLOWED)
        if path == CONFIG and (answer.status != 200 or "json" not in answer.headers.get("content-type", "")):
            raise CaddyError(Trouble.NOT_CADDY, f"GET {path} is {answer.status}")
        if answer.status != 200:
            raise RefusedError(f"GET {path} is {answer.status}")
        return answer

    async def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        timeout = TIMEOUT if method == "GET" else CHANGE_TIMEOUT
        try:
            async with self._client.stream(method, path, content=body, headers=headers, timeout=timeout) as answer:
                return Answer(answer.status_code, answer.headers, await _read(answer))
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise CaddyError(*_trouble(error)) from None


class _Row(msgspec.Struct):
    address: str
    num_requests: int | None = None
    fails: int | None = None


async def _read(answer: httpx2.Response) -> bytes:
    held = bytearray()
    async for chunk in answer.aiter_bytes():
        held += chunk
        if len(held) > LONGEST_ANSWER:
            raise CaddyError(Trouble.NOT_CADDY, "its answer does not end")
    return bytes(held)


def _error_of(answer: Answer) -> str:
    try:
        said = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        said = None
    text = said.get("error") if isinstance(said, dict) else None
    return safe(str(text or f"status {answer.status}"), longest=500)


def _trouble(error: Exception) -> tuple[Trouble, str]:
    if isinstance(error, httpx2.TimeoutException):
        return Trouble.TIMEOUT, ""
    if isinstance(error, httpx2.RemoteProtocolError):
        return Trouble.NOT_CADDY, str(error)
    cause = _os_error(error)
    if cause is None:
        return Trouble.UNREACHABLE, str(error)
    by_number = {
        errno.ENOENT: Trouble.NO_SOCKET,
        errno.ECONNREFUSED: Trouble.REFUSED,
        errno.EACCES: Trouble.PERMISSION,
        errno.EPERM: Trouble.PERMISSION,
    }
    if type(cause).__name__ == "gaierror":
        return Trouble.DNS, ""
    known = by_number.get(cause.errno or 0)
    return (known, "") if known else (Trouble.UNREACHABLE, str(cause))


def _os_error(error: BaseException) -> OSError | None:
    """The system's own error below a client's: the last attempt's, when several addresses were tried."""
    seen: BaseException | None = error
    for _ in range(8):
        if seen is None or (isinstance(seen, OSError) and seen.errno is not None):
            break
        group = seen.exceptions if isinstance(seen, BaseExceptionGroup) else ()
        seen = group[-1] if group else seen.__cause__ or seen.__context__
    return seen if isinstance(seen, OSError) else None
