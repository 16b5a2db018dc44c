"""The two layers that every role is made of.

`Shell` is plain ASGI: record, recovery, liveness, the hot routes; it answers from the first millisecond, while the
framework application (Litestar: everything that is not hot) is still being imported and built.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from chimney.web.asgi import LATER, App, Receive, Scope, Send, Tell, respond, without_body
from chimney.web.problem import ProblemError, method_not_allowed, not_found
from chimney.web.record import Recorder, RequestRecord, record_of
from chimney.web.recover import Panics, Recover

if TYPE_CHECKING:
    from litestar import Litestar

log = logging.getLogger(__name__)
_JSON = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
DOCUMENT = "/api/schema/openapi.json"
Hot = Callable[[Scope, Receive, Send], Any]


class Lane(Protocol):
    """Asked first for every request: on the spot (see web/at_once), and then on the event loop, where it gives an
    awaitable that is the whole answer, or None."""

    def at_once(self, scope: Scope, tell: Tell, /) -> bool: ...

    def __call__(self, scope: Scope, send: Send, /) -> Awaitable[None] | None: ...


class NoLane:
    """The lane of a role that has none: every request takes the ordinary way."""

    def at_once(self, _scope: Scope, _tell: Tell) -> bool:
        return False

    def __call__(self, _scope: Scope, _send: Send) -> None: ...


class Phase(StrEnum):
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


class Shell:
    """ASGI. `lane` is asked first and may answer whole by itself. `own` are the prefixes of paths that are no files.

    `hot` maps path prefixes to plain applications; all else goes to the framework once it is there.
    """

    def __init__(self, sink: Callable[[RequestRecord], None]) -> None:
        self.panics = Panics()
        self.recover = Recover(self._dispatch, self.panics)
        self._recorder = Recorder(self.recover, sink)
        self.phase = Phase.STARTING
        self.hot: Mapping[str, App] = {}
        self.lane: Lane = NoLane()
        self.own: tuple[str, ...] = ("/api/", "/v1/")
        self.framework: App | None = None
        self.fallback: App | None = None

    @property
    def open_requests(self) -> int:
        """Requests being answered now, streams included; without those that the lane answers in one go."""
        return self._recorder.open

    def at_once(self, scope: Scope, tell: Tell) -> bool:
        return self.lane.at_once(scope, tell)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        try:
            hit = self.lane(scope, send)
        except Exception:
            hit = None  # the ordinary way meets the same fault, and recovers from it
        return hit or self._recorder(scope, receive, send)

    def _is_own(self, path: str) -> bool:
        """Whether a path belongs to the API, whatever files there are."""
        return path.startswith(self.own) or path in ("/api", "/healthz")

    def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Chooses who answers. Not a coroutine of its own: the hot path pays for each of those."""
        path: str = scope["path"]
        record = record_of(scope)
        for prefix, app in self.hot.items():
            if path.startswith(prefix):
                record.route = prefix + "{path}"
                return app(scope, receive, send)
        if path in ("/livez", "/readyz"):
            return self._probe(record, path, send)
        if self.fallback and record.method in ("GET", "HEAD") and not self._is_own(path):
            record.route = "/{page}"
            return self.fallback(scope, receive, send)
        if self.fallback and path == "/":
            raise method_not_allowed(record.method, ["GET", "HEAD"])
        if self.framework is None:
            raise ProblemError(503, "starting", "The process is starting.", headers=[(b"retry-after", b"1")])
        return self._ask(self.framework, record, scope, receive, send)

    async def _probe(self, record: RequestRecord, path: str, send: Send) -> None:
        """Liveness is always 200: the process answers. Readiness is what Caddy checks before it sends visitors."""
        record.route = path
        if record.method not in ("GET", "HEAD"):
            raise method_not_allowed(record.method, ["GET", "HEAD"])
        well = path == "/livez" or self.phase is Phase.READY
        body = b'{"status":"%s"}' % (b"ok" if well else self.phase.encode())
        await respond(send, 200 if well else 503, body, _JSON, head_only=record.method == "HEAD")

    async def _ask(self, framework: App, record: RequestRecord, scope: Scope, receive: Receive, send: Send) -> None:
        if record.path.startswith("/api/schema/") and record.path != DOCUMENT:
            record.route = "unmatched"
            raise not_found(record.path)  # the framework would answer with a page of its own
        if head := record.method == "HEAD":
            scope["method"], send = "GET", without_body(send)
        try:
            await framework(scope, receive, send)
        finally:
            record.route = scope.get("path_template") or "unmatched"
        if LATER in scope and head:
            raise method_not_allowed("HEAD", ["GET"])  # a stream has no end, so nothing can be said of the whole
        if LATER in scope:
            later: App = scope[LATER]
            kept = {key: value for key, value in scope.items() if key.startswith("chimney.") and key != LATER}
            scope.clear()  # the server holds it as long as the answer lasts
            scope.update(kept, type="http")
            await later(scope, receive, send)


def framework(
    handlers: Sequence[Any],
    *,
    title: str,
    version: str,
    recover: Recover,
    extra_paths: Mapping[str, Any] | None = None,
) -> "Litestar":
    """The Litestar application of a role, with our error shape. Imported here: it takes half a second."""
    from chimney.web.framework import build  # noqa: PLC0415 — keeps the start under a second

    return build(handlers, title=title, version=version, recover=recover, extra_paths=extra_paths or {})
