"""The table's users: who there is, what they may, and changing that. Each change is audited and ends their sessions."""

import asyncio
import time
from typing import Any

import msgspec
from litestar import delete, get, patch, post
from litestar.params import FromPath, JSONBody

from chimney.core.account import FIRST_USER, Person, Refusal, Standing, free_name, refused
from chimney.store.accounts import Accounts, User
from chimney.table.access import ADMIN, AnyRequest, asker_of
from chimney.table.audit import Audit, asked_of_table
from chimney.table.entrance import check_password
from chimney.table.passwords import Passwords
from chimney.table.sessions import Sessions
from chimney.web.problem import ProblemError
from chimney.web.record import RequestRecord
from chimney.wire.account import NewUser, Role, Source, UserChange, UserItem
from chimney.wire.base import Page, stamp

MOST = 1_000
Asker = tuple[str, RequestRecord]


class Users:
    def __init__(self, accounts: Accounts, sessions: Sessions, *, passwords: Passwords, audit: Audit) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._passwords = passwords
        self._audit = audit
        self._one_at_a_time = asyncio.Lock()  # two admins who disable each other must not both succeed

    async def listed(self) -> list[UserItem]:
        """By name."""
        seen = self._sessions.seen()
        return [_item(user, seen) for user in await self._accounts.users()]

    async def add(self, new: NewUser, asker: Asker) -> UserItem:
        """Raises ProblemError 409 when there is one of this name, 503 when it cannot be written."""
        check_password(new.password, new.user, "$.password")
        user = User(new.user, new.role, await self._passwords.hash(new.password), created_at=time.time())
        async with self._one_at_a_time:
            await self._keep(user, asker, did=f"add the user {user.name} as {user.role}")
        return _item(user, {})

    async def admit(self, person: Person, record: RequestRecord) -> User:
        """Who signed in elsewhere; a viewer when they are here for the first time. Raises ProblemError 409 or 503."""
        async with self._one_at_a_time:
            known = await self._accounts.user_of(person.subject)
            if known:
                return known
            taken = [one.name for one in await self._accounts.users()]
            name = free_name(person.name, person.source, taken)
            user = User(name, Role.VIEWER, "", person.source, person.subject, created_at=time.time())
            did = f"add {name} as viewer, who signed in through {person.source} for the first time"
            await self._keep(user, (name, record), did=did)
            return user

    async def _keep(self, user: User, asker: Asker, *, did: str) -> None:
        known = await self._accounts.users()
        if any(user.name.casefold() == one.name.casefold() for one in known):
            raise ProblemError(409, "name-taken", f"There is a user {user.name!r} already.")
        if len(known) >= MOST:
            raise ProblemError(409, "too-many-accounts", f"There are {MOST} users. Remove some.")
        body = {"user": user.name, "role": user.role, "source": user.source}
        async with self._audit.doing(asked_of_table(*asker, act="user_add", did=did, body=body)):
            await self._accounts.add_user(user)

    async def change(self, name: str, change: UserChange, asker: Asker) -> UserItem:
        """Raises ProblemError 404, 409 or 503."""
        async with self._one_at_a_time:
            before = await self._found(name)
            after = await self._changed(before, change)
            await self._check(before, after)
            if after != before:
                body = {"user": name, "role": change.role, "disabled": change.disabled}
                did = f"change the user {name}: {_said(before, after)}"
                async with self._audit.doing(asked_of_table(*asker, act="user_change", did=did, body=body)):
                    await self.put(after)
            return _item(after, self._sessions.seen())

    async def put(self, user: User) -> None:
        """Keeps the user as it is now, and ends what it had open; that also when it cannot be kept."""
        try:
            await self._accounts.put_user(user)
        finally:
            self._sessions.end_of(user.name)

    async def remove(self, name: str, asker: Asker) -> None:
        """Raises ProblemError 404, 409 or 503."""
        async with self._one_at_a_time:
            user = await self._found(name)
            await self._check(user, None)
            asked = asked_of_table(*asker, act="user_remove", did=f"remove the user {name}", body={"user": name})
            async with self._audit.doing(asked):
                try:
                    await self._accounts.remove_user(name)
                finally:
                    self._sessions.end_of(name)

    async def _found(self, name: str) -> User:
        user = await self._accounts.user(name)
        if user is None:
            raise ProblemError(404, "not-found", f"There is no user {name[:64]!r}.")
        return user

    async def _changed(self, user: User, change: UserChange) -> User:
        role = user.role if change.role is None else change.role
        disabled = user.disabled if change.disabled is None else change.disabled
        password = user.password
        if change.password is not None:
            if user.source != Source.PASSWORD:
                detail = f"{user.name} signs in through {user.source}: the password is changed there."
                raise ProblemError(409, "no-password", detail)
            check_password(change.password, user.name, "$.password")
            password = await self._passwords.hash(change.password)
        return msgspec.structs.replace(user, role=role, disabled=disabled, password=password)

    async def _check(self, before: User, after: User | None) -> None:
        others = [_standing(one) for one in await self._accounts.users() if one.name != before.name]
        refusal = refused(_standing(before), _standing(after) if after else None, others)
        if refusal is Refusal.FIRST_USER:
            detail = f"{FIRST_USER} is the way back in: it cannot be removed and keeps its role. It can be disabled."
            raise ProblemError(409, "first-user", detail)
        if refusal is Refusal.LAST_ADMIN:
            detail = "Nobody would be left who may manage users. Make another user an admin first."
            raise ProblemError(409, "last-admin", detail)


def _standing(user: User) -> Standing:
    return Standing(user.name, Role(user.role), user.disabled)


def _said(before: User, after: User) -> str:
    said = [
        f"role {before.role} to {after.role}" if after.role != before.role else "",
        "a new password" if after.password != before.password else "",
        ("disabled" if after.disabled else "enabled") if after.disabled is not before.disabled else "",
    ]
    return ", ".join(filter(None, said))


def _item(user: User, seen: dict[str, float]) -> UserItem:
    last = max(seen.get(user.name, 0.0), user.last_seen_at or 0.0)
    return UserItem(
        user=user.name,
        role=Role(user.role),
        source=Source(user.source),
        created_at=stamp(user.created_at),
        last_seen_at=stamp(last) if last else None,
        disabled=user.disabled,
        first=user.name == FIRST_USER,
    )


def routes(users: Users) -> list[Any]:
    @get("/api/users", opt=ADMIN, summary="Who may use the table", tags=["users"])
    async def listed() -> Page[UserItem]:
        """By name, all of them."""
        return Page(items=await users.listed())

    @post("/api/users", opt=ADMIN, summary="Add a user", tags=["users"])
    async def add(request: AnyRequest, data: JSONBody[NewUser]) -> UserItem:
        """With a password; whoever signs in elsewhere is added when they first do."""
        return await users.add(data, asker_of(request))

    @patch("/api/users/{user:str}", opt=ADMIN, summary="Change a user", tags=["users"])
    async def change(request: AnyRequest, user: FromPath[str], data: JSONBody[UserChange]) -> UserItem:
        """Role, password, or whether they are let in. Their sessions and open streams end at once."""
        return await users.change(user, data, asker_of(request))

    @delete("/api/users/{user:str}", opt=ADMIN, summary="Remove a user", tags=["users"])
    async def remove(request: AnyRequest, user: FromPath[str]) -> None:
        """Their sessions and open streams end at once; what they did stays in the audit."""
        await users.remove(user, asker_of(request))

    return [listed, add, change, remove]
