"""Error answers: one shape, RFC 9457, for both roles."""

from collections.abc import Sequence
from http import HTTPStatus

import msgspec

from chimney.web.asgi import Headers, Send, respond
from chimney.wire.problem import Fault, Problem

MEDIA_TYPE = b"application/problem+json"
_encode = msgspec.json.Encoder().encode


class ProblemError(Exception):
    """Raised anywhere below a handler; answered as a problem. `slug` is a heading of docs/errors.md."""

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        headers: Headers = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.detail = detail
        self.errors = list(errors)
        self.headers = headers

    def problem(self, request_id: str) -> Problem:
        return Problem(
            type=f"docs/errors.md#{self.slug}",
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=self.detail,
            instance=request_id,
            errors=self.errors,
        )

    def body(self, request_id: str) -> bytes:
        return _encode(self.problem(request_id))


async def answer_problem(send: Send, error: ProblemError, request_id: str) -> None:
    await respond(
        send,
        error.status,
        error.body(request_id),
        [(b"content-type", MEDIA_TYPE), (b"cache-control", b"no-store"), *error.headers],
    )


def not_found(path: str) -> ProblemError:
    return ProblemError(404, "not-found", f"There is nothing at {path}.")


def method_not_allowed(method: str, allowed: Sequence[str]) -> ProblemError:
    return ProblemError(
        405,
        "method-not-allowed",
        f"{method} is not allowed here; allowed: {', '.join(allowed)}.",
        headers=[(b"allow", ", ".join(allowed).encode())],
    )
