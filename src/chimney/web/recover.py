"""Nothing that nobody expected goes unseen: it becomes a stack in the log, a count, and whatever `told` makes of it.

Of a handler it also becomes a problem answer: nothing that one raises reaches the server.
"""

import asyncio
import logging
import threading
import traceback
from collections.abc import Callable
from typing import Any

from chimney.core.fingerprint import fingerprint
from chimney.web.asgi import App, Receive, Scope, Send
from chimney.web.problem import ProblemError, answer_problem
from chimney.web.record import record_of
from chimney.web.unread import Unread, has_body

log = logging.getLogger(__name__)
STACK_BYTES = 4096
CUT_SHORT = "the answer was cut short by an error"
Told = Callable[[str, str, str | None], None]


def short_stack(error: BaseException) -> str:
    """The end of the stack, where the fault is, in at most 4 kB."""
    text = "".join(traceback.format_exception(error))
    raw = text.encode("utf-8", "backslashreplace")
    return text if len(raw) <= STACK_BYTES else "… " + raw[-STACK_BYTES + 4 :].decode("utf-8", "ignore")


def _nothing(_where: str, _error: str, _request_id: str | None) -> None:
    """Where nobody has to be told."""


class Panics:
    """Exceptions that nobody expected, in handlers, loops, tasks and threads: one ERROR record each, counted.

    `told` is called with where, what, and the request's id, on the event loop.
    """

    def __init__(self) -> None:
        self.count = 0
        self.told: Told = _nothing
        self._loop: asyncio.AbstractEventLoop | None = None
        self._of_threads: Callable[[Any], object] = threading.excepthook

    def note(
        self, where: str, error: BaseException, *, place: str = "", request_id: str | None = None, **fields: object
    ) -> str:
        """What is said of it: type and message, in 500 characters. `place` is what its fingerprint knows of `where`."""
        self.count += 1
        name = type(error).__name__
        said = f"{name}: {error}"[:500]
        known_by = fingerprint(name, place or where, frames_of(error))
        extra = {"stack": short_stack(error), "fingerprint": known_by, **fields}
        log.error("panic in %s: %s", where, said, extra=extra)
        self.told(where, said, request_id)
        return said

    def watch(self) -> None:
        """From now on also what tasks, callbacks and threads raise and nobody asks for."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._of_loop)
        self._of_threads, threading.excepthook = threading.excepthook, self._of_thread

    def unwatch(self) -> None:
        if self._loop is not None:
            self._loop.set_exception_handler(None)
            threading.excepthook = self._of_threads
            self._loop = None

    def _of_loop(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        task = context.get("task") or context.get("future")
        name = task.get_name() if isinstance(task, asyncio.Task) else "a callback of the event loop"
        if isinstance(error, BaseException):
            self.note(name, error)
        else:
            log.warning("event loop: %s", context.get("message", "something is wrong"))

    def _of_thread(self, raised: threading.ExceptHookArgs) -> None:
        error, loop = raised.exc_value, self._loop
        if isinstance(error, Exception) and loop is not None and not loop.is_closed():
            name = raised.thread.name if raised.thread else "unknown"
            loop.call_soon_threadsafe(self.note, f"thread {name}", error)


def frames_of(error: BaseException) -> list[tuple[str, str]]:
    """File and function of each frame, outermost first."""
    return [(frame.f_code.co_filename, frame.f_code.co_name) for frame, _ in traceback.walk_tb(error.__traceback__)]


def _route(scope: Scope) -> str:
    """The template; the framework's own, which the record learns only when it has answered."""
    template: str = scope.get("path_template") or record_of(scope).route
    return template


class Recover:
    """ASGI, inside a Recorder: its record has a status once the answer began.

    ProblemErrors are answered as they say; anything else as 500, as one of `log`.
    """

    def __init__(self, app: App, log: Panics | None = None) -> None:
        self._app = app
        self.log = log or Panics()

    @property
    def panics(self) -> int:
        return self.log.count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if has_body(scope):
            rest = Unread(scope, receive, send)
            receive, send = rest.receive, rest.send
        try:
            await self._app(scope, receive, send)
        except ProblemError as error:
            record = record_of(scope)
            self.tell(error, scope)
            if not record.status:
                await answer_problem(send, error, record.request_id)
        except Exception as error:
            record = record_of(scope)
            self.note(error, scope)
            if record.status:
                raise ConnectionAbortedError(CUT_SHORT) from None
            await answer_problem(send, internal_error(), record.request_id)

    def tell(self, error: ProblemError, scope: Scope) -> None:
        """A problem that is ours, on the request's record. A 503 is said on purpose, and is no fault."""
        if error.status < 500:
            return
        record = record_of(scope)
        record.error = f"{error.slug}: {error.detail}"[:500]
        if error.status != 503:
            record.fingerprint = fingerprint(error.slug, _route(scope))

    def note(self, error: Exception, scope: Scope) -> None:
        """Also on the request's own record."""
        record = record_of(scope)
        place = _route(scope)
        where = f"{record.method} {place}"
        record.fingerprint = fingerprint(type(error).__name__, place, frames_of(error))
        record.error = self.log.note(where, error, place=place, request_id=record.request_id)


def internal_error() -> ProblemError:
    return ProblemError(500, "internal-error", "Something failed on our side. The log has it under this request id.")
