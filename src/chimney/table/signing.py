"""Signing in and out: /api/session."""

from typing import Any

from litestar import Request, Response, delete, get, post
from litestar.datastructures import Cookie
from litestar.params import JSONBody

from chimney.table.access import PUBLIC, unauthorized
from chimney.table.sessions import ABSOLUTE_SECONDS, COOKIE, Sessions
from chimney.web.problem import ProblemError
from chimney.web.record import RequestRecord, record_of
from chimney.wire.origin import SessionState, SignIn

LONGEST_PASSWORD = 1_000  # argon2 reads all of it
AnyRequest = Request[Any, Any, Any]


def _cookie(request: AnyRequest, record: RequestRecord, value: str, *, max_age: int) -> Cookie:
    forwarded = record.headers.get(b"x-forwarded-proto", b"").decode("latin-1")
    secure = "https" in (request.scope.get("scheme"), forwarded)
    return Cookie(
        key=COOKIE, value=value, max_age=max_age, path="/", httponly=True, samesite="lax", secure=secure or None
    )


def _record(request: AnyRequest) -> RequestRecord:
    return record_of(request.scope)  # type: ignore[arg-type]


def routes(sessions: Sessions) -> list[Any]:
    @post("/api/session", opt=PUBLIC, status_code=200, summary="Sign in", tags=["session"])
    async def sign_in(request: AnyRequest, data: JSONBody[SignIn]) -> Response[SessionState]:
        """Sets the session cookie. 401 when user and password do not go together, 429 after five wrong ones."""
        if len(data.password) > LONGEST_PASSWORD:
            raise ProblemError(401, "wrong-password", "This user and password do not go together.")
        record = _record(request)
        token, identity = await sessions.sign_in(user=data.user, password=data.password, address=record.client)
        cookie = _cookie(request, record, token, max_age=ABSOLUTE_SECONDS)
        state = SessionState(user=identity.user, role=identity.role)
        return Response(state, cookies=[cookie], headers={"cache-control": "no-store"})

    @get("/api/session", opt=PUBLIC, summary="Who is signed in", tags=["session"])
    async def who(request: AnyRequest) -> Response[SessionState]:
        """401 when nobody is."""
        identity = sessions.identify(_record(request))
        if identity is None:
            raise unauthorized()
        state = SessionState(user=identity.user, role=identity.role)
        return Response(state, headers={"cache-control": "no-store"})

    @delete("/api/session", opt=PUBLIC, summary="Sign out", tags=["session"])
    async def sign_out(request: AnyRequest) -> Response[None]:
        """Ends the session and its streams; 204 also when there was none."""
        record = _record(request)
        identity = sessions.identify(record)
        if identity:
            await sessions.sign_out(identity)
        return Response(None, status_code=204, cookies=[_cookie(request, record, "", max_age=0)])

    return [sign_in, who, sign_out]
