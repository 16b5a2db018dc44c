"""Who a request comes from: a session's cookie, or an API token. And what ends with it.

Sessions are held in memory and written through, so that asking who someone is costs no disk. A session ends by
sign-out, by its age, and by any change to its user; every copy of its cookie and every stream that it opened end with
it, at once, or within two seconds when it is the age.
"""

import logging
import secrets
import time

import msgspec

from chimney.core.account import manages
from chimney.store.accounts import Accounts, StoredSession, User
from chimney.store.errors import StoreError
from chimney.table.cookies import SESSION, hashed, read_cookie
from chimney.table.tokens import Tokens
from chimney.web.hub import Subscriber
from chimney.web.record import RequestRecord

IDLE_SECONDS = 7 * 86_400
ABSOLUTE_SECONDS = 30 * 86_400
ELSEWHERE_SECONDS = 86_400  # of one who signed in elsewhere: whether they still may is asked there, and only then
SWEEP_SECONDS = 2.0
TOUCH_SECONDS = 60.0
log = logging.getLogger(__name__)


class Identity(msgspec.Struct, frozen=True):
    """Who asks; `session` and `token` are the hashes of the session's or the API token, whichever was sent."""

    user: str
    role: str
    session: bytes | None = None
    token: bytes | None = None
    source: str | None = None

    @property
    def who(self) -> str:
        """For the audit: a token may have a user's name."""
        return f"token {self.user}" if self.token else self.user

    @property
    def manages(self) -> bool:
        """May change users and tokens."""
        return manages("" if self.token else self.user, self.role)


class Sessions:
    """Nothing is known before `load`; `sweep` is the verb of a loop."""

    def __init__(self, accounts: Accounts, tokens: Tokens) -> None:
        self._accounts = accounts
        self.tokens = tokens
        self._sessions: dict[bytes, StoredSession] = {}
        self._seen: dict[bytes, float] = {}
        self._streams: dict[Subscriber, Identity] = {}

    async def load(self) -> None:
        self._sessions = {session.token: session for session in await self._accounts.sessions()}
        await self.tokens.load()

    async def new_token(self, name: str, role: str) -> str:
        """An API token without an end, in place of the one of the same name."""
        _, text = await self.tokens.make(name, role, who="the table", days=None)
        self._close_streams()
        return text

    def identify(self, record: RequestRecord) -> Identity | None:
        header = record.headers.get(b"authorization", b"").decode("latin-1")
        if header[:7].lower() == "bearer ":
            known = self.tokens.find(header[7:].strip())
            return Identity(known.name, known.role, token=known.token) if known else None
        cookie = read_cookie(record, SESSION)
        session = self._sessions.get(hashed(cookie)) if cookie else None
        if session is None or not self._alive(session, time.time()):
            return None
        self._seen[session.token] = time.time()
        return Identity(session.user, session.role, session.token, source=session.source)

    def _alive(self, session: StoredSession, now: float) -> bool:
        seen = self._seen.get(session.token, session.seen_at)
        longest = ABSOLUTE_SECONDS if session.source == "password" else ELSEWHERE_SECONDS
        return now - seen < IDLE_SECONDS and now - session.created_at < longest

    async def begin(self, user: User) -> tuple[str, Identity] | None:
        """The cookie's value and who it stands for; None when the user is not what it was any more.

        On a full disk the session lives in memory: who comes to see what is wrong must get in.
        """
        token, now = secrets.token_urlsafe(32), time.time()
        session = StoredSession(hashed(token), user.name, user.role, now, now, user.source)
        try:
            if not await self._accounts.begin_session(session, user):
                return None
        except StoreError as error:
            log.warning("the session of %s ends with this process, as it cannot be stored: %s", user.name, error)
        self._sessions[session.token] = session
        return token, Identity(session.user, session.role, session.token, source=session.source)

    async def sign_out(self, identity: Identity) -> None:
        if identity.session:
            await self._end([identity.session])

    def end_of(self, user: str) -> None:
        """Ends the user's sessions and streams. What is stored of them goes with the change that this follows."""
        for token in [session.token for session in self._sessions.values() if session.user == user]:
            self._sessions.pop(token, None)
            self._seen.pop(token, None)
        self._close_streams()

    async def _end(self, tokens: list[bytes]) -> None:
        for token in tokens:
            self._sessions.pop(token, None)
            self._seen.pop(token, None)
        self._close_streams()
        await self._accounts.remove_sessions(tokens)

    def watch(self, identity: Identity, subscriber: Subscriber) -> None:
        """The stream ends with the session or token that opened it."""
        self._streams[subscriber] = identity
        if not self._may_stay(identity):  # it ended while the stream was being opened
            subscriber.close()

    def unwatch(self, subscriber: Subscriber) -> None:
        self._streams.pop(subscriber, None)

    def _may_stay(self, identity: Identity) -> bool:
        if identity.token:
            return self.tokens.lives(identity.token)
        return identity.session in self._sessions

    def _close_streams(self) -> None:
        for subscriber, identity in list(self._streams.items()):
            if not self._may_stay(identity):
                subscriber.close()

    async def remove_token(self, token_id: str) -> None:
        """Raises ProblemError 404. Its streams end at once."""
        try:
            await self.tokens.remove(self.tokens.get(token_id))
        finally:
            self._close_streams()

    def seen(self) -> dict[str, float]:
        """When each user was last seen, of those with a session."""
        latest: dict[str, float] = {}
        for session in self._sessions.values():
            at = self._seen.get(session.token, session.seen_at)
            latest[session.user] = max(at, latest.get(session.user, 0.0))
        return latest

    async def sweep(self) -> float:
        """Ends sessions that are too old, and writes down when the others were last seen."""
        now = time.time()
        dead = [session.token for session in self._sessions.values() if not self._alive(session, now)]
        if dead:
            await self._end(dead)
        await self.tokens.sweep()
        self._close_streams()
        stale = {
            token: at
            for token, at in self._seen.items()
            if (session := self._sessions.get(token)) and at - session.seen_at > TOUCH_SECONDS
        }
        if stale:
            await self._accounts.touch_sessions(stale)
            for token, at in stale.items():
                self._sessions[token] = msgspec.structs.replace(self._sessions[token], seen_at=at)
            await self._accounts.see_users(self.seen())
        return SWEEP_SECONDS
