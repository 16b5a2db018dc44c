"""Nothing that a handler raises reaches the server: it becomes a problem answer, a stack in the log, and a count."""

import logging
import traceback

from chimney.core.fingerprint import fingerprint
from chimney.web.asgi import App, Receive, Scope, Send
from chimney.web.problem import ProblemError, answer_problem
from chimney.web.record import record_of

log = logging.getLogger(__name__)
STACK_BYTES = 4096


def short_stack(error: BaseException) -> str:
    """The end of the stack, where the fault is, in at most 4 kB."""
    text = "".join(traceback.format_exception(error))
    return text if len(text) <= STACK_BYTES else "… " + text[-STACK_BYTES + 2 :]


def frames_of(error: BaseException) -> list[tuple[str, str]]:
    """File and function of each frame, outermost first."""
    return [(frame.f_code.co_filename, frame.f_code.co_name) for frame, _ in traceback.walk_tb(error.__traceback__)]


def _route(scope: Scope) -> str:
    """The template; the framework's own, which the record learns only when it has answered."""
    template: str = scope.get("path_template") or record_of(scope).route
    return template


class Recover:
    """ASGI, inside a Recorder: its record has a status once the answer began.

    ProblemErrors are answered as they say; anything else as 500, counted in `panics`.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self.panics = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
                raise ConnectionAbortedError("the answer was cut short by an error") from None
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
        """One ERROR record with the stack, on the request's own record and in the log."""
        self.panics += 1
        record = record_of(scope)
        record.error = f"{type(error).__name__}: {error}"[:500]
        log.error(
            "panic in %s %s: %s",
            record.method,
            _route(scope),
            record.error,
            extra={
                "stack": short_stack(error),
                "fingerprint": fingerprint(type(error).__name__, _route(scope), frames_of(error)),
            },
        )


def internal_error() -> ProblemError:
    return ProblemError(500, "internal-error", "Something failed on our side. The log has it under this request id.")
