"""GitHub App credentials: a token of the installation, an hour long, renewed before it ends.

The app signs who it is (a JWT, ten minutes at most) and is given the token. While a renewal fails the old token is used
as long as it lasts. Source: GitHub, authenticating as a GitHub App installation.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Generator
from datetime import datetime

import httpx2
import msgspec

from chimney.github.errors import UnauthorizedError, UnexpectedError
from chimney.wire.base import stamp

RENEW_SECONDS = 300.0  # before it ends
AGAIN_SECONDS = 30.0  # after a renewal that failed
SIGNED_SECONDS, SKEW_SECONDS = 540, 60  # GitHub takes ten minutes at most, and clocks differ
log = logging.getLogger(__name__)


class Issued(msgspec.Struct):
    token: str
    expires_at: datetime


class Installation(httpx2.Auth):
    """Signs each request with the installation's token. `problem` says why it cannot be renewed, None while it can."""

    def __init__(self, api_url: str, *, app_id: str, key: str, installation: int) -> None:
        self._url = f"{api_url.rstrip('/')}/app/installations/{installation}/access_tokens"
        self._app_id = app_id
        self._key = key
        self.name = f"app {app_id}, installation {installation}"
        self._token: str | None = None
        self._ends = 0.0
        self._tried = 0.0
        self._lock = asyncio.Lock()
        self.problem: str | None = None

    @property
    def authorization(self) -> str:
        return f"Bearer {self._token or ''}"

    @property
    def identity(self) -> str:
        """Of the present token: entity tags are bound to it."""
        return hashlib.sha256((self._token or "").encode()).hexdigest()[:16]

    def said(self) -> str:
        """For /healthz."""
        until = f"token until {stamp(self._ends):%H:%M:%S} UTC" if self._token else "no token yet"
        return f"{self.name}: {until}" + (f"; not renewed: {self.problem}" if self.problem else "")

    def _is_due(self) -> bool:
        now = time.time()
        if self._is_over():
            return True
        return now >= self._ends - RENEW_SECONDS and now >= self._tried + AGAIN_SECONDS

    async def renew(self, client: httpx2.AsyncClient) -> None:
        """Asks for a token when one is due. Raises UnauthorizedError, UnexpectedError or httpx2's errors when there is
        none and none is given."""
        if not self._is_due():
            return
        async with self._lock:
            if self._is_due():
                self._tried = time.time()
                signed = await asyncio.to_thread(self._signed)
                headers = {"authorization": f"Bearer {signed}"}
                try:
                    response = await client.post(self._url, headers=headers, auth=lambda request: request)
                except httpx2.HTTPError as error:
                    self.problem = f"no answer: {type(error).__name__}"
                    if self._is_over():
                        raise
                else:
                    self._take(response.status_code, response.content)

    def _is_over(self) -> bool:
        return self._token is None or time.time() >= self._ends

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Signs a request of the client, with the token that is there."""
        request.headers["authorization"] = self.authorization
        response = yield request
        if response.status_code == 401:
            self._token = None  # taken back before its end: the next request asks for another

    def _signed(self) -> str:
        """In a thread. PyJWT and its cryptography (12 MB) are here only for those who have an app."""
        import jwt  # noqa: PLC0415

        now = int(time.time())
        claims = {"iat": now - SKEW_SECONDS, "exp": now + SIGNED_SECONDS, "iss": self._app_id}
        try:
            return jwt.encode(claims, self._key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            raise UnauthorizedError(f"the key of the app cannot sign: {type(error).__name__}") from None

    def _take(self, status: int, body: bytes) -> None:
        try:
            issued = msgspec.json.decode(body, type=Issued) if status == 201 else None
        except (msgspec.DecodeError, UnicodeDecodeError):
            issued = None
        if issued is not None:
            self._token, self._ends, self.problem = issued.token, issued.expires_at.timestamp(), None
            return
        self.problem = f"GitHub answered {status} to the app"
        log.warning("the token of %s was not renewed: %s", self.name, self.problem)
        if self._is_over():
            self._token = None
            if status in (401, 403, 404):
                raise UnauthorizedError(f"{self.problem}: its id, key or installation is wrong")
            raise UnexpectedError(self.problem, status=status)
