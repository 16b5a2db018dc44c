"""API tokens, as SHA-256 of what their holders send."""

import sqlite3

import msgspec

from chimney.store.database import Database

_COLUMNS = "id, name, token, role, prefix, created_at, created_by, expires_at, last_used_at"


class StoredToken(msgspec.Struct, frozen=True, kw_only=True):
    """`token` is the SHA-256, `prefix` the beginning of what it is of; times are Unix seconds."""

    id: str
    name: str
    token: bytes
    role: str
    prefix: str
    created_at: float
    created_by: str
    expires_at: float | None = None
    last_used_at: float | None = None


class ApiTokens:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[StoredToken]:
        statement = f"SELECT {_COLUMNS} FROM api_token ORDER BY created_at, id"  # noqa: S608
        rows = await self._database.run(lambda db: db.execute(statement).fetchall())
        return [StoredToken(**dict(zip(StoredToken.__struct_fields__, row, strict=True))) for row in rows]

    async def put(self, token: StoredToken) -> None:
        """It replaces the one of the same name."""
        statement = f"INSERT OR REPLACE INTO api_token ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
        await self._database.run(lambda db: db.execute(statement, msgspec.structs.astuple(token)))

    async def remove(self, ids: list[str]) -> None:
        rows = [(one,) for one in ids]
        await self._database.run(lambda db: db.executemany("DELETE FROM api_token WHERE id = ?", rows))

    async def touch(self, used: dict[str, float]) -> None:
        rows = [(at, one) for one, at in used.items()]

        def put(db: sqlite3.Connection) -> None:
            db.executemany("UPDATE api_token SET last_used_at = ? WHERE id = ?", rows)

        await self._database.run(put)
