"""The GitHub proxy: plain ASGI, because it is what visitors and bots ask most.

`/api/github/{path}` is below the main repository (or `{owner}/{name}/{path}` of another watched one), `/api/v3/{path}`
takes whole GitHub paths. Both are rebuilt by core/grammar before anything is looked up.
"""

import re
import time
from collections import OrderedDict
from typing import NamedTuple

from chimney.core.grammar import (
    WORKFLOW_FILE,
    BadQueryError,
    Endpoint,
    Kind,
    NotAllowedError,
    below_repository,
    full_path,
    normalise_query,
    watched,
)
from chimney.github.client import GitHubClient
from chimney.origin.addresses import body_for, links, own_address
from chimney.origin.answer import Answer, Key, Result
from chimney.origin.audience import Admits, Everybody
from chimney.origin.cache import GitHubCache
from chimney.origin.watched import Watched
from chimney.store.ports import StoredResponse
from chimney.web.asgi import Receive, Scope, Send, raw_path
from chimney.web.caching import matches
from chimney.web.problem import ProblemError, method_not_allowed, not_found
from chimney.web.record import record_of
from chimney.wire.health import RateLimit
from chimney.wire.problem import Fault

BELOW = "/api/github/"
DROP_IN = "/api/v3/"
REMEMBERED = 4096  # parsed targets, ~400 B each ≈ 1.6 MB at worst
_WORKFLOW = re.compile(r"(?:^|&)workflow=([^&]+)(?:&|$)")


class Target(NamedTuple):
    """What is meant by a request target; `path` is our own for it, where the pages of a listing are.

    `private`: not for everybody, so no cache on the way may keep it.
    """

    key: Key
    template: str
    path: str
    repo: str | None = None
    private: bool = False


