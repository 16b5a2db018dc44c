"""One GET to GitHub: conditional, bounded, within one host.

The token goes to the configured host and nowhere else: redirects are followed by hand, three at most, and only
while they stay on it. One fixed Accept value and our own User-Agent, because both are part of GitHub's entity tags.
At most ten requests at a time (GitHub asks for few; its hard limit is 100).
"""

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import urljoin, urlsplit

import httpx2

from chimney import __version__
from chimney.core.budget import Need, is_rate_limited, refusal, retry_at
from chimney.core.call import Attribute, Call, Calls, NoCalls
from chimney.github.app import Installation
from chimney.github.errors import (
    BudgetError,
    GitHubError,
    RateLimitedError,
    UnauthorizedError,
    UnexpectedError,
    UnreachableError,
)
from chimney.github.recipe import Recipe
from chimney.github.reply import Reply, is_json
from chimney.wire.base import stamp
from chimney.wire.health import GitHubHealth, RateLimit

log = logging.getLogger(__name__)
BODY_LIMIT = 10 * 1024 * 1024
DEADLINE_SECONDS = 10.0
CONCURRENT = 10
UNAUTHORIZED_WAIT = 60.0
_FIGURE = re.compile(r"[0-9]{1,11}")
_HEADERS = {
    "accept": "application/vnd.github+json",
    "user-agent": f"chimney/{__version__}",
    "x-github-api-version": "2022-11-28",
}


