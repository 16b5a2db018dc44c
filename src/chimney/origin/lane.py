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
from collections.abc import Awaitable, Callable, Sequence

from chimney.github.client import GitHubClient
from chimney.origin.answer import MEMORY, Result
from chimney.origin.cache import GitHubCache
from chimney.origin.proxy import Proxy, Target
from chimney.store.ports import Ready, ResponseStore, StoredResponse
from chimney.web.asgi import Event, Scope, Send, Tell
from chimney.web.caching import matches
from chimney.web.record import LONGEST_AGENT, RequestRecord, begin, shorten

NO_BODY: Event = {"type": "http.response.body", "body": b""}
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
        """Whether it was answered. In the server's thread; one long function, because calls cost."""
        if scope["method"] != "GET" or scope["type"] != "http":
            return False
        target = self._targets.get((scope["raw_path"], scope["query_string"]))
        stored = None if target is None else self._near.get(target.key.text)
        if target is None or stored is None:
            return False
        ready = stored.ready
        if ready is None or stored.status != 200:
            return False
        record = begin(scope)
        if not ready.since <= record.started < ready.until or ready.of != self._of(stored, target, record):
            return False
        stored.hits += 1  # two threads count; one is not interrupted within a line, and a lost hit would harm nobody
        self._cache.hits += 1
        ids = ((b"x-request-id", record.request_id.encode()), (b"x-trace-id", record.trace_id.encode()))
        wanted = record.headers.get(b"if-none-match")
        if wanted and ready.etag and matches(wanted.decode("latin-1"), ready.etag):
            status, event, headers = 304, NO_BODY, [*ready.headers, *ids]
        else:
            status, event, headers = 200, ready.event, [*ready.headers, ready.length, *ids]
            record.bytes = ready.size
        record.route, record.cache, record.tier, record.status = target.template, HIT, MEMORY, status
        tell({"type": "http.response.start", "status": status, "headers": headers})
        tell(event)
        if len(record.agent) + len(record.host) > LONGEST_AGENT:
            shorten(record)
        record.finish()
        self._sink(record)
        return True

    def __call__(self, scope: Scope, send: Send) -> Awaitable[None] | None:
        """On the event loop: what was not ready is made so, if it is fresh."""
        if scope["method"] != "GET" or scope["type"] != "http":
            return None
        target = self._targets.get((scope["raw_path"], scope["query_string"]))
        stored = None if target is None else self._near.get(target.key.text)
        if target is None or stored is None or stored.status != 200:
            return None
        record = scope["chimney.record"] = begin(scope)
        stored.ready = self._make(stored, target, scope, self._of(stored, target, record))
        told: list[Event] = []
        return self._send(told, send) if self.at_once(scope, told.append) else None

    async def _send(self, events: Sequence[Event], send: Send) -> None:
        for event in events:
            await send(event)

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
            event={"type": "http.response.body", "body": body},
            size=len(body),
            etag=stored.etag,
        )
