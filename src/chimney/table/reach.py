"""Asking an origin something on somebody's behalf: one request, its answer or the reason why there is none.

Redirects are not followed, and a token goes to the configured address only.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx2
import msgspec

from chimney.config import FollowedOrigin
from chimney.core.redact import safe
from chimney.table.check import check
from chimney.table.probe import classify
from chimney.web.problem import ProblemError
from chimney.wire.check import OriginCheck
from chimney.wire.problem import Fault, Problem

LARGEST = 4 * 1024**2
_problem = msgspec.json.Decoder(Problem).decode


class UnansweredError(Exception):
    """No answer that can be used. `sent`: the origin may have got the request, so what became of it is not known."""

    def __init__(self, detail: str, *, sent: bool) -> None:
        super().__init__(detail)
        self.detail = detail
        self.sent = sent


class RefusedError(Exception):
    """The origin answered with a problem; `status` is its own."""

    def __init__(self, status: int, detail: str, errors: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = list(errors)


class Reach:
    """The origins by name."""

    def __init__(self, origins: Sequence[FollowedOrigin], client: httpx2.AsyncClient) -> None:
        self.origins = {origin.name: origin for origin in origins}
        self._client = client

    def find(self, name: str | None, path: str) -> FollowedOrigin:
        """The origin; the only one when no name is given. Raises ProblemError 400 at `path`, 409 without any."""
        if not self.origins:
            raise ProblemError(409, "no-origin", "The table follows no origin. Set CHIMNEY_TABLE_ORIGINS.")
        if name is None and len(self.origins) == 1:
            return next(iter(self.origins.values()))
        if name is None or name not in self.origins:
            said = "is needed, as several are followed" if name is None else "is not followed"
            detail = f"{said}: {', '.join(sorted(self.origins))}"
            raise ProblemError(400, "malformed", f"{path}: {detail}", errors=[Fault(path=path, detail=detail)])
        return self.origins[name]

    async def check(self, origin: FollowedOrigin) -> OriginCheck:
        """Each step of the way to it, tried now."""
        return await check(origin, self._client)

    async def read(self, origin: FollowedOrigin, path: str, *, seconds: float, params: dict[str, str]) -> bytes:
        """JSON that is not looked into. Raises UnansweredError or RefusedError."""
        token = origin.read_token or origin.operate_token
        bearer = token.get_secret_value() if token else None
        request = self._client.build_request("GET", origin.url + path, params=params)
        return await self._ask(request, bearer, seconds)

    async def act(self, origin: FollowedOrigin, path: str, body: dict[str, Any], *, seconds: float) -> Any:
        """With the operate token. Raises as `read` does."""
        bearer = origin.operate_token.get_secret_value() if origin.operate_token else None
        content = msgspec.json.encode(body)
        headers = {"content-type": "application/json"}
        request = self._client.build_request("POST", origin.url + path, content=content, headers=headers)
        try:
            return msgspec.json.decode(await self._ask(request, bearer, seconds))
        except (msgspec.DecodeError, RecursionError):
            raise UnansweredError("the answer is not JSON", sent=True) from None

    async def _ask(self, request: httpx2.Request, bearer: str | None, seconds: float) -> bytes:
        if bearer:
            request.headers["authorization"] = f"Bearer {bearer}"
        request.extensions["timeout"] = httpx2.Timeout(seconds, connect=5.0).as_dict()
        try:
            async with asyncio.timeout(seconds):
                return await self._answer(request)
        except TimeoutError:
            raise UnansweredError(f"no answer within {seconds:g} s", sent=True) from None
        except httpx2.HTTPError as error:
            unsent = isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)
            raise UnansweredError(classify(error).detail, sent=not unsent) from None

    async def _answer(self, request: httpx2.Request) -> bytes:
        response = await self._client.send(request, stream=True)
        try:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > LARGEST:
                    raise UnansweredError(f"the answer is larger than {LARGEST} bytes", sent=True)
        finally:
            await response.aclose()
        if response.status_code >= 300:
            raise _refused(response.status_code, bytes(body))
        if "json" not in response.headers.get("content-type", ""):
            raise UnansweredError("the answer is not JSON", sent=True)
        return bytes(body)


def _refused(status: int, body: bytes) -> RefusedError:
    try:
        problem = _problem(body)
    except (msgspec.DecodeError, RecursionError):
        return RefusedError(status, f"it answered {status}")
    return RefusedError(status, safe(problem.detail, longest=500), problem.errors)