class GitHubClient:
    """Remembers the last success, the rate limit and what is wrong; while GitHub asked us to wait it asks nothing."""

    def __init__(
        self,
        api_url: str,
        token: str | None,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        deadline_seconds: float = DEADLINE_SECONDS,
        calls: Calls | None = None,
        app: Installation | None = None,
    ) -> None:
        self._origin = urlsplit(api_url)
        self.transport = transport
        self._calls = calls or NoCalls()
        self._server: dict[str, Attribute] = {
            "server.address": self._origin.hostname or "",
            "server.port": self._origin.port or (443 if self._origin.scheme == "https" else 80),
        }
        self.base = api_url.rstrip("/")
        headers = dict(_HEADERS)
        if token:
            headers["authorization"] = f"Bearer {token}"
        self.app = app
        self.authenticated = token is not None or app is not None
        self._identity = hashlib.sha256((token or "").encode()).hexdigest()[:16]
        self._deadline = deadline_seconds
        self.tls = httpx2.create_ssl_context()  # 0.8 MB, so there is one
        self._client = httpx2.AsyncClient(
            headers=headers,
            verify=self.tls,
            auth=app,
            timeout=httpx2.Timeout(deadline_seconds, connect=min(5.0, deadline_seconds)),
            follow_redirects=False,
            transport=transport,
            limits=httpx2.Limits(max_connections=CONCURRENT * 2, max_keepalive_connections=CONCURRENT),
        )
        self.recipe = Recipe()
        self._slots = asyncio.Semaphore(CONCURRENT)
        self._limited = 0
        self._blocked_until = 0.0
        self._blocked_by: GitHubError | None = None
        self.problem: GitHubError | None = None
        self.last_success: float | None = None
        self.rate_limit: RateLimit | None = None
        self.refused = 0
        self.sparing: str | None = None
        self.results: dict[str, int] = {}

    @property
    def identity(self) -> str:
        """Of the token that is used now: entity tags are bound to it."""
        return self.app.identity if self.app else self._identity

    @property
    def audience(self) -> str:
        """What the tokens have in common that may see the same."""
        return self.app.name if self.app else self._identity

    async def sign_in(self) -> None:
        """Renews the token of an app if it is due, so that `tag_of` is right for the next. What fails, `get` tells."""
        if self.app and not self._blocked_by:
            with suppress(GitHubError, httpx2.HTTPError, TimeoutError):
                async with asyncio.timeout(self._deadline):
                    await self.app.renew(self._client)

    async def get(self, path: str, query: str = "", *, etag: str | None = None, need: Need = Need.WANTED) -> Reply:
        """The answer: 200, 304 (only when `etag` was given), 404, 410 or another 4xx that GitHub means.

        Raises GitHubError when there is none worth having, or at once while GitHub asked us to wait. The deadline
        counts the wait for a free slot too: behind ten requests that hang nobody waits longer than they do.
        """
        url = f"{self.base}{path}" + (f"?{query}" if query else "")
        return await self._asked(lambda: self._follow(url, etag), need)

    async def sent_elsewhere(self, path: str) -> str | None:
        """Where GitHub says that the answer is: the Location of a redirect, not followed. None when it gives none.

        Raises as `get` does.
        """
        reply = await self._asked(lambda: self._ask(f"{self.base}{path}", None), Need.WANTED)
        return reply.headers.get("location") if reply.status in (301, 302, 307) else None

    async def post(self, path: str, body: bytes | None = None) -> Reply:
        """The answer to a change that somebody asked for; `body` is JSON. Redirects are not followed.

        Raises as `get` does. GitHub refuses with a 4xx that is returned, its `message` says why.
        """
        url = f"{self.base}{path}"
        return await self._asked(lambda: self._ask(url, None, method="POST", body=body), Need.URGENT)

    async def _asked(self, ask: Callable[[], Awaitable[Reply]], need: Need) -> Reply:
        self._hold_back()
        self._budget(need)
        try:
            async with asyncio.timeout(self._deadline), self._slots:
                self._hold_back()
                if self.app:
                    await self.app.renew(self._client)
                reply = self._judge(await ask())
        except GitHubError as error:
            if error is not self._blocked_by:
                self._note(error)
            raise
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError) as error:
            unreachable = UnreachableError(self._why(error))
            self._note(unreachable)
            raise unreachable from error
        self._succeeded(reply)
        return reply

    def _budget(self, need: Need) -> None:
        """Raises BudgetError when the quota is to be spared; `refused` and `sparing` tell /healthz."""
        limit = self.rate_limit
        if limit is None:
            return
        reset = limit.reset_at.timestamp()
        why = refusal(remaining=limit.remaining, limit=limit.limit, reset=reset, need=need, now=time.time())
        if need is Need.ROUTINE or why:
            self.sparing = why
        if why:
            self.refused += 1
            raise BudgetError(why)

    def _hold_back(self) -> None:
        """Raises what GitHub said while it lasts, without the stacks of those who were told before."""
        if self._blocked_by and time.time() < self._blocked_until:
            raise self._blocked_by.with_traceback(None)

    async def _follow(self, url: str, etag: str | None) -> Reply:
        for resend in range(4):
            reply = await self._ask(url, etag, resend=resend)
            if reply.status not in (301, 302, 307, 308):
                return reply
            target = urljoin(url, reply.headers.get("location", ""))
            parts = urlsplit(target)
            if (parts.scheme, parts.netloc) != (self._origin.scheme, self._origin.netloc):
                raise UnexpectedError(f"GitHub redirected to another host ({parts.netloc[:100]})", status=reply.status)
            url = target
        raise UnexpectedError("GitHub redirected more than three times", status=reply.status)

    async def _ask(
        self, url: str, etag: str | None, *, method: str = "GET", body: bytes | None = None, resend: int = 0
    ) -> Reply:
        about: dict[str, Attribute] = {"http.request.method": method, "url.full": url, **self._server}
        if resend:
            about["http.request.resend_count"] = resend
        with self._calls.open(method, about) as call:
            return await self._send(url, etag, method, body, call)

    async def _send(self, url: str, etag: str | None, method: str, body: bytes | None, call: Call) -> Reply:
        headers = {"if-none-match": etag} if etag else {}
        if call.traceparent:
            headers["traceparent"] = call.traceparent
        if body is not None:
            headers["content-type"] = "application/json"
        async with self._client.stream(method, url, headers=headers, content=body) as response:
            call.attributes["http.response.status_code"] = response.status_code
            call.attributes["github.not_modified"] = response.status_code == 304
            call.error = str(response.status_code) if response.status_code >= 400 else None
            chunks: list[bytes] = []
            size = 0
            async for chunk in response.aiter_bytes():
                size += len(chunk)
                if size > BODY_LIMIT:
                    raise UnexpectedError("GitHub's answer is larger than 10 MiB", status=response.status_code)
                chunks.append(chunk)
            self._count(response)
            log.debug("GitHub answered %s %s with %d", method, response.url.path, response.status_code)
            reply = Reply(response.status_code, response.headers, b"".join(chunks))
            if reply.status == 200:
                self.recipe.check(reply.etag, reply.body, response.request.headers)
            return reply

    def tag_of(self, body: bytes) -> str | None:
        """The entity tag that GitHub would give to this body, asked by us; None when that cannot be computed."""
        headers = dict(self._client.headers)
        if self.app:
            headers["authorization"] = self.app.authorization
        return self.recipe.tag(body, headers)

    def _judge(self, reply: Reply) -> Reply:
        """The reply when it can be used, else the error that it means."""
        headers = reply.headers
        if is_rate_limited(reply.status, headers, reply.body):
            self._limited += 1
            until = retry_at(headers, failures=self._limited, now=time.time())
            primary = headers.get("x-ratelimit-remaining") == "0"
            name = "primary rate limit" if primary else "secondary rate limit"
            message = f"GitHub answered {reply.status}: {name} until {stamp(until):%H:%M:%S} UTC"
            raise RateLimitedError(message, retry_at=until, primary=primary)
        if reply.status == 401:
            raise UnauthorizedError("GitHub answered 401: the token is wrong, expired or revoked")
        if reply.status >= 500:
            raise UnexpectedError(f"GitHub answered {reply.status}", status=reply.status)
        if reply.status == 200 and not is_json(reply):
            raise UnexpectedError("GitHub answered with something that is not JSON", status=200)
        return reply

    def _count(self, response: httpx2.Response) -> None:
        result = "not_modified" if response.status_code == 304 else f"{response.status_code // 100}xx"
        self.results[result] = self.results.get(result, 0) + 1
        headers = response.headers
        limit, remaining, reset = (headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining", "reset"))
        resource = headers.get("x-ratelimit-resource", "core")
        if resource == "core" and all(_FIGURE.fullmatch(text) for text in (limit, remaining, reset)):
            self.rate_limit = RateLimit(
                limit=int(limit), remaining=int(remaining), reset_at=stamp(int(reset)), resource=resource
            )

    def _note(self, error: GitHubError) -> None:
        self.problem = error
        name = error.code
        self.results[name] = self.results.get(name, 0) + 1
        if isinstance(error, RateLimitedError):
            self._blocked_until, self._blocked_by = error.retry_at, error
        elif isinstance(error, UnauthorizedError):
            self._blocked_until, self._blocked_by = time.time() + UNAUTHORIZED_WAIT, error

    def _succeeded(self, reply: Reply) -> None:
        if reply.status not in (200, 304, 404):
            return
        self.last_success = time.time()
        if self.last_success >= self._blocked_until:  # else it was on its way when GitHub asked us to wait
            self.problem = self._blocked_by = None
            self._limited = 0

    def health(self) -> GitHubHealth:
        return GitHubHealth(
            last_success_at=stamp(self.last_success) if self.last_success else None,
            seconds_since_success=round(time.time() - self.last_success, 1) if self.last_success else None,
            rate_limit=self.rate_limit,
            authenticated=self.authenticated,
            problem=self.problem.said() if self.problem else None,
            sparing=self.sparing,
            app=self.app.said() if self.app else None,
            refused_for_budget=self.refused,
        )

    def _why(self, error: BaseException) -> str:
        """What failed, in words; the URL and the token are in none of them."""
        if isinstance(error, TimeoutError | httpx2.TimeoutException):
            return f"GitHub did not answer within {self._deadline:g} s"
        if isinstance(error, httpx2.ConnectError):
            return f"no connection to GitHub: {error}"[:200]
        return f"GitHub's answer broke off: {type(error).__name__}"

    async def close(self) -> None:
        await self._client.aclose()
