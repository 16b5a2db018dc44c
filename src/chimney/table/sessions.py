"""Signing in, and who a request comes from: a session's cookie, or an API token.

Sessions and tokens are held in memory and written through, so that asking who someone is costs no disk; secrets are
kept as SHA-256 of 256 random bits, the password as argon2id (19 MiB, 2 rounds: OWASP's least).
"""

import asyncio
import hashlib
import math
import secrets
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.cookies import CookieError, SimpleCookie
from typing import TypeVar

import argon2
import msgspec

from chimney.store.accounts import Accounts, StoredSession, User
from chimney.web.hub import Subscriber
from chimney.web.problem import ProblemError
from chimney.web.record import RequestRecord

COOKIE = "chimney_session"
IDLE_SECONDS = 7 * 86_400
ABSOLUTE_SECONDS = 30 * 86_400
WRONG_ALLOWED = 5
WRONG_SECONDS = 900
ADDRESSES = 10_000  # remembered; the oldest are forgotten first
WAITING = 20  # sign-ins at once, ~50 ms each
SWEEP_SECONDS = 2.0
FIRST_USER = "operator"
_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# of a password that nobody knows: an unknown user costs as much as a known one
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$lh2njAq0diVLnPRou63aTA$pAhVmLkliJyi4fW5KjQmeFn4gWg3hSI+mn/MXnFNhtM"
T = TypeVar("T")


class Identity(msgspec.Struct, frozen=True):
    """Who asks; `session` is the hash of the session's token, None when an API token was sent."""

    user: str
    role: str
    session: bytes | None = None


def hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _cookie(record: RequestRecord) -> str | None:
    try:
        morsel = SimpleCookie(record.headers.get(b"cookie", b"").decode("latin-1")).get(COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel else None


class Attempts:
    """Wrong passwords by address and user, over the last 15 minutes."""

    def __init__(self) -> None:
        self._wrong: dict[tuple[str, str], deque[float]] = {}

    def blocked_for(self, who: tuple[str, str], now: float) -> float:
        """Seconds until a password is looked at again; 0 when it is now."""
        times = self._wrong.get(who)
        while times and times[0] <= now - WRONG_SECONDS:
            times.popleft()
        if not times or len(times) < WRONG_ALLOWED:
            return 0.0
        return times[0] + WRONG_SECONDS - now

    def wrong(self, who: tuple[str, str], now: float) -> None:
        if who not in self._wrong and len(self._wrong) >= ADDRESSES:
            del self._wrong[next(iter(self._wrong))]
        self._wrong.setdefault(who, deque(maxlen=WRONG_ALLOWED)).append(now)

    def right(self, who: tuple[str, str]) -> None:
        self._wrong.pop(who, None)


class Sessions:
    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._sessions: dict[bytes, StoredSession] = {}
        self._tokens: dict[bytes, tuple[str, str]] = {}
        self._seen: dict[bytes, float] = {}
        self._streams: dict[Subscriber, Identity] = {}
        self._attempts = Attempts()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="password")
        self._waiting = 0

    async def load(self, *, password: str | None) -> str | None:
        """Makes sure that there is an operator. Returns the password that was made up for it, None when none was."""
        user = await self._accounts.user(FIRST_USER)
        made_up = None if password or user else secrets.token_urlsafe(12)
        wanted = password or made_up
        if wanted and not (user and await self._verify(user.password, wanted)):
            await self._accounts.put_user(User(FIRST_USER, "operator", await self._in_thread(_hasher.hash, wanted)))
        self._sessions = {session.token: session for session in await self._accounts.sessions()}
        self._tokens = await self._accounts.tokens()
        return made_up

    async def new_token(self, name: str, role: str) -> str:
        """An API token, shown this once. It replaces the one of the same name."""
        token = f"chimney_{secrets.token_urlsafe(32)}"
        await self._accounts.put_token(name=name, token=hashed(token), role=role, now=time.time())
        self._tokens = await self._accounts.tokens()
        return token

    def identify(self, record: RequestRecord) -> Identity | None:
        header = record.headers.get(b"authorization", b"").decode("latin-1")
        if header[:7].lower() == "bearer ":
            known = self._tokens.get(hashed(header[7:].strip()))
            return Identity(*known) if known else None
        token = _cookie(record)
        session = self._sessions.get(hashed(token)) if token else None
        if session is None or not self._alive(session, time.time()):
            return None
        self._seen[session.token] = time.time()
        return Identity(session.user, session.role, session.token)

    def _alive(self, session: StoredSession, now: float) -> bool:
        seen = self._seen.get(session.token, session.seen_at)
        return now - seen < IDLE_SECONDS and now - session.created_at < ABSOLUTE_SECONDS

    async def sign_in(self, *, user: str, password: str, address: str) -> tuple[str, Identity]:
        """The cookie's value and who it stands for. Raises ProblemError 401, 429 or 503."""
        who, now = (address, user[:200]), time.time()
        self._refuse_if_blocked(who, now)
        if self._waiting >= WAITING:
            raise ProblemError(
                503, "busy", "Too many sign-ins at once. Try again in a moment.", headers=[(b"retry-after", b"2")]
            )
        known = await self._accounts.user(user[:200])
        right = await self._verify(known.password if known else _NOBODY, password)
        self._refuse_if_blocked(who, now)  # others may have been wrong meanwhile
        if not known or not right:
            self._attempts.wrong(who, now)
            raise ProblemError(401, "wrong-password", "This user and password do not go together.")
        self._attempts.right(who)
        token = secrets.token_urlsafe(32)
        session = StoredSession(hashed(token), known.name, known.role, now, now)
        await self._accounts.add_session(session)
        self._sessions[session.token] = session
        return token, Identity(known.name, known.role, session.token)

    def _refuse_if_blocked(self, who: tuple[str, str], now: float) -> None:
        wait = math.ceil(self._attempts.blocked_for(who, now))
        if wait:
            raise ProblemError(
                429,
                "too-many-attempts",
                f"{WRONG_ALLOWED} wrong passwords for this user from your address. Try again in {-(-wait // 60)} min.",
                headers=[(b"retry-after", str(wait).encode())],
            )

    async def _verify(self, known: str, password: str) -> bool:
        self._waiting += 1
        try:
            return await self._in_thread(_matches, known, password)
        finally:
            self._waiting -= 1

    async def _in_thread(self, act: Callable[..., T], *args: str) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, act, *args)

    async def sign_out(self, identity: Identity) -> None:
        if identity.session:
            await self._end([identity.session])

    async def _end(self, tokens: list[bytes]) -> None:
        for token in tokens:
            self._sessions.pop(token, None)
            self._seen.pop(token, None)
        self._close_streams()
        await self._accounts.remove_sessions(tokens)

    def watch(self, identity: Identity, subscriber: Subscriber) -> None:
        """The stream ends with the session that opened it."""
        self._streams[subscriber] = identity

    def unwatch(self, subscriber: Subscriber) -> None:
        self._streams.pop(subscriber, None)

    def _close_streams(self) -> None:
        for subscriber, identity in list(self._streams.items()):
            if identity.session and identity.session not in self._sessions:
                subscriber.close()

    async def sweep(self) -> float:
        """Ends sessions that are too old, and writes down when the others were last seen."""
        now = time.time()
        dead = [session.token for session in self._sessions.values() if not self._alive(session, now)]
        if dead:
            await self._end(dead)
        stale = {
            token: at
            for token, at in self._seen.items()
            if (session := self._sessions.get(token)) and at - session.seen_at > 60
        }
        if stale:
            await self._accounts.touch_sessions(stale)
            for token, at in stale.items():
                self._sessions[token] = msgspec.structs.replace(self._sessions[token], seen_at=at)
        return SWEEP_SECONDS

    def close(self) -> None:
        self._thread.shutdown(wait=False)


def _matches(known: str, password: str) -> bool:
    try:
        return _hasher.verify(known, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
