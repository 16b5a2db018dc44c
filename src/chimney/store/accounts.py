"""Users, sessions and API tokens. Passwords are kept as argon2id, everything else secret as SHA-256 of random bits."""

import sqlite3

import msgspec

from chimney.store.database import Database


class User(msgspec.Struct, frozen=True):
    """`password` is an argon2id hash."""

    name: str
    role: str
    password: str


class StoredSession(msgspec.Struct, frozen=True):
    """`token` is the SHA-256 of what the cookie carries; times are Unix seconds."""

    token: bytes
    user: str
    role: str
    created_at: float
    seen_at: float


class Accounts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def user(self, name: str) -> User | None:
        row = await self._database.run(
            lambda db: db.execute("SELECT name, role, password FROM user WHERE name = ?", (name,)).fetchone()
        )
        return User(*row) if row else None

    async def put_user(self, user: User) -> None:
        """Adds the user, or gives a known one this password and role; sessions under the old one end."""

        def put(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM user WHERE name = ?", (user.name,))
            db.execute("INSERT INTO user VALUES (?, ?, ?)", (user.name, user.role, user.password))

        await self._database.run(put)

    async def add_session(self, session: StoredSession) -> None:
        values = (session.token, session.user, session.created_at, session.seen_at)
        await self._database.run(lambda db: db.execute("INSERT INTO session VALUES (?, ?, ?, ?)", values))

    async def sessions(self) -> list[StoredSession]:
        statement = (
            "SELECT token, user, role, created_at, seen_at FROM session JOIN user ON user.name = session.user"
            " ORDER BY seen_at"
        )
        rows = await self._database.run(lambda db: db.execute(statement).fetchall())
        return [StoredSession(*row) for row in rows]

    async def touch_sessions(self, seen: dict[bytes, float]) -> None:
        rows = [(at, token) for token, at in seen.items()]
        await self._database.run(lambda db: db.executemany("UPDATE session SET seen_at = ? WHERE token = ?", rows))

    async def remove_sessions(self, tokens: list[bytes]) -> None:
        rows = [(token,) for token in tokens]
        await self._database.run(lambda db: db.executemany("DELETE FROM session WHERE token = ?", rows))

    async def put_token(self, *, name: str, token: bytes, role: str, now: float) -> None:
        """`token` is its SHA-256; it replaces the one of the same name."""
        await self._database.run(
            lambda db: db.execute("INSERT OR REPLACE INTO api_token VALUES (?, ?, ?, ?)", (name, token, role, now))
        )

    async def tokens(self) -> dict[bytes, tuple[str, str]]:
        """Name and role by the token's SHA-256."""
        rows = await self._database.run(lambda db: db.execute("SELECT token, name, role FROM api_token").fetchall())
        return {token: (name, role) for token, name, role in rows}
