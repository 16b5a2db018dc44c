"""Signing in elsewhere, over HTTP: sent away, and back again."""

import logging
import secrets
import time
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

from litestar import Response, get
from litestar.params import FromQuery

from chimney.core.account import Person
from chimney.core.landing import landing
from chimney.core.redact import safe
from chimney.store.accounts import User
from chimney.table.access import PUBLIC, AnyRequest
from chimney.table.cookies import SESSION, SIGN_IN, read_cookie, set_cookie
from chimney.table.providers.pending import SECONDS, Begun, Pending
from chimney.table.providers.person import Provider, RefusedError, UnreachableError
from chimney.table.sessions import ELSEWHERE_SECONDS, Sessions
from chimney.table.users import Users
from chimney.web.asgi import Scope
from chimney.web.problem import ProblemError
from chimney.web.record import RequestRecord, record_of
from chimney.wire.account import Source

_SETTINGS = {Source.OIDC: "CHIMNEY_TABLE_OIDC_ISSUER", Source.GITHUB: "CHIMNEY_TABLE_GITHUB_CLIENT_ID"}
_UNSTORED = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
log = logging.getLogger(__name__)


class Elsewhere:
    """The providers that are configured, and who is on the way to one."""

    def __init__(
        self, providers: Mapping[Source, Provider], *, users: Users, sessions: Sessions, public_url: str | None
    ) -> None:
        self.providers = providers
        self._public = public_url
        self._users = users
        self._sessions = sessions
        self._pending = Pending()

    async def away(self, source: Source, record: RequestRecord, wanted: str | None) -> Response[None]:
        """To the provider. Raises ProblemError 404 or 502."""
        provider = self._provider(source)
        browser = read_cookie(record, SIGN_IN) or secrets.token_urlsafe(32)
        challenge = self._pending.begin(
            source,
            redirect_uri=_callback(record, source, self._public),
            browser=browser,
            landing=landing(wanted),
            address=record.client,
            now=time.time(),
        )
        try:
            address = await provider.address(challenge)
        except UnreachableError as error:
            raise _unreachable(source, error) from None
        cookie = set_cookie(record, SIGN_IN, browser, max_age=int(SECONDS))
        return Response(None, status_code=303, headers={"location": address} | _UNSTORED, cookies=[cookie])

    async def back(self, source: Source, record: RequestRecord, answer: Mapping[str, str]) -> Response[None]:
        """From the provider. Raises ProblemError 400, 403, 404, 409, 502 or 503."""
        provider = self._provider(source)
        state, browser = answer.get("state"), read_cookie(record, SIGN_IN)
        begun = self._pending.take(state, source, browser=browser, now=time.time())
        if begun is None:
            detail = "This sign-in was not begun in this browser, was used already, or took too long. Begin again."
            raise ProblemError(400, "sign-in-expired", detail)
        person = await self._person(provider, begun, answer)
        user = await self._users.admit(person, record)
        return await self._in(user, record, begun.landing)

    async def _person(self, provider: Provider, begun: Begun, answer: Mapping[str, str]) -> Person:
        source = provider.source
        if "error" in answer or not answer.get("code"):
            said = safe(answer.get("error", "no code"), longest=60)
            raise ProblemError(403, "sign-in-refused", f"{source} did not let you in: {said}.")
        try:
            return await provider.person(begun.challenge, answer)
        except RefusedError as error:
            log.warning("a sign-in through %s was refused: %s", source, safe(str(error), longest=300))
            raise ProblemError(403, "sign-in-refused", safe(str(error), longest=300)) from None
        except UnreachableError as error:
            raise _unreachable(source, error) from None

    async def _in(self, user: User, record: RequestRecord, place: str) -> Response[None]:
        begun = None if user.disabled else await self._sessions.begin(user)
        if begun is None:
            raise ProblemError(403, "sign-in-refused", f"{user.name} is disabled here. Ask an admin.")
        log.info("%s signed in through %s from %s", user.name, user.source, record.client)
        cookies = [
            set_cookie(record, SESSION, begun[0], max_age=ELSEWHERE_SECONDS),
            set_cookie(record, SIGN_IN, "", max_age=0),
        ]
        return Response(None, status_code=303, headers={"location": place} | _UNSTORED, cookies=cookies)

    def _provider(self, source: Source) -> Provider:
        provider = self.providers.get(source)
        if provider is None:
            raise ProblemError(404, "not-configured", f"Signing in by {source} is not set up: set {_SETTINGS[source]}.")
        return provider


def _callback(record: RequestRecord, source: Source, public: str | None) -> str:
    """Ours, public or as the browser reached it. The provider has it on a list, so that another Host is of no use."""
    host = quote(record.host.decode("latin-1"), safe=":[]")
    base = public or f"{'https' if record.secure else 'http'}://{host}"
    return f"{base}/api/session/{source}/callback"


def _unreachable(source: Source, error: UnreachableError) -> ProblemError:
    log.warning("signing in through %s does not work: %s", source, error)
    return ProblemError(502, "provider-unreachable", f"Signing in by {source} does not work now: {error}.")


def _for_people(record: RequestRecord) -> bool:
    return b"text/html" in record.headers.get(b"accept", b"")


async def _told(record: RequestRecord, going: Any) -> Response[None]:
    """What `going` answers; a browser gets a problem on the page, where something can be done about it."""
    try:
        response: Response[None] = await going
    except ProblemError as problem:
        if not _for_people(record):
            raise
        log.info("sign-in: %s", problem.slug)
        place = f"/?refused={problem.slug}"
        return Response(None, status_code=303, headers={"location": place} | _UNSTORED)
    return response


def _record(request: AnyRequest) -> RequestRecord:
    return record_of(cast("Scope", request.scope))


def routes(elsewhere: Elsewhere) -> list[Any]:
    @get("/api/session/oidc", opt=PUBLIC, status_code=303, summary="Sign in by OIDC", tags=["session"])
    async def to_oidc(request: AnyRequest, next: FromQuery[str | None] = None) -> Response[None]:  # noqa: A002
        """Sends the browser to the issuer; `next` is the path of the page where it lands afterwards."""
        record = _record(request)
        return await _told(record, elsewhere.away(Source.OIDC, record, next))

    @get("/api/session/oidc/callback", opt=PUBLIC, status_code=303, summary="Back from the issuer", tags=["session"])
    async def from_oidc(request: AnyRequest) -> Response[None]:
        """Sets the session cookie, once for each sign-in and only in the browser that began it."""
        record = _record(request)
        return await _told(record, elsewhere.back(Source.OIDC, record, dict(request.query_params.items())))

    @get("/api/session/github", opt=PUBLIC, status_code=303, summary="Sign in with GitHub", tags=["session"])
    async def to_github(request: AnyRequest, next: FromQuery[str | None] = None) -> Response[None]:  # noqa: A002
        """Sends the browser to GitHub; `next` is the path of the page where it lands afterwards."""
        record = _record(request)
        return await _told(record, elsewhere.away(Source.GITHUB, record, next))

    @get("/api/session/github/callback", opt=PUBLIC, status_code=303, summary="Back from GitHub", tags=["session"])
    async def from_github(request: AnyRequest) -> Response[None]:
        """Sets the session cookie, once for each sign-in and only in the browser that began it."""
        record = _record(request)
        return await _told(record, elsewhere.back(Source.GITHUB, record, dict(request.query_params.items())))

    return [to_oidc, from_oidc, to_github, from_github]
