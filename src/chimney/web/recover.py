"""Nothing that a handler raises reaches the server: it becomes a problem answer, a stack in the log, and a count."""

import logging
import traceback

from chimney.web.asgi import App, Receive, Scope, Send
from chimney.web.problem import ProblemError, answer_problem
from chimney.web.record import record_of

log = logging.getLogger(__name__)
STACK_BYTES = 4096


def short_stack(error: BaseException) -> str:
    """The end of the stack, where the fault is, in at most 4 kB."""
    text = "".join(traceback.format_exception(error))
    return text if len(text) <= STACK_BYTES else "… " + text[-STACK_BYTES + 2 :]


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
            if not record.status:
                await answer_problem(send, error, record.request_id)
        except Exception as error:
            record = record_of(scope)
            self.note(error, scope)
            if record.status:
                raise ConnectionAbortedError("the answer was cut short by an error") from None
            await answer_problem(send, internal_error(), record.request_id)

    def note(self, error: Exception, scope: Scope) -> None:
        """One ERROR record with the stack, on the request's own record and in the log."""
        self.panics += 1
        record = record_of(scope)
        record.error = f"{type(error).__name__}: {error}"[:500]
        log.error(
            "panic in %s %s: %s",
            record.method,
            record.route,
            record.error,
            extra={"stack": short_stack(error)},
        )


def internal_error() -> ProblemError:
    return ProblemError(500, "internal-error", "Something failed on our side. The log has it under this request id.")
