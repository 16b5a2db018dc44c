"""What receivers of notifications were told, in the table's small state."""

import logging
import sqlite3

import msgspec

from chimney.core.notify import Memory
from chimney.store.database import Database
from chimney.wire.notification import SentNotification

MOST_SENT = 500
log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_memory = msgspec.json.Decoder(Memory).decode
_sent = msgspec.json.Decoder(SentNotification).decode


class NotifyLog:
    """Raises StorageFullError or StorageFailedError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def memories(self) -> dict[str, Memory]:
        rows = await self._database.run(lambda db: db.execute("SELECT target, data FROM notify_memory").fetchall())
        found = {}
        for target, data in rows:
            try:
                found[target] = _memory(data)
            except msgspec.DecodeError as error:
                log.warning("what a receiver was told cannot be read, it is told anew: %s", error)
        return found

    async def sent(self, most: int) -> list[SentNotification]:
        """Newest first."""
        statement = "SELECT data FROM notify_sent ORDER BY seq DESC LIMIT ?"
        rows = await self._database.run(lambda db: db.execute(statement, (most,)).fetchall())
        return [_sent(data) for (data,) in rows]

    async def save(self, target: str, memory: Memory, sent: SentNotification | None) -> None:
        def put(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO notify_memory VALUES (?, ?)", (target, _encode(memory)))
            if sent:
                last = db.execute("INSERT INTO notify_sent (data) VALUES (?)", (_encode(sent),)).lastrowid or 0
                db.execute("DELETE FROM notify_sent WHERE seq <= ?", (last - MOST_SENT,))

        await self._database.run(put)
