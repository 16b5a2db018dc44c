"""Links to the wall. What the address carries is kept as SHA-256 of random bits."""

import sqlite3

import msgspec

from chimney.store.database import Database
from chimney.wire.base import Timestamp


class StoredLink(msgspec.Struct, frozen=True, kw_only=True):
    """`token` is its SHA-256, `prefix` the beginning of what it is of; `last_used_at` in Unix seconds."""

    id: str
    token: bytes
    name: str
    prefix: str
    origins: list[str]
    created_at: Timestamp
    created_by: str
    expires_at: Timestamp
    last_used_at: float | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(StoredLink).decode


class LinkStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[StoredLink]:
        rows = await self._database.run(
            lambda db: db.execute("SELECT data, last_used_at FROM wall_link ORDER BY id").fetchall()
        )
        return [msgspec.structs.replace(_decode(data), last_used_at=used) for data, used in rows]

    async def add(self, link: StoredLink) -> None:
        row = (link.id, link.token, _encode(link))
        await self._database.run(lambda db: db.execute("INSERT INTO wall_link (id, token, data) VALUES (?, ?, ?)", row))

    async def remove(self, ids: list[str]) -> None:
        rows = [(one,) for one in ids]
        await self._database.run(lambda db: db.executemany("DELETE FROM wall_link WHERE id = ?", rows))

    async def touch(self, used: dict[str, float]) -> None:
        rows = [(at, one) for one, at in used.items()]

        def put(db: sqlite3.Connection) -> None:
            db.executemany("UPDATE wall_link SET last_used_at = ? WHERE id = ?", rows)

        await self._database.run(put)
