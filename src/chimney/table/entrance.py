"""Who gets in by a password, and how often one may try.

A browser that signed in keeps a cookie that says so (its device). Its attempts are counted apart, so that nobody keeps
the right person out by guessing, from however many addresses.
"""

import logging
import math
import secrets
import time

import msgspec

from chimney.core.account import FIRST_USER
from chimney.core.attempts import OF_PAIR, Asker, Attempts, Block
from chimney.store.accounts import Accounts, Device, User
from chimney.store.errors import StoreError
from chimney.table.cookies import DEVICE, hashed, read_cookie
from chimney.table.passwords import Passwords
from chimney.table.sessions import Identity, Sessions
from chimney.web.problem import ProblemError
from chimney.web.record import RequestRecord
from chimney.wire.account import Role
from chimney.wire.problem import Fault

DEVICE_SECONDS = 180 * 86_400
LONGEST_NAME = 200
log = logging.getLogger(__name__)


class Entered(msgspec.Struct, frozen=True):
    """One who got in: the values of both cookies, and who it is."""

    session: str
    device: str
    identity: Identity


class Entrance:
    def __init__(self, accounts: Accounts, sessions: Sessions, passwords: Passwords) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._passwords = passwords
        self.attempts = Attempts()

    async def load(self, *, password: str | None) -> str | None:
        """Makes sure that there is a first user. Returns the password made up for it, None when none was.

        A password in the settings is taken over once: what the user changed it to stays until the settings say another.
        """
        user = await self._accounts.user(FIRST_USER)
        made_up = None if password or user else secrets.token_urlsafe(12)
        wanted = password or made_up
        if wanted and not (user and await self._passwords.verify(user.configured, wanted)):
            kept = await self._passwords.hash(wanted)
            role = user.role if user else Role.OPERATOR
            await self._accounts.put_user(
                User(FIRST_USER, role, kept, created_at=time.time(), configured=kept),
            )
        return made_up

    async def sign_in(self, *, user: str, password: str, record: RequestRecord) -> Entered:
        """Raises ProblemError 401, 429 or 503."""
        name = user[:LONGEST_NAME]
        device = await self._device(record, name)
        asker = Asker(record.client, name, device.token if device else None)
        known = await self._checked(asker, password)
        begun = await self._sessions.begin(known) if known else None
        if not known or not begun:
            raise ProblemError(401, "wrong-password", "This user and password do not go together.")
        session, identity = begun
        log.info("%s signed in from %s", known.name, record.client)
        return Entered(session, await self.remember(known, record, device), identity)

    async def change(self, identity: Identity, *, old: str, new: str, record: RequestRecord) -> User:
        """The user with the new password, not kept yet. Raises ProblemError 400, 403, 409, 429 or 503."""
        known = await self._accounts.user(identity.user) if identity.session else None
        if known is None:
            raise ProblemError(403, "forbidden", "An API token has no password: sign in as the user.")
        if known.source != "password":
            detail = f"{known.name} signs in through {known.source}: the password is changed there."
            raise ProblemError(409, "no-password", detail)
        device = await self._device(record, known.name)
        if not await self._checked(Asker(record.client, known.name, device.token if device else None), old):
            detail = "That is not your password."
            raise ProblemError(403, "wrong-password", detail, errors=[Fault(path="$.old", detail="is wrong")])
        check_password(new, known.name, "$.new")
        return msgspec.structs.replace(known, password=await self._passwords.hash(new))

    async def _checked(self, asker: Asker, password: str) -> User | None:
        """The user when the password is theirs. Raises ProblemError 429 or 503."""
        _refuse(self.attempts.blocked(asker, time.time()))
        known = await self._accounts.user(asker.user)
        right = await self._passwords.verify(known.password if known else "", password, trusted=bool(asker.device))
        _refuse(self.attempts.blocked(asker, time.time()))  # others may have been wrong meanwhile
        if known and right and not known.disabled:
            self.attempts.right(asker)
            return known
        self.attempts.wrong(asker, time.time())
        if block := self.attempts.blocked(asker, time.time()):
            log.warning("wrong passwords %s: waiting %d s", block.why, block.seconds, extra={"client": asker.address})
        return None

    async def _device(self, record: RequestRecord, user: str) -> Device | None:
        """The browser that asks, when it signed in as this user before."""
        cookie = read_cookie(record, DEVICE)
        device = await self._accounts.device(hashed(cookie)) if cookie else None
        known = device and device.user == user and time.time() - device.seen_at < DEVICE_SECONDS
        return device if known else None

    async def remember(self, user: User, record: RequestRecord, device: Device | None = None) -> str:
        """The value of the device's cookie: the one it has, or a new one."""
        value = (read_cookie(record, DEVICE) if device else None) or secrets.token_urlsafe(32)
        try:
            await self._accounts.put_device(Device(hashed(value), user.name, time.time()))
        except StoreError as error:
            log.warning("that %s signed in from this browser cannot be stored: %s", user.name, error)
        return value


def check_password(password: str, user: str, path: str) -> None:
    """Raises ProblemError 400, about what is at `path`, for one that is guessed first."""
    if password.casefold() in (user.casefold(), user.casefold() * 2) or len(set(password)) < 4:
        fault = Fault(path=path, detail="is guessed at once: it should be no name and have more than three letters")
        raise ProblemError(400, "malformed", f"{fault.path}: {fault.detail}", errors=[fault])


def _refuse(block: Block | None) -> None:
    if block is None:
        return
    wait = math.ceil(block.seconds)
    shown = f"{wait} s" if wait < 60 else f"{-(-wait // 60)} min"
    count = f"{OF_PAIR} wrong" if block.why.startswith("for this user from your") else "Too many wrong"
    detail = f"{count} passwords {block.why}. Try again in {shown}."
    raise ProblemError(429, "too-many-attempts", detail, headers=[(b"retry-after", str(wait).encode())])
