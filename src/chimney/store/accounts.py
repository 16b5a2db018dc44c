"""Users, their sessions and their browsers.

Passwords are kept as argon2id, all else that is secret as SHA-256 of random bits.
"""

import sqlite3

import msgspec

from chimney.store.database import Database


class User(msgspec.Struct, frozen=True):
    """`password` is an argon2id hash, empty for one who signs in elsewhere; `subject` is who that is there.

    `configured` is the hash of the password in the settings that was taken over last. Times are Unix seconds.
    """

    name: str
    role: str
    password: str
    source: str = "password"
    subject: str | None = None
    created_at: float = 0.0
    last_seen_at: float | None = None
    disabled: bool = False
    configured: str = ""


class StoredSession(msgspec.Struct, frozen=True):
    """`token` is the SHA-256 of what the cookie carries; times are Unix seconds."""

    token: bytes
    user: str
    role: str
    created_at: float
    seen_at: float
    source: str = "password"


class Device(msgspec.Struct, frozen=True):
    """A browser that signed in; `token` is the SHA-256 of what its cookie carries."""

    token: bytes
    user: str
    seen_at: float


DEVICES = 20  # of a user; the longest unseen is forgotten first
_COLUMNS = "name, role, password, source, subject, created_at, last_seen_at, disabled, configured"
_FORGET = (
    "DELETE FROM device WHERE user = ?1 AND token NOT IN"
    " (SELECT token FROM device WHERE user = ?1 ORDER BY seen_at DESC LIMIT ?2)"
)


def _user(row: tuple[object, ...]) -> User:
    return msgspec.convert(dict(zip(User.__struct_fields__, row, strict=True)), User, strict=False)


class Accounts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def user(self, name: str) -> User | None:
        return await self._one("name", name)

    async def user_of(self, subject: str) -> User | None:
        """Who signs in elsewhere as `subject`."""
        return await self._one("subject", subject)

    async def _one(self, column: str, value: str) -> User | None:
        statement = f"SELECT {_COLUMNS} FROM user WHERE {column} = ?"  # noqa: S608 — of two columns
        row = await self._database.run(lambda db: db.execute(statement, (value,)).fetchone())
        return _user(row) if row else None

    async def users(self) -> list[User]:
        """By name."""
        statement = f"SELECT {_COLUMNS} FROM user ORDER BY name"  # noqa: S608
        return [_user(row) for row in await self._database.run(lambda db: db.execute(statement).fetchall())]

    async def add_user(self, user: User) -> bool:
        """False when there is one of this name or subject."""
        statement = f"INSERT OR IGNORE INTO user ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
        values = msgspec.structs.astuple(user)
        return await self._database.run(lambda db: db.execute(statement, values).rowcount > 0)

    async def put_user(self, user: User) -> None:
        """Adds the user, or gives a known one this password, role and state; their sessions end."""

        def put(db: sqlite3.Connection) -> None:
            statement = (
                f"INSERT INTO user ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
                " ON CONFLICT (name) DO UPDATE SET role = excluded.role, password = excluded.password,"
                " disabled = excluded.disabled, configured = excluded.configured"
            )
            db.execute(statement, msgspec.structs.astuple(user))
            db.execute("DELETE FROM session WHERE user = ?", (user.name,))
            db.execute("DELETE FROM device WHERE user = ?", (user.name,))

        await self._database.run(put)

    async def remove_user(self, name: str) -> None:
        await self._database.run(lambda db: db.execute("DELETE FROM user WHERE name = ?", (name,)))

    async def see_users(self, seen: dict[str, float]) -> None:
        rows = [(at, name) for name, at in seen.items()]
        await self._database.run(lambda db: db.executemany("UPDATE user SET last_seen_at = ? WHERE name = ?", rows))

    async def add_session(self, session: StoredSession) -> None:
        values = (session.token, session.user, session.created_at, session.seen_at)
        await self._database.run(lambda db: db.execute("INSERT INTO session VALUES (?, ?, ?, ?)", values))

    async def begin_session(self, session: StoredSession, known: User) -> bool:
        """Keeps it unless the user is not what it was when the password was looked at: then False."""
        statement = (
            "INSERT INTO session SELECT ?, name, ?, ? FROM user"
            " WHERE name = ? AND role = ? AND password = ? AND NOT disabled"
        )
        who = (known.name, known.role, known.password)

        def begin(db: sqlite3.Connection) -> bool:
            db.execute("UPDATE user SET last_seen_at = ? WHERE name = ?", (session.seen_at, known.name))
            return db.execute(statement, (session.token, session.created_at, session.seen_at, *who)).rowcount > 0

        return await self._database.run(begin)

    async def sessions(self) -> list[StoredSession]:
        statement = (
            "SELECT token, user, role, session.created_at, seen_at, source FROM session"
            " JOIN user ON user.name = session.user WHERE NOT disabled ORDER BY seen_at"
        )
        rows = await self._database.run(lambda db: db.execute(statement).fetchall())
        return [StoredSession(*row) for row in rows]

    async def touch_sessions(self, seen: dict[bytes, float]) -> None:
        rows = [(at, token) for token, at in seen.items()]
        await self._database.run(lambda db: db.executemany("UPDATE session SET seen_at = ? WHERE token = ?", rows))

    async def remove_sessions(self, tokens: list[bytes]) -> None:
        rows = [(token,) for token in tokens]
        await self._database.run(lambda db: db.executemany("DELETE FROM session WHERE token = ?", rows))

    async def put_device(self, device: Device) -> None:
        """Adds the browser, or says when it was last seen."""

        def put(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO device VALUES (?, ?, ?)", msgspec.structs.astuple(device))
            db.execute(_FORGET, (device.user, DEVICES))

        await self._database.run(put)

    async def device(self, token: bytes) -> Device | None:
        statement = "SELECT token, user, seen_at FROM device WHERE token = ?"
        row = await self._database.run(lambda db: db.execute(statement, (token,)).fetchone())
        return Device(*row) if row else None
