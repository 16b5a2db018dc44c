"""API tokens: programs' way in. Held in memory and written through, so that asking who someone is costs no disk."""

import secrets
import time
from typing import Any

import msgspec

from chimney.core.api_token import shown, token_of
from chimney.store.api_tokens import ApiTokens, StoredToken
from chimney.table.cookies import hashed
from chimney.web.problem import ProblemError
from chimney.wire.account import MadeToken, NewToken, Role, TokenItem
from chimney.wire.base import stamp

MOST = 200
TOUCH_SECONDS = 60.0
_DAY = 86_400.0


class Tokens:
    """Nothing is known before `load`."""

    def __init__(self, store: ApiTokens) -> None:
        self._store = store
        self._tokens: dict[bytes, StoredToken] = {}
        self._used: dict[bytes, float] = {}

    async def load(self) -> None:
        self._tokens = {one.token: one for one in await self._store.all()}

    def find(self, token: str) -> StoredToken | None:
        """None when it is not known or has expired."""
        now = time.time()
        known = self._tokens.get(hashed(token))
        if known is None or not _alive(known, now):
            return None
        self._used[known.token] = now
        return known

    def lives(self, token: bytes) -> bool:
        """Whether the token of this hash may still be used."""
        known = self._tokens.get(token)
        return known is not None and _alive(known, time.time())

    def check(self, asked: NewToken) -> None:
        """Raises ProblemError 409 when there cannot be another one, or another one of this name."""
        if any(one.name == asked.name for one in self._tokens.values()):
            raise ProblemError(
                409, "name-taken", f"There is a token {asked.name!r}. Remove it first, or choose a name."
            )
        if len(self._tokens) >= MOST:
            raise ProblemError(409, "too-many-accounts", f"There are {MOST} tokens. Remove some that are not used.")

    async def make(self, name: str, role: str, *, who: str, days: int | None) -> tuple[StoredToken, str]:
        """The token of that name, in place of the one before, and its text, which is not known afterwards."""
        text, now = token_of(secrets.token_bytes(80)), time.time()
        token = StoredToken(
            id=secrets.token_hex(6),
            name=name,
            token=hashed(text),
            role=role,
            prefix=shown(text),
            created_at=now,
            created_by=who,
            expires_at=None if days is None else now + days * _DAY,
        )
        await self._store.put(token)
        self._tokens = {key: one for key, one in self._tokens.items() if one.name != name} | {token.token: token}
        return token, text

    def get(self, token_id: str) -> StoredToken:
        """Raises ProblemError 404."""
        found = next((one for one in self._tokens.values() if one.id == token_id), None)
        if found is None:
            raise ProblemError(404, "not-found", f"There is no token {token_id[:40]!r}.")
        return found

    async def remove(self, token: StoredToken) -> None:
        """It is dead at once, also when that cannot be written down: then until the next start."""
        self._tokens.pop(token.token, None)
        self._used.pop(token.token, None)
        await self._store.remove([token.id])

    async def sweep(self) -> None:
        """Forgets tokens that have expired for a week, and writes down when the others were last used."""
        now = time.time()
        for old in [one for one in self._tokens.values() if not _alive(one, now - 7 * _DAY)]:
            await self.remove(old)
        stale = {
            one.token: at
            for token, at in self._used.items()
            if (one := self._tokens.get(token)) and at - (one.last_used_at or 0.0) > TOUCH_SECONDS
        }
        if stale:
            await self._store.touch({self._tokens[token].id: at for token, at in stale.items()})
            for token, at in stale.items():
                self._tokens[token] = msgspec.structs.replace(self._tokens[token], last_used_at=at)

    def listed(self) -> list[TokenItem]:
        """Newest first."""
        newest = sorted(self._tokens.values(), key=lambda one: (one.created_at, one.id), reverse=True)
        return [TokenItem(**self._shown(one)) for one in newest]

    def told(self, token: StoredToken, text: str) -> MadeToken:
        return MadeToken(**self._shown(token), token=text)

    def _shown(self, token: StoredToken) -> dict[str, Any]:
        used = max(self._used.get(token.token, 0.0), token.last_used_at or 0.0)
        return {
            "id": token.id,
            "name": token.name,
            "role": Role(token.role),
            "prefix": token.prefix,
            "created_at": stamp(token.created_at),
            "created_by": token.created_by,
            "expires_at": stamp(token.expires_at) if token.expires_at else None,
            "last_used_at": stamp(used) if used else None,
        }


def _alive(token: StoredToken, now: float) -> bool:
    return token.expires_at is None or now < token.expires_at
