"""Signing in and out, and one's own password: /api/session."""

from collections.abc import Sequence
from typing import Any, cast

from litestar import Response, delete, get, post
from litestar.params import JSONBody

from chimney.table.access import PUBLIC, VIEWER, AnyRequest, identity_of, unauthorized
from chimney.table.audit import Audit, asked_of_table
from chimney.table.cookies import DEVICE, SESSION, set_cookie
from chimney.table.entrance import DEVICE_SECONDS, Entered, Entrance
from chimney.table.sessions import ABSOLUTE_SECONDS, Sessions
from chimney.table.users import Users
from chimney.web.asgi import Scope
from chimney.web.problem import MEDIA_TYPE, ProblemError
from chimney.web.record import RequestRecord, record_of
from chimney.wire.account import PasswordChange, SignedIn, SignInNeeded, Source
from chimney.wire.origin import SessionState, SignIn

_UNSTORED = {"cache-control": "no-store"}


def _record(request: AnyRequest) -> RequestRecord:
    return record_of(cast("Scope", request.scope))


def _entered(record: RequestRecord, entered: Entered) -> Response[SessionState]:
    cookies = [
        set_cookie(record, SESSION, entered.session, max_age=ABSOLUTE_SECONDS),
        set_cookie(record, DEVICE, entered.device, max_age=DEVICE_SECONDS, same_site="strict"),
    ]
    state = SessionState(user=entered.identity.user, role=entered.identity.role)
    return Response(state, cookies=cookies, headers=_UNSTORED)


def _nobody(record: RequestRecord, providers: list[Source]) -> Response[SignInNeeded]:
    said = unauthorized()
    problem = said.problem(record.request_id)
    needed = SignInNeeded(
        type=problem.type,
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        instance=problem.instance,
        providers=providers,
    )
    headers = {name.decode(): value.decode() for name, value in said.headers} | _UNSTORED
    return Response(needed, status_code=401, media_type=MEDIA_TYPE.decode(), headers=headers)


def routes(entrance: Entrance, sessions: Sessions, providers: Sequence[Source]) -> list[Any]:
    offered = list(providers)

    @post("/api/session", opt=PUBLIC, status_code=200, summary="Sign in", tags=["session"])
    async def sign_in(request: AnyRequest, data: JSONBody[SignIn]) -> Response[SessionState]:
        """Sets the session cookie. 401 when user and password do not go together, 429 after too many wrong ones."""
        record = _record(request)
        entered = await entrance.sign_in(user=data.user, password=data.password, record=record)
        return _entered(record, entered)

    @get("/api/session", opt=PUBLIC, summary="Who is signed in", tags=["session"])
    async def who(request: AnyRequest) -> Response[SignedIn | SignInNeeded]:
        """401 when nobody is. Both answers say which ways to sign in there are (`providers`)."""
        record = _record(request)
        identity = sessions.identify(record)
        if identity is None:
            return cast("Response[SignedIn | SignInNeeded]", _nobody(record, offered))
        state = SignedIn(
            user=identity.user,
            role=identity.role,
            manages=identity.manages,
            source=Source(identity.source) if identity.source else None,
            providers=offered,
        )
        return Response(state, headers=_UNSTORED)

    @delete("/api/session", opt=PUBLIC, summary="Sign out", tags=["session"])
    async def sign_out(request: AnyRequest) -> Response[None]:
        """Ends the session and its streams; 204 also when there was none."""
        record = _record(request)
        identity = sessions.identify(record)
        if identity:
            await sessions.sign_out(identity)
        return Response(None, status_code=204, cookies=[set_cookie(record, SESSION, "", max_age=0)])

    return [sign_in, who, sign_out]


def password_routes(entrance: Entrance, sessions: Sessions, *, users: Users, audit: Audit) -> list[Any]:
    @post("/api/session/password", opt=VIEWER, status_code=200, summary="Change one's password", tags=["session"])
    async def change(request: AnyRequest, data: JSONBody[PasswordChange]) -> Response[SessionState]:
        """Ends every session of the user and begins a new one here. 403 when the old password is wrong."""
        record, identity = _record(request), identity_of(cast("Scope", request.scope))
        user = await entrance.change(identity, old=data.old, new=data.new, record=record)
        did = f"{user.name} changes the password"
        asked = asked_of_table(identity.who, record, act="password_change", did=did, body={"user": user.name})
        async with audit.doing(asked):
            await users.put(user)
        begun = await sessions.begin(user)
        if begun is None:
            raise ProblemError(401, "unauthorized", "The password was changed. Sign in with it.")
        return _entered(record, Entered(begun[0], await entrance.remember(user, record), begun[1]))

    return [change]
