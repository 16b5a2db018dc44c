"""Answers that are ready, given by the thread in which the server hands over the request.

Granian takes a request off the wire in one thread, hands it to Python in a second one, and that wakes the event loop in
a third. For an answer that is there already, the way to the loop (a task, a wake-up, two changes of the interpreter's
lock) is most of what answering costs. So the second thread asks first whether the role can answer on the spot, and
wakes the loop for all else. What is said to the server is ASGI all the same.

Made of parts of Granian that are not for everybody: its version has an upper bound.
"""

import asyncio
import logging
import sys
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from granian import _granian
from granian._futures import _cbsched_aioschedule, _future_watcher_wrapper
from granian.asgi import _callback_wrapper
from granian.server.embed import AsyncWorker

from chimney.web.asgi import App, Scope, Tell

# the loop waits for the interpreter's lock so long when the other thread has answers to give without a pause, a few
# times for one of its own; with Python's 5 ms those took four times as long
TURN_SECONDS = 0.0005
log = logging.getLogger(__name__)
AtOnce = Callable[[Scope, Tell], bool]
_rust: Any = _granian  # nothing of this has types
_called_later: Any = _cbsched_aioschedule
_watched: Any = _future_watcher_wrapper
_adapted: Any = _callback_wrapper
_worker: Any = AsyncWorker


@runtime_checkable
class Prompt(Protocol):
    """A role that can answer some requests on the spot.

    Asked beside the event loop, in one other thread, about every request. Says whether it answered, in whole; then
    nobody else is asked. Must not wait for anything: all other requests would, too.
    """

    def at_once(self, scope: Scope, tell: Tell, /) -> bool: ...


def spawner(at_once: AtOnce) -> Any:
    """What Granian's embedded server makes its worker with."""

    async def spawn(
        number: int, stop: Any, role: App, sock: Any, loop: asyncio.AbstractEventLoop, *options: Any
    ) -> None:
        ended = loop.create_future()
        stop.add_cb(lambda: loop.call_soon_threadsafe(ended.set_result, None))
        *threads, _of_tasks, http, http1, http2, websockets, static, _access_log, tls, below = options
        worker = _rust.ASGIWorker(
            number, sock, None, *threads, http, http1, http2, websockets, static, *tls, (None, None)
        )
        answer = _watched(_adapted(role, below, {}))
        usual = sys.getswitchinterval()
        sys.setswitchinterval(TURN_SECONDS)
        worker.serve_async(_scheduler(loop, answer, at_once), loop, stop)
        try:
            await ended
        finally:
            sys.setswitchinterval(usual)

    return _worker.wrap_target(spawn)


def _scheduler(loop: asyncio.AbstractEventLoop, answer: Any, at_once: AtOnce) -> object:
    """What the server calls with each request."""
    scheduler = _rust.CallbackScheduler(loop, answer, None, None, None)
    later = _called_later(loop, scheduler._ctx, answer)  # noqa: SLF001 — meant for such a scheduler

    def schedule(request: Any) -> None:
        """Never raises: nobody would catch it."""
        try:
            if at_once(request.scope, request.proto.send):
                return
        except Exception:
            log.exception("an answer on the spot failed")
        later(request)

    scheduler._schedule_fn = schedule  # noqa: SLF001 — the same
    return scheduler
