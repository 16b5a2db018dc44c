"""The fast lane: a stored and fresh response, answered on the spot.

It does what Recorder, Shell and Proxy do for such a request, and nothing else: anything that has to be decided (not
stored, not fresh, not a plain GET, not understood yet) is left to them. Why it exists: this is what visitors and bots
ask all day, and each layer of coroutines and each header that is made anew costs up to half a microsecond.

So the answer is made ready once and kept with the stored response. It is used while nothing that it was made of has
changed, and at most until the age grows by a second.

It is made ready on the event loop, and given by whoever is asked first: that is the server's thread, while the loop may
be changing what is stored. That thread only reads, an answer that is ready is one value and never changes, and what was
changed no longer fits it.
"""

import time
from collections.abc import Awaitable, Callable

from chimney.github.client import GitHubClient
from chimney.origin.answer import MEMORY, Result
from chimney.origin.cache import GitHubCache
from chimney.origin.proxy import Proxy, Target
from chimney.store.ports import Ready, ResponseStore, StoredResponse
from chimney.web.asgi import Event, Scope, Send, Tell
from chimney.web.caching import matches
from chimney.web.record import LONGEST_AGENT, RequestRecord, begin, shorten

HIT = Result.HIT.value  # plain text: a member of an enum is hashed by Python code


class Lane:
    """A Lane of web/app."""

    def __init__(
        self,
        proxy: Proxy,
        cache: GitHubCache,
        *,
        near: ResponseStore,
        client: GitHubClient,
        sink: Callable[[RequestRecord], None],
    ) -> None:
        self._proxy = proxy
        self._targets = proxy.targets
        self._cache = cache
        self._near = near
        self._client = client
        self._sink = sink

    def at_once(self, scope: Scope, tell: Tell) -> bool:
        """In the server's thread: whether it was answered."""
        found = self._find(scope)
        if found is None:
            return False
        target, stored = found
        record, ready = begin(scope), stored.ready
        if ready is None or ready.of != self._of(stored, target, record) or not _lasts(ready, record.started):
            return False
        start, body = self._begin_answer(record, ready, stored, target)
        tell(start)
        tell({"type": "http.response.body", "body": body})
        self._end_answer(record, body)
        return True

    def __call__(self, scope: Scope, send: Send) -> Awaitable[None] | None:
        found = self._find(scope)
        if found is None:
            return None
        target, stored = found
        record, ready = begin(scope), stored.ready
        of = self._of(stored, target, record)
        if ready is None or ready.of != of or not _lasts(ready, record.started):
            scope["chimney.record"] = record
            ready = stored.ready = self._make(stored, target, scope, of)
            if ready is None:
                return None
        return self._send(record, ready, stored, target, send)

    def _find(self, scope: Scope) -> tuple[Target, StoredResponse] | None:
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        target = self._targets.get((scope["raw_path"], scope["query_string"]))
        stored = None if target is None else self._near.get(target.key.text)
        return None if target is None or stored is None or stored.status != 200 else (target, stored)

    def _of(self, stored: StoredResponse, target: Target, record: RequestRecord) -> tuple[object, ...]:
        return (
            target, stored.validated_at, stored.etag, stored.patched_since, stored.expired,
            record.host, record.secure, self._client.rate_limit,
        )  # fmt: skip

    def _make(self, stored: StoredResponse, target: Target, scope: Scope, of: tuple[object, ...]) -> Ready | None:
        """None when the response is not fresh."""
        now = time.time()
        fresh_until = self._cache.fresh_until(target.key, stored)
        if now >= fresh_until:
            return None
        older_at = stored.validated_at + int(max(0.0, now - stored.validated_at)) + 1
        body = self._proxy.body(stored, target, scope)
        return Ready(
            of=of,
            since=now,
            until=min(fresh_until, older_at),
            headers=self._proxy.hit_headers(stored, target, scope),
            length=(b"content-length", b"%d" % len(body)),
            body=body,
            etag=stored.etag,
        )

    async def _send(
        self, record: RequestRecord, ready: Ready, stored: StoredResponse, target: Target, send: Send
    ) -> None:
        start, body = self._begin_answer(record, ready, stored, target)
        try:
            await send(start)
            await send({"type": "http.response.body", "body": body})
        except BaseException:
            body = b""
            raise
        finally:
            self._end_answer(record, body)

    def _begin_answer(
        self, record: RequestRecord, ready: Ready, stored: StoredResponse, target: Target
    ) -> tuple[Event, bytes]:
        # two threads count here; a thread is not changed within such a line, and a lost hit would harm nobody
        stored.hits += 1
        self._cache.hits += 1
        ids = ((b"x-request-id", record.request_id.encode()), (b"x-trace-id", record.trace_id.encode()))
        wanted = record.headers.get(b"if-none-match")
        if wanted and ready.etag and matches(wanted.decode("latin-1"), ready.etag):
            status, body, headers = 304, b"", [*ready.headers, *ids]
        else:
            status, body, headers = 200, ready.body, [*ready.headers, ready.length, *ids]
        record.route, record.cache, record.tier, record.status = target.template, HIT, MEMORY, status
        return {"type": "http.response.start", "status": status, "headers": headers}, body

    def _end_answer(self, record: RequestRecord, body: bytes) -> None:
        record.bytes = len(body)
        if len(record.agent) + len(record.host) > LONGEST_AGENT:
            shorten(record)
        record.finish()
        self._sink(record)


def _lasts(ready: Ready, now: float) -> bool:
    return ready.since <= now < ready.until
