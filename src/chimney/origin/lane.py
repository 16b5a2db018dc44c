"""The fast lane: a stored and fresh response, answered in one coroutine.

It does what Recorder, Shell and Proxy do for such a request, and nothing else: anything that has to be decided (not
stored, not fresh, not a plain GET, not understood yet) is left to them. Why it exists: each layer of coroutines costs
half a microsecond, and this is what visitors and bots ask all day.
"""

import time
from collections.abc import Awaitable, Callable

from chimney.origin.answer import Result
from chimney.origin.cache import GitHubCache
from chimney.origin.proxy import Proxy
from chimney.web.asgi import Scope, Send
from chimney.web.caching import matches
from chimney.web.record import RequestRecord, begin


class Lane:
    """Asked first for every request: an awaitable that is the whole answer, or None."""

    def __init__(self, proxy: Proxy, cache: GitHubCache, sink: Callable[[RequestRecord], None]) -> None:
        self._proxy = proxy
        self._cache = cache
        self._sink = sink

    def __call__(self, scope: Scope, send: Send) -> Awaitable[None] | None:
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        target = self._proxy.known(scope["raw_path"], scope["query_string"])
        if target is None:
            return None
        stored = self._cache.fresh(target.key)
        if stored is None or stored.status != 200:
            return None
        record = scope["chimney.record"] = begin(scope)
        record.route, record.cache, record.tier, record.status = target.template, Result.HIT, "memory", 200
        headers = self._proxy.hit_headers(stored, target, scope)
        headers.append((b"x-request-id", record.request_id.encode()))
        headers.append((b"x-trace-id", record.trace_id.encode()))
        wanted = record.headers.get(b"if-none-match")
        if wanted and stored.etag and matches(wanted.decode("latin-1"), stored.etag):
            record.status = 304
            return self._send(record, headers, b"", send)
        body = self._proxy.body(stored, target, scope)
        headers.append((b"content-length", b"%d" % len(body)))
        return self._send(record, headers, body, send)

    async def _send(self, record: RequestRecord, headers: list[tuple[bytes, bytes]], body: bytes, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": record.status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            record.bytes = len(body)
        finally:
            record.ended = time.perf_counter()
            self._sink(record)