class Proxy:
    """ASGI for both prefixes. `targets` are the meanings of paths and queries that were asked before."""

    def __init__(
        self,
        cache: GitHubCache,
        client: GitHubClient,
        watched: Watched,
        *,
        audience: Admits | None = None,
        allow_contents: bool,
    ) -> None:
        self._cache = cache
        self._client = client
        self.repo = watched.main
        self.repos = watched.spelled
        self._audience = audience or Everybody()
        self._allow_contents = allow_contents
        self.targets: OrderedDict[tuple[bytes, bytes], Target] = OrderedDict()
        self._limit: RateLimit | None = None
        self._limit_headers: list[tuple[bytes, bytes]] = []

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        record = record_of(scope)
        if record.method not in ("GET", "HEAD"):
            raise method_not_allowed(record.method, ["GET", "HEAD"])
        asked = (scope["raw_path"], scope["query_string"])
        target = self.targets.get(asked)
        if target is None:
            understood = self.understand(raw_path(scope), scope["query_string"], asked)
            record.route = understood.template
            target = await self._admit(understood, scope)
        record.route = target.template
        stored = self._cache.fresh(target.key)
        answer = Answer(stored, Result.HIT) if stored else await self._cache.get(target.key)
        record.cache = answer.result.value
        record.tier = answer.tier
        await self._send(answer, target, scope, send)

    async def _admit(self, target: Target, scope: Scope) -> Target:
        """The target as this request may have it. Raises ProblemError when it may not."""
        if target.repo is not None:
            return target._replace(private=not await self._audience.admit(target.repo, scope))
        if not target.key.path.startswith("/orgs/"):
            return target
        if self._audience.may_read(scope):
            return target._replace(private=True)
        key = target.key
        parts = [part for part in key.query.split("&") if part and not part.startswith("type=")]
        query = "&".join(sorted([*parts, "type=public"]))
        return target._replace(key=self._cache.key(Kind.REPOSITORIES, key.path, query))

    def forget(self) -> None:
        """What was understood of request targets: other repositories are watched now, or others may see them."""
        self.targets.clear()

    def hit_headers(self, response: StoredResponse, target: Target, scope: Scope) -> list[tuple[bytes, bytes]]:
        """The headers of a fresh stored response."""
        return self._headers(Answer(response, Result.HIT), target, scope)

    def understand(self, path: bytes, query: bytes, asked: tuple[bytes, bytes] | None = None) -> Target:
        """What a request target means; remembered as `asked`, because the same few are asked again and again."""
        try:
            endpoint = self._endpoint(path)
            key = self._cache.key(endpoint.kind, endpoint.path, normalise_query(endpoint.kind, query))
        except NotAllowedError:
            raise not_found(path.decode("ascii", "replace")[:200]) from None
        except BadQueryError as error:
            fault = Fault(path=f"query.{error.name}", detail=error.detail)
            raise ProblemError(400, "malformed", str(error), errors=[fault]) from None
        prefix = BELOW if path.startswith(BELOW.encode()) else DROP_IN
        understood = Target(key, prefix.rstrip("/") + endpoint.template, path.decode(), endpoint.repo)
        if endpoint.kind is Kind.RUNS:
            understood = self._of_workflow(understood)
        if endpoint.repo is None or not self._audience.is_public(endpoint.repo):
            return understood  # to be admitted each time
        self.targets[asked or (path, query)] = understood
        if len(self.targets) > REMEMBERED:
            self.targets.popitem(last=False)
        return understood

    def _endpoint(self, path: bytes) -> Endpoint:
        if path.startswith(DROP_IN.encode()):
            return full_path(path[len(DROP_IN) :], self.repos, allow_contents=self._allow_contents)
        if not path.startswith(BELOW.encode()):
            raise NotAllowedError  # the prefix itself was escaped: `/%61pi/github/`
        if not self.repos:
            raise ProblemError(503, "not-configured", "No repository is configured. Set CHIMNEY_REPO to owner/name.")
        below = path[len(BELOW) :]
        if self.repo:
            try:
                return below_repository(below, self.repo, allow_contents=self._allow_contents)
            except NotAllowedError:
                pass
        owner, _, rest = below.partition(b"/")
        name, slash, tail = rest.partition(b"/")
        if slash and not tail:
            raise NotAllowedError
        return below_repository(tail, watched(owner, name, self.repos), allow_contents=self._allow_contents)

    def _of_workflow(self, target: Target) -> Target:
        """`actions/runs?workflow=FILE`, as older dashboards ask, means that workflow's runs."""
        key = target.key
        match = _WORKFLOW.search(key.query)
        if not match:
            return target
        if not key.path.endswith("/actions/runs") or not WORKFLOW_FILE.fullmatch(match[1]):
            raise not_found(target.path)
        query = "&".join(part for part in key.query.split("&") if not part.startswith("workflow="))
        runs = f"workflows/{match[1]}/runs"
        of_file = self._cache.key(Kind.RUNS, key.path.removesuffix("runs") + runs, query)
        return target._replace(key=of_file, path=target.path.removesuffix("runs") + runs)

    async def _send(self, answer: Answer, target: Target, scope: Scope, send: Send) -> None:
        response, record = answer.response, record_of(scope)
        headers = self._headers(answer, target, scope)
        wanted = record.headers.get(b"if-none-match")
        # a client must not be frozen on what we know to be old
        current = response.status == 200 and answer.result is not Result.STALE
        if wanted and current and response.etag and matches(wanted.decode("latin-1"), response.etag):
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        body = self.body(response, target, scope)
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if record.method == "HEAD" else body})

    def body(self, response: StoredResponse, target: Target, scope: Scope) -> bytes:
        """What the client gets: as GitHub sent it, or with our URLs for one that takes us for GitHub."""
        if not target.path.startswith(DROP_IN):
            return response.body
        return body_for(response, github=self._client.base, base=own_address(scope) + DROP_IN.rstrip("/"))

    def _headers(self, answer: Answer, target: Target, scope: Scope) -> list[tuple[bytes, bytes]]:
        response = answer.response
        age = b"%d" % max(0, time.time() - response.validated_at)
        headers = [
            *(_unkept(response) if target.private else _lasting(response)),
            (b"age", age),
            (b"x-cache-age", age),
            (b"cache-status", _cache_status(answer)),
            *self._limits(),
        ]
        if response.links:
            headers.append((b"link", links(own_address(scope) + target.path, response.links)))
        if answer.problem:
            headers.append((b"x-chimney-stale-reason", answer.problem.said().encode("ascii", "replace")))
        return headers

    def _limits(self) -> list[tuple[bytes, bytes]]:
        """The quota as it is now, never as it was when the response was stored."""
        limit = self._client.rate_limit
        if limit is not self._limit and limit is not None:
            self._limit = limit
            self._limit_headers = [
                (b"x-ratelimit-limit", b"%d" % limit.limit),
                (b"x-ratelimit-remaining", b"%d" % limit.remaining),
                (b"x-ratelimit-reset", b"%d" % limit.reset_at.timestamp()),
            ]
        return self._limit_headers


def _lasting(response: StoredResponse) -> list[tuple[bytes, bytes]]:
    """The headers that are the same for every visitor until GitHub names another validator; made once."""
    if response.prepared is None or response.prepared[0] != response.etag:
        headers = [(b"content-type", response.content_type.encode()), (b"cache-control", b"no-cache")]
        headers += [(b"etag", response.etag.encode())] if response.etag else []
        headers += [(b"last-modified", response.last_modified.encode())] if response.last_modified else []
        response.prepared = (response.etag, headers)
    return response.prepared[1]


def _unkept(response: StoredResponse) -> list[tuple[bytes, bytes]]:
    """The same for what no cache on the way may keep."""
    return [(name, b"private, no-store" if name == b"cache-control" else value) for name, value in _lasting(response)]


_STATUS = {
    Result.HIT: b"chimney; hit",
    Result.STALE: b"chimney; hit; detail=stale",  # hit and fwd exclude each other (RFC 9211 §2.2)
    Result.MISS: b"chimney; fwd=uri-miss; stored",
    Result.REVALIDATED: b"chimney; fwd=stale; fwd-status=304",
    Result.COLLAPSED: b"chimney; fwd=uri-miss; collapsed",
}


def _cache_status(answer: Answer) -> bytes:
    """RFC 9211, with the reason as `detail` when an old answer stands in for a failed request."""
    if answer.problem:
        return b"chimney; hit; detail=" + answer.problem.code.encode()
    return _STATUS[answer.result]
